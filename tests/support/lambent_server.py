"""A Lambent server in a process of its own, and the little that every acceptance test does with it over boto3."""

import base64
import hashlib
import io
import itertools
import json
import os
import sys
import time
import uuid
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import boto3
from botocore.config import Config
from sandboxes import cgroups_of
from unprivileged import as_user

from lambent.cli.server_process import ServerProcess
from lambent.runtimes.registry import RuntimeRegistry

REGION = "us-east-1"
PYTHON = f"python3.{sys.version_info.minor}"
RUNTIMES = RuntimeRegistry(
    search_path=[Path(place) for place in os.environ["PATH"].split(os.pathsep)], home=Path.home()
).installed_identifiers()
NODE = os.environ.get("LAMBENT_TEST_NODE") or next(name for name in RUNTIMES if name.startswith("nodejs"))
"""The oldest of this host, which still takes callbacks where there is such a one."""
QUICK = ("--state-transition-seconds", "0.05", "--retry-base-seconds", "0.2", "--log-flush-seconds", "0.05")
"""Nothing that AWS takes its time for needs to take it here."""
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}

Code = Mapping[str, str | bytes]
"""File names to contents; names below `bin/` and `bootstrap` become executable."""
T = TypeVar("T")
_uid_ranges = itertools.count()


def zip_of(code: Code) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in code.items():
            entry = zipfile.ZipInfo(name)
            executable = name == "bootstrap" or name.startswith(("bin/", "extensions/"))
            entry.external_attr = (0o100755 if executable else 0o100644) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
    return packed.getvalue()


def eventually(check: Callable[[], T], *, seconds: float = 30.0) -> T:
    """The first true value of `check`; fails after the deadline with the last one."""
    deadline = time.monotonic() + seconds
    while not (value := check()):
        assert time.monotonic() < deadline, f"not within {seconds} s; last seen: {value!r}"
        time.sleep(0.02)
    return value


@dataclass(frozen=True)
class Result:
    """What one synchronous invocation answered."""

    response: dict[str, Any]
    payload: bytes

    @property
    def value(self) -> Any:
        """The handler's return value; the test fails if there was an error instead."""
        assert self.error is None, f"{self.error}: {self.payload.decode()}\n{self.tail}"
        return json.loads(self.payload)

    @property
    def error(self) -> str | None:
        return self.response.get("FunctionError")

    @property
    def error_object(self) -> dict[str, Any]:
        assert self.error == "Unhandled", f"no error, but {self.payload[:300]!r}"
        decoded = json.loads(self.payload)
        assert isinstance(decoded, dict)
        return decoded

    @property
    def request_id(self) -> str:
        return str(self.response["ResponseMetadata"]["RequestId"])

    @property
    def tail(self) -> str:
        return base64.b64decode(self.response.get("LogResult", "")).decode()

    @property
    def report(self) -> str:
        """The REPORT line of the tail."""
        lines = [line for line in self.tail.splitlines() if line.startswith("REPORT ")]
        assert len(lines) == 1, self.tail
        return lines[0]


