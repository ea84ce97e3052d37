"""A function in C# on a real .NET, which the host lacks: its runtime is taken from an image.

The .NET is the one that PyPI has, 3.1. AWS's own client for .NET is in no registry that the tests can reach: Program.cs
speaks the Runtime API itself.
"""

import json
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from images import Directory, Entry, File, Image, loaded, tar_of
from lambent_server import Lambent

SOURCE = Path(__file__).parent / "clients/dotnet/Program.cs"
RUNTIME = "dotnetcore3.1"
BOOTSTRAP = b'#!/bin/sh\nexec /var/lang/bin/dotnet "${_HANDLER%%::*}.dll"\n'
REFERENCES = (
    "System.Collections",
    "System.Console",
    "System.Net.Http",
    "System.Net.Primitives",
    "System.Private.CoreLib",
    "System.Private.Uri",
    "System.Runtime",
    "System.Runtime.Extensions",
    "System.Threading",
)
CONFIG = {
    "runtimeOptions": {
        "framework": {"name": "Microsoft.NETCore.App", "version": "3.1.0"},
        "configProperties": {"System.Globalization.Invariant": True},
    }
}


@pytest.fixture(scope="module")
def dotnet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a .NET runtime."""
    if shutil.which("skopeo") is None:
        pytest.skip("there is no skopeo here")
    if shutil.which("mcs") is None or platform.machine() != "x86_64":
        pytest.skip("no .NET here: apt-get install mono-mcs, on x86_64")
    target = tmp_path_factory.mktemp("dotnet")
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    chosen = ["--no-compile", "--target", str(target), "dotnetcore2==3.1.23"]
    installed = subprocess.run([*install, *chosen], capture_output=True, text=True, timeout=200, check=False)
    if installed.returncode != 0:
        pytest.skip(f"pip cannot fetch .NET: {installed.stderr.strip().splitlines()[-1:]}")
    return target / "dotnetcore2/bin"


@pytest.fixture(scope="module")
def program(dotnet: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    compiled = tmp_path_factory.mktemp("program") / "Program.dll"
    framework = next(dotnet.glob("shared/Microsoft.NETCore.App/*"))
    references = [f"-r:{framework / name}.dll" for name in REFERENCES]
    subprocess.run(
        ["mcs", "-nostdlib", "-noconfig", *references, f"-out:{compiled}", str(SOURCE)],
        check=True,
        timeout=60,
    )
    return compiled.read_bytes()


@pytest.fixture(scope="module")
def layout(dotnet: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    shell = Path("/bin/sh").resolve()
    files = [path for path in sorted(dotnet.rglob("*")) if path.is_file()]
    native = [path for path in files if path.suffix == ".so" or path.name == "dotnet"]
    libraries = [path for path in loaded([shell, *native]) if not path.is_relative_to(dotnet)]
    entries: dict[str, Entry] = {
        "bin/sh": shell.read_bytes(),
        "etc/passwd": "root:x:0:0:root:/root:/bin/sh\n",
    }
    entries |= {str(path).lstrip("/"): File(path.read_bytes(), 0o755) for path in libraries}
    entries |= {f"var/lang/bin/{path.relative_to(dotnet)}": File(path.read_bytes(), 0o755) for path in files}
    entries |= {"var/runtime/bootstrap": BOOTSTRAP, "var/task": Directory(), "opt": Directory()}
    image = Image([tar_of(entries)], {"Entrypoint": ["/lambda-entrypoint.sh"]})
    return image.write_layout(tmp_path_factory.mktemp("images") / "dotnet")


def test_a_function_in_csharp(layout: Path, program: bytes, tmp_path: Path) -> None:
    server = Lambent.start(tmp_path / "data", "--runtime-image", f"{RUNTIME}=oci:{layout}:latest")
    try:
        code = {"Program.dll": program, "Program.runtimeconfig.json": json.dumps(CONFIG)}
        handler = "Program::Program::Main"
        name = server.deploy(code, Runtime=RUNTIME, Handler=handler, MemorySize=512, Timeout=30)
        result = server.invoke(name, {"a": 1})
        assert result.value == {"event": {"a": 1}, "version": "3.1.23", "handler": handler}
        assert 'handling {"a":1}' in result.tail.replace(": ", ":")
        assert server.invoke(name, "throw").error_object["errorType"] == "InvalidOperationException"
        assert server.call(name, 2)["event"] == 2
        ended = server.invoke(name, "exit").error_object
        assert ended["errorMessage"].endswith("Runtime exited with error: exit status 3")
        assert server.call(name, 3)["event"] == 3
    finally:
        server.stop()
    assert not server.leftovers()
