"""Durable functions that are written with AWS's own SDK for Python, unmodified, and what tests ask about them."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from lambent_server import Lambent, eventually

_PACKAGE = "aws_durable_execution_sdk_python"
_DISTRIBUTION = "aws-durable-execution-sdk-python==3.0.0"
POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": [
                "lambda:CheckpointDurableExecution",
                "lambda:GetDurableExecutionState",
                "lambda:InvokeFunction",
            ],
            "Resource": "*",
        }
    ],
}
_IMPORTS = """\
import os, time
from aws_durable_execution_sdk_python import *
from aws_durable_execution_sdk_python.config import *
from aws_durable_execution_sdk_python.retries import *
"""


def fetch_sdk(target: Path) -> dict[str, bytes]:
    """The files of the SDK: as it is installed here, or from pip."""
    found = importlib.util.find_spec(_PACKAGE)
    if found is not None and found.origin is not None:
        directory = Path(found.origin).parent
    else:
        install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(target)]
        done = subprocess.run(
            [*install, _DISTRIBUTION], capture_output=True, text=True, timeout=120, check=False
        )
        if done.returncode != 0:
            pytest.skip(
                f"pip cannot fetch the durable execution SDK: {done.stderr.strip().splitlines()[-1:]}"
            )
        directory = target / _PACKAGE
    return {
        f"{_PACKAGE}/{path.relative_to(directory)}": path.read_bytes() for path in directory.rglob("*.py")
    }


class DurableFunctions:
    def __init__(self, lambent: Lambent, sdk: dict[str, bytes]) -> None:
        self.lambent = lambent
        self.client = lambent.lambda_
        self._sdk = sdk
        self.role = lambent.make_role("durable")
        lambent.iam.put_role_policy(
            RoleName="durable", PolicyName="durable", PolicyDocument=json.dumps(POLICY)
        )

    def deploy(self, source: str, *, seconds: int = 60, **settings: Any) -> str:
        """The body of a module whose `handler` is a durable execution. Returns the name of the function."""
        settings = {
            "DurableConfig": {"ExecutionTimeout": seconds, "RetentionPeriodInDays": 1},
            "Role": self.role,
            "MemorySize": 512,
        } | settings
        return self.lambent.deploy({"index.py": _IMPORTS + source, **self._sdk}, **settings)

    def run(self, name: str, event: Any = None, **settings: Any) -> tuple[dict[str, Any], Any]:
        """A synchronous invocation: the execution as it is afterwards, and what was answered."""
        answer = self.client.invoke(
            FunctionName=name, Payload=json.dumps(event), **{"Qualifier": "$LATEST"} | settings
        )
        return self.get(answer["DurableExecutionArn"]), json.loads(answer["Payload"].read())

    def start(self, name: str, event: Any = None, **settings: Any) -> str:
        """An asynchronous one: the ARN of its execution."""
        answer = self.client.invoke(
            FunctionName=name,
            Payload=json.dumps(event),
            InvocationType="Event",
            **{"Qualifier": "$LATEST"} | settings,
        )
        assert answer["StatusCode"] == 202
        return str(answer["DurableExecutionArn"])

    def get(self, arn: str) -> dict[str, Any]:
        found: dict[str, Any] = self.client.get_durable_execution(DurableExecutionArn=arn)
        return found

    def ended(self, arn: str) -> dict[str, Any]:
        """Waits for the end."""
        return eventually(lambda: self.get(arn) if "EndTimestamp" in self.get(arn) else None, seconds=20)

    def history(self, arn: str, **settings: Any) -> list[dict[str, Any]]:
        pages = self.client.get_paginator("get_durable_execution_history")
        return [
            event for page in pages.paginate(DurableExecutionArn=arn, **settings) for event in page["Events"]
        ]

    def events(self, arn: str) -> list[str]:
        return [event["EventType"] for event in self.history(arn)]

    def event(self, arn: str, event_type: str) -> dict[str, Any]:
        """Waits for the first of this type. Returns its details."""

        def find() -> list[dict[str, Any]]:
            return [event for event in self.history(arn) if event["EventType"] == event_type]

        found: dict[str, Any] = eventually(find)[0][f"{event_type}Details"]
        return found