@dataclass
class Lambent:
    """A running server as its users see it. `uid_first` begins the range of user ids that only its sandboxes have."""

    data_dir: Path
    arguments: tuple[str, ...]
    uid_first: int
    server: ServerProcess
    before: tuple[str, ...] = ()
    _names: Iterator[int] = field(default_factory=itertools.count)

    @classmethod
    def start(cls, data_dir: Path, *arguments: str, before: tuple[str, ...] = ()) -> "Lambent":
        # Apart from the ranges of other servers on this machine, so that leftovers can be told by their uid.
        uid_first = 1_500_000_000 + os.getpid() % 350 * 1_000_000 + next(_uid_ranges) * 1_000
        all_arguments = (*QUICK, "--uid-base", str(uid_first), "--uid-count", "1000", *arguments)
        server = ServerProcess.start(data_dir, 0, *all_arguments, before=before)
        return cls(data_dir, all_arguments, uid_first, server, before)

    @classmethod
    def start_as_user(cls, data_dir: Path, *arguments: str, subordinate: bool) -> "Lambent":
        """By a user without privileges, who has ids in /etc/subuid where `subordinate`."""
        uid = 1_400_000_000 + os.getpid() % 350 * 200_000 + next(_uid_ranges) * 70_000 % 200_000
        # Above a test's own directory there are some that only root may enter.
        data_dir.mkdir()
        os.chown(data_dir, uid, uid)
        first = uid + 1 if subordinate else uid
        before = tuple(as_user(uid, subordinate=first if subordinate else 0))
        all_arguments = (*QUICK, *arguments)
        server = ServerProcess.start(data_dir, 0, *all_arguments, before=before)
        return cls(data_dir, all_arguments, first, server, before)

    def kill(self) -> None:
        """SIGKILL: nothing of it runs another instruction."""
        self.server.process.kill()
        self.server.process.wait()

    def stop(self) -> int:
        self.server.stop()
        return self.server.process.wait()

    def start_again(self) -> None:
        """On the same data, at another port."""
        self.server = ServerProcess.start(self.data_dir, 0, *self.arguments, before=self.before)
        for name in ("lambda_", "iam", "logs", "sts"):
            self.__dict__.pop(name, None)

    @property
    def endpoint(self) -> str:
        return self.server.endpoint

    @property
    def log(self) -> str:
        return (self.data_dir / "server.log").read_text(errors="replace")

    def client(self, service: str, *, region: str = REGION, **settings: Any) -> Any:
        keys = {
            "aws_access_key_id": self.server.access_key_id,
            "aws_secret_access_key": self.server.secret_access_key,
        }
        config = Config(
            retries={"total_max_attempts": 1}, max_pool_connections=64, read_timeout=60, connect_timeout=10
        )
        config = config.merge(settings.pop("config", Config()))
        return boto3.client(  # type: ignore[call-overload]
            service, endpoint_url=self.endpoint, region_name=region, config=config, **(keys | settings)
        )

    @cached_property
    def lambda_(self) -> Any:
        return self.client("lambda")

    @cached_property
    def iam(self) -> Any:
        return self.client("iam")

    @cached_property
    def logs(self) -> Any:
        return self.client("logs")

    @cached_property
    def sts(self) -> Any:
        return self.client("sts")

    @cached_property
    def account_id(self) -> str:
        return str(self.sts.get_caller_identity()["Account"])

    @cached_property
    def role(self) -> str:
        """A role that functions may have, and that may do nothing."""
        return self.make_role("plain")

    def make_role(self, name: str, trust: Mapping[str, Any] = TRUST) -> str:
        try:
            made = self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))
        except self.iam.exceptions.EntityAlreadyExistsException:
            made = self.iam.get_role(RoleName=name)
        return str(made["Role"]["Arn"])

    def new_name(self, prefix: str = "f") -> str:
        return f"{prefix}-{next(self._names)}-{uuid.uuid4().hex[:6]}"

    def python(self, source: str, **settings: Any) -> str:
        """Deploys `source` as index.py, whose `handler` is called. Returns the function's name."""
        return self.deploy({"index.py": source}, Runtime=PYTHON, **settings)

    def node(self, source: str, **settings: Any) -> str:
        """Deploys `source` as index.mjs, or as index.js where it says `exports`."""
        name = "index.js" if "exports." in source else "index.mjs"
        return self.deploy({name: source}, Runtime=NODE, **settings)

    def deploy(self, code: Code | bytes, **settings: Any) -> str:
        name = settings.pop("FunctionName", None) or self.new_name()
        packed = code if isinstance(code, bytes) else zip_of(code)
        settings = {
            "Runtime": PYTHON,
            "Handler": "index.handler",
            "Role": self.role,
            "Timeout": 10,
        } | settings
        self.lambda_.create_function(FunctionName=name, Code={"ZipFile": packed}, **settings)
        self.wait_active(name)
        return str(name)

    def wait_active(self, name: str, qualifier: str = "$LATEST") -> dict[str, Any]:
        def settled() -> dict[str, Any] | None:
            found = self.lambda_.get_function_configuration(FunctionName=name, Qualifier=qualifier)
            pending = found["State"] == "Pending" or found.get("LastUpdateStatus") == "InProgress"
            return None if pending else found

        found = eventually(settled)
        assert found["State"] == "Active", found
        return found

    def update_configuration(self, name: str) -> None:
        """Has the next invocation begin in a new environment."""
        self.lambda_.update_function_configuration(FunctionName=name, Description=self.new_name("version"))
        self.wait_active(name)

    def update_code(self, name: str, code: Code) -> None:
        self.lambda_.update_function_code(FunctionName=name, ZipFile=zip_of(code))
        self.wait_active(name)

    def invoke(self, name: str, event: Any = None, **parameters: Any) -> Result:
        payload = event if isinstance(event, bytes) else json.dumps(event).encode()
        parameters = {"FunctionName": name, "Payload": payload, "LogType": "Tail"} | parameters
        response = self.lambda_.invoke(**parameters)
        return Result(response, response["Payload"].read())

    def call(self, name: str, event: Any = None, **parameters: Any) -> Any:
        """The return value of one invocation."""
        return self.invoke(name, event, **parameters).value

    def log_lines(self, group: str, **parameters: Any) -> list[str]:
        """Every message in a log group, in order; none where there is no such group yet."""
        try:
            pages = self.logs.get_paginator("filter_log_events").paginate(logGroupName=group, **parameters)
            return [event["message"] for page in pages for event in page["events"]]
        except self.logs.exceptions.ResourceNotFoundException:
            return []

    def leftovers(self) -> list[str]:
        """Whatever of this server's environments the kernel still has. Meaningful when the server has ended."""
        found = []
        for status in Path("/proc").glob("[0-9]*/status"):
            fields = dict(line.split(":", 1) for line in _read(status).splitlines() if ":" in line)
            dead = "Z" in fields.get("State", "Z")  # killed with its parent; init reaps it
            if not dead and self.uid_first <= int(fields["Uid"].split()[0]) < self.uid_first + 1000:
                found.append(f"process {status.parent.name} {fields.get('Name', '').strip()}")
        for stat in Path("/proc").glob("[0-9]*/stat"):
            state, _, _, session = _read(stat).rpartition(")")[2].split()[:4] or "Z000"
            if state != "Z" and session == str(self.server.pid):  # the server began a session
                found.append(f"process {stat.parent.name} {_read(stat.with_name('cmdline'))}")
        instance = hashlib.sha256(str(self.data_dir / "sandboxes").encode()).hexdigest()[:12]
        found += [f"cgroup {directory}" for directory in cgroups_of(instance)]
        for backing in Path("/sys/block").glob("loop*/loop/backing_file"):
            if str(self.data_dir) in _read(backing):
                found.append(f"loop device {backing.parent.parent.name}")
        found += [
            line for line in _read(Path("/proc/self/mounts")).splitlines() if str(self.data_dir) in line
        ]
        return found


def _read(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""
