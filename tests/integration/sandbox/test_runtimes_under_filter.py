"""The language runtimes that functions use start, thread and exit under the system call filter."""
# The loop may wait for files: a test is alone on it.
# ruff: noqa: ASYNC230, ASYNC240, PTH123

import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from sandboxes import ROOT, Workbench, needs_root

from lambent.sandbox.port import Bind, Exit, Process

pytestmark = needs_root

NODE = """
const { Worker } = require('worker_threads'), fs = require('fs'), os = require('os')
require('child_process').execFileSync('/usr/bin/true')
fs.promises.writeFile('/tmp/x', 'x').then(() => new Worker('process.exit(0)', { eval: true }))
os.networkInterfaces(); require('dns').lookup('localhost', () => console.log('ok'))
"""
PYTHON = """
import subprocess, threading, socket, tempfile, os
threading.Thread(target=lambda: subprocess.run(["/usr/bin/true"], check=True)).start()
socket.getaddrinfo("127.0.0.1", 80); socket.if_nameindex(); socket.socketpair()
tempfile.NamedTemporaryFile().write(b"x"); os.urandom(8); os.getrandom(8); os.cpu_count()
print("ok")
"""
JAVA = "public class Main { public static void main(String[] a) throws Exception { " + (
    "Thread t = new Thread(() -> {}); t.start(); t.join(); java.net.NetworkInterface.getNetworkInterfaces(); "
    'System.out.println("ok"); } }'
)


async def output_of(bench: Workbench, argv: tuple[str, ...], binds: tuple[Bind, ...] = ()) -> str:
    read, write = os.pipe()
    sandbox = await bench.blank()
    await sandbox.attach(binds)
    await sandbox.seal()
    await sandbox.start(Process(argv=argv, variables={"HOME": "/tmp"}, files={1: write, 2: write}))
    os.close(write)
    ended = await sandbox.exited
    with open(read) as file:
        output = file.read()
    await sandbox.destroy()
    assert ended == Exit(code=0), output
    return output


async def test_python_runs(bench: Workbench) -> None:
    assert await output_of(bench, ("/usr/bin/python3.11", "-c", PYTHON)) == "ok\n"


async def test_node_runs(bench: Workbench) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("no Node.js here")
    prefix = Path(node).resolve().parents[1]
    binds = (Bind(prefix, "/opt"),)
    assert await output_of(bench, ("/opt/bin/node", "-e", NODE), binds) == "ok\n"


async def test_java_runs(bench: Workbench, tmp_path: Path) -> None:
    java = shutil.which("java")
    if java is None:
        pytest.skip("no Java here")
    # Debian's keeps its configuration in /etc.
    etc = tuple(Bind(directory, str(directory)) for directory in Path("/etc").glob("java-*"))
    bench.spec = replace(bench.spec, root=replace(ROOT, binds=ROOT.binds + etc))
    tmp_path.chmod(0o755)
    (tmp_path / "Main.java").write_text(JAVA)
    home = Path(java).resolve().parents[1]
    source, configuration = Bind(tmp_path, "/var/task"), Bind(home, "/opt")
    argv = ("/opt/bin/java", "-Xshare:auto", "/var/task/Main.java")
    assert (await output_of(bench, argv, (source, configuration))).endswith("ok\n")


async def test_go_programs_run(bench: Workbench) -> None:
    go = shutil.which("go") or "/usr/local/go/bin/go"
    if not Path(go).exists():
        pytest.skip("no Go here")
    binds = (Bind(Path(go).resolve().parents[1], "/opt"),)
    assert "go version" in await output_of(bench, ("/opt/bin/go", "version"), binds)
