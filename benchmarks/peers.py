"""What else invokes functions on one's own machine: installed by pip and npm into a cache, started on loopback.

None is part of Lambent or comes with it. serverless-offline 13 is the last for Serverless Framework 3, the last
that asks for no account.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import boto3
import botocore.exceptions

from benchmarks.deployment import NODE_HELLO, PYTHON_HELLO, zip_of
from benchmarks.requests import REGION, KeptConnection, Target

_READY_SECONDS = 60.0
_END_SECONDS = 10.0
_PYTHON = f"python{sys.version_info.major}.{sys.version_info.minor}"


class PeerMissingError(Exception):
    """The peer cannot be installed or does not start here; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Peers:
    """`directory` is where they are installed, `work` where they may leave files while they run."""

    directory: Path
    work: Path

    @contextmanager
    def serverless_offline(self) -> Iterator[dict[str, Target]]:
        """Its Python worker and its Node worker, behind one endpoint."""
        self._npm_install("serverless@3", "serverless-offline@13")
        project = self.work / "serverless"
        project.mkdir()
        for name, content in {"app.py": PYTHON_HELLO["app.py"], "app_node.js": NODE_HELLO["app.js"]}.items():
            (project / name).write_bytes(content)
        (project / "serverless.yml").write_text(_SERVERLESS_YML.format(python=_PYTHON))
        (project / "node_modules").symlink_to(self.directory / "node_modules")
        lambda_port, *others = _free_ports(4)
        flags = ("--httpPort", "--albPort", "--websocketPort")
        ports = [part for flag, port in zip(flags, others, strict=True) for part in (flag, str(port))]
        command = ["node", "node_modules/serverless/bin/serverless.js", "offline", "start"]
        arguments = ["--host", "127.0.0.1", "--lambdaPort", str(lambda_port), *ports]
        variables = {"SLS_TELEMETRY_DISABLED": "1", "SLS_NOTIFICATIONS_MODE": "off"}
        endpoint = f"http://127.0.0.1:{lambda_port}"
        targets = {
            f"serverless-offline {worker}": Target(endpoint=endpoint, function=f"bench-dev-{worker}")
            for worker in ("python", "node")
        }
        with _running([*command, *arguments], project, variables):
            for target in targets.values():
                _wait_until_it_answers(target)
            yield targets

    @contextmanager
    def runtime_emulator(self) -> Iterator[dict[str, Target]]:
        """AWS's runtime interface emulator, as aws-sam-cli ships it, with awslambdaric."""
        python = self._pip_install("sam", "aws-sam-cli", "awslambdaric")
        machine = "arm64" if os.uname().machine == "aarch64" else "x86_64"
        found = list(
            (self.directory / "sam").glob(f"lib/*/site-packages/samcli/local/rapid/aws-lambda-rie-{machine}")
        )
        if not found:
            raise PeerMissingError("aws-sam-cli has no runtime interface emulator for this machine")
        project = self.work / "emulator"
        project.mkdir()
        (project / "app.py").write_bytes(PYTHON_HELLO["app.py"])
        port, api_port = _free_ports(2)
        command = [
            *(str(found[0]), "--log-level", "error"),
            *("--runtime-interface-emulator-address", f"127.0.0.1:{port}"),
            *("--runtime-api-address", f"127.0.0.1:{api_port}"),
            *(str(python), "-m", "awslambdaric", "app.handler"),
        ]
        target = Target(endpoint=f"http://127.0.0.1:{port}", function="function")
        with _running(command, project, {"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1769"}):
            _wait_until_it_answers(target)
            yield {"runtime emulator": target}

    @contextmanager
    def ministack(self) -> Iterator[dict[str, Target]]:
        self._pip_install("mini", "ministack")
        project = self.work / "ministack"
        project.mkdir()
        [port] = _free_ports(1)
        variables = {"GATEWAY_PORT": str(port), "BIND_HOST": "127.0.0.1", "LOG_LEVEL": "ERROR"}
        target = Target(endpoint=f"http://127.0.0.1:{port}", function="hello")
        with _running([str(self.directory / "mini/bin/ministack")], project, variables):
            _wait_until(lambda: _create_on_ministack(target.endpoint), "MiniStack")
            _wait_until_it_answers(target)
            yield {"MiniStack": target}

    def awslambdaric_files(self) -> dict[str, bytes]:
        """AWS's own runtime client for Python and the hello function, as a custom runtime."""
        place = self.directory / f"awslambdaric-{_PYTHON}"
        if not place.exists():
            self._run(
                [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(place), "awslambdaric"]
            )
        files = {
            str(path.relative_to(place)): path.read_bytes() for path in place.rglob("*") if _is_code(path)
        }
        bootstrap = f"#!/bin/sh\nexec /usr/bin/{_PYTHON} -m awslambdaric app.handler\n"
        return {**files, **PYTHON_HELLO, "bootstrap": bootstrap.encode()}

    def _pip_install(self, name: str, *packages: str) -> Path:
        """The interpreter of a virtual environment with these packages."""
        python = self.directory / name / "bin/python"
        if not (self.directory / name / ".installed").exists():
            if not python.exists():
                self._run([sys.executable, "-m", "venv", str(self.directory / name)])
            self._run(
                [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages]
            )
            (self.directory / name / ".installed").touch()
        return python

    def _npm_install(self, *packages: str) -> None:
        if shutil.which("node") is None or shutil.which("npm") is None:
            raise PeerMissingError("it needs node and npm: apt-get install nodejs npm")
        if not (self.directory / "node_modules/serverless-offline").exists():
            self._run(
                ["npm", "install", "--legacy-peer-deps", "--no-audit", "--no-fund", "--silent", *packages]
            )

    def _run(self, command: list[str]) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        print("installing:", *command, file=sys.stderr, flush=True)
        ran = subprocess.run(command, cwd=self.directory, capture_output=True, text=True, check=False)
        if ran.returncode:
            raise PeerMissingError(f"not installed: `{' '.join(command)}` said: {ran.stderr.strip()[-300:]}")


