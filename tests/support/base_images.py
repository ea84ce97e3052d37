"""An image laid out as AWS's base images for Python, made of the host's interpreter and AWS's own client from pip."""

import platform
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest
from images import Directory, Entry, File, Image, Link, loaded, tar_of

HOST_PYTHON = Path("/usr/bin/python3")
_LEFT_OUT = (
    "__pycache__",
    "config-",
    "dist-",
    "ensurepip",
    "idlelib",
    "lib2to3",
    "pydoc",
    "site-",
    "test",
    "tkinter",
)
_BOOTSTRAP = """#!/bin/sh
export AWS_EXECUTION_ENV=AWS_Lambda_of_the_image PYTHONPATH="${PYTHONPATH:-/var/runtime}"
set -- /var/lang/bin/python3 -m awslambdaric "$_HANDLER"
if [ -n "$AWS_LAMBDA_EXEC_WRAPPER" ]; then
    if [ ! -f "$AWS_LAMBDA_EXEC_WRAPPER" ]; then
        echo "$AWS_LAMBDA_EXEC_WRAPPER: does not exist"
        exit 127
    fi
    set -- "$AWS_LAMBDA_EXEC_WRAPPER" "$@"
fi
exec "$@"
"""
"""What AWS's does, in other words."""
_ENTRY_POINT = '#!/bin/sh\nexport _HANDLER="$1"\nexec /var/runtime/bootstrap\n'


def fetch_client(target: Path) -> dict[str, bytes]:
    """The files of awslambdaric, for the host's Python. Skips the test where pip cannot have it."""
    if not HOST_PYTHON.exists():
        pytest.skip("there is no /usr/bin/python3 for AWS's client to run on")
    asked = "import sys; print('%d.%d' % sys.version_info[:2])"
    version = _asked(asked).strip()
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    chosen = ["--only-binary=:all:", "--python-version", version, "--target", str(target)]
    chosen += ["--platform", f"manylinux2014_{platform.machine()}", "--implementation", "cp"]
    installed = subprocess.run(
        [*install, *chosen, "awslambdaric"], capture_output=True, text=True, timeout=120, check=False
    )
    if installed.returncode != 0:
        pytest.skip(f"pip cannot fetch awslambdaric: {installed.stderr.strip().splitlines()[-1:]}")
    return {str(file.relative_to(target)): file.read_bytes() for file in target.rglob("*") if file.is_file()}


def python_userland(native: Iterable[Path], *, at: str) -> dict[str, Entry]:
    """The host's Python, which is found at the path `at`, too, and all that it and `native` load."""
    asked = "import os, sys; print(os.path.realpath(sys.executable)); print(os.path.dirname(os.__file__))"
    python, library = map(Path, _asked(asked).splitlines())
    modules = [
        path
        for path in sorted(library.rglob("*"))
        if path.is_file() and not any(part.startswith(_LEFT_OUT) for part in path.relative_to(library).parts)
    ]
    programs = [python, *(path for path in modules if path.suffix == ".so"), *native]
    files = {python, *modules, *loaded(programs)}
    userland: dict[str, Entry] = {
        str(path).lstrip("/"): File(path.read_bytes(), 0o755) for path in sorted(files)
    }
    userland[at.lstrip("/")] = Link(str(python))
    return userland


def base_image(target: Path, more: Mapping[str, Entry] | None = None) -> Image:
    """`target` is an empty directory for pip."""
    client = fetch_client(target)
    shell = Path("/bin/sh").resolve()
    native = [target / name for name in client if ".so" in name]
    userland = python_userland([*native, shell], at="/var/lang/bin/python3")
    userland |= {"bin/sh": shell.read_bytes(), "etc/passwd": "root:x:0:0:root:/root:/bin/sh\n"}
    runtime: dict[str, Entry] = {
        **{f"var/runtime/{name}": File(content) for name, content in client.items()},
        "var/runtime/bootstrap": _BOOTSTRAP.encode(),
        "lambda-entrypoint.sh": _ENTRY_POINT.encode(),
        "var/task": Directory(),
        "var/task/inside.py": "def handler(event, context):\n    return 'inside'\n",
        "opt": Directory(),
        "etc/image": "a base image\n",
        **(more or {}),
    }
    config = {
        "Entrypoint": ["/lambda-entrypoint.sh"],
        "WorkingDir": "/var/task",
        "Env": [
            "PATH=/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin",
            "LANG=en_US.UTF-8",
            "TZ=:/etc/localtime",
            "OF_THE_IMAGE=yes",
        ],
    }
    return Image([tar_of(userland), tar_of(runtime)], config)


def _asked(question: str) -> str:
    return subprocess.run(
        [str(HOST_PYTHON), "-c", question], capture_output=True, text=True, check=True
    ).stdout
