"""A server of this checkout in a process of its own, and hello functions deployed to it with boto3."""

import io
import json
import tempfile
import time
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3

from benchmarks.requests import REGION, Target
from lambent.cli.server_process import ServerProcess

PYTHON_HELLO = {"app.py": b'def handler(event, context):\n    return {"hello": event["name"]}\n'}
NODE_HELLO = {"app.js": b"exports.handler = async (event) => ({hello: event.name});\n"}
ROLE = "benchmark"
"""Of every function here."""
_TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}


class Deployment:
    def __init__(self, server: ServerProcess, data_dir: Path) -> None:
        self.server = server
        self.data_dir = data_dir
        self._session = boto3.Session(server.access_key_id, server.secret_access_key, region_name=REGION)
        self.functions = self.client("lambda")
        self._logs = self.client("logs")
        role = self.client("iam").create_role(RoleName=ROLE, AssumeRolePolicyDocument=json.dumps(_TRUST))
        self._role = role["Role"]["Arn"]

    def client(self, service: str) -> Any:
        """A boto3 client, as the root of the account."""
        return self._session.client(service, endpoint_url=self.server.endpoint)  # type: ignore[call-overload]

    def create(
        self, name: str, files: Mapping[str, bytes], runtime: str, *, memory_mb: int = 1769, **settings: Any
    ) -> Target:
        """Deploys a function, and returns when it can be invoked."""
        self.functions.create_function(
            FunctionName=name,
            Runtime=runtime,
            Handler="app.handler",
            Role=self._role,
            Code={"ZipFile": zip_of(files)},
            MemorySize=memory_mb,
            **settings,
        )
        self.functions.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
        return self.target(name)

    def wait_updated(self, name: str) -> None:
        """Asks more often than boto3's waiter does."""
        while (
            self.functions.get_function_configuration(FunctionName=name)["LastUpdateStatus"] == "InProgress"
        ):
            time.sleep(0.02)

    def count_log_streams(self, name: str) -> int:
        """How many environments have run this function: each has a log stream of its own."""
        pages = self._logs.get_paginator("describe_log_streams").paginate(logGroupName=f"/aws/lambda/{name}")
        return sum(len(page["logStreams"]) for page in pages)

    def target(self, name: str) -> Target:
        server = self.server
        return Target(
            endpoint=server.endpoint,
            function=name,
            access_key_id=server.access_key_id,
            secret_access_key=server.secret_access_key,
        )


@contextmanager
def deployment(*arguments: str) -> Iterator[Deployment]:
    """`arguments` go to `lambent start`."""
    with tempfile.TemporaryDirectory(prefix="lambent-benchmark-") as directory:
        data_dir = Path(directory) / "data"
        server = ServerProcess.start(data_dir, 0, "--state-transition-seconds", "0", *arguments)
        try:
            yield Deployment(server, data_dir)
        finally:
            server.stop()


def zip_of(files: Mapping[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in sorted(files.items()):
            entry = zipfile.ZipInfo(name)
            entry.external_attr = (0o755 if name == "bootstrap" else 0o644) << 16
            archive.writestr(entry, content)
    return packed.getvalue()