_SERVERLESS_YML = """\
service: bench
frameworkVersion: "3"
provider: {{name: aws, runtime: {python}, memorySize: 1769}}
plugins: [serverless-offline]
functions:
  python: {{handler: app.handler, runtime: {python}}}
  node: {{handler: app_node.handler, runtime: nodejs20.x}}
"""


@contextmanager
def _running(command: list[str], directory: Path, variables: dict[str, str]) -> Iterator[None]:
    """A process group, ended as a whole: its workers are none of our children."""
    with (directory / "output.log").open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=directory,
            env={**os.environ, **variables},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        yield
    except PeerMissingError as error:
        said = (directory / "output.log").read_text(errors="replace").strip()[-500:]
        raise PeerMissingError(f"{error}; it said: {said}") from error
    finally:
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(process.pid, number)
                process.wait(_END_SECONDS)
            except (ProcessLookupError, subprocess.TimeoutExpired):
                continue


def _wait_until_it_answers(target: Target) -> None:
    _wait_until(lambda: KeptConnection(target).send(target.signed_request()), target.function)


def _wait_until(attempt: Callable[[], object], name: str) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while True:
        try:
            attempt()
            return
        except (OSError, botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError) as error:
            if time.monotonic() > deadline:
                raise PeerMissingError(f"{name} does not answer: {error}") from error
            time.sleep(0.2)


def _create_on_ministack(endpoint: str) -> None:
    session = boto3.Session("test", "test", region_name=REGION)
    client = session.client("lambda", endpoint_url=endpoint)
    role = "arn:aws:iam::000000000000:role/benchmark"
    client.create_function(
        FunctionName="hello",
        Runtime=_PYTHON,
        Handler="app.handler",
        Role=role,
        Code={"ZipFile": zip_of(PYTHON_HELLO)},
        MemorySize=1769,
    )


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def _is_code(path: Path) -> bool:
    return path.is_file() and "__pycache__" not in path.parts and ".dist-info" not in str(path)
