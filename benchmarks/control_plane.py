"""The control plane of an account with 10,000 functions of 20 versions each: how long calls take, and a start.

Run: python benchmarks/control_plane.py [--functions 10000] [--versions 20] [--calls 60]

The rows are written into the database of a server that is down, made of those of one function that was deployed. Each
call is signed beforehand and timed from its first byte sent to its last byte received, on a connection that is kept.
Beside it stands the CPU time that the server took for one, which neighbours on the same machine change less.

Two floors: a call that finds nothing (GetFunction of a name that is not there), and for calls that write, one commit of
a bare SQLite database that is synced as ours is, in the same directory.
"""

import argparse
import base64
import http.client
import io
import json
import os
import sqlite3
import statistics
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from benchmarks.cpu import cpu_seconds
from benchmarks.requests import REGION
from lambent.cli.server_process import ServerProcess

CALL_MS_MOST = 5.0
START_SECONDS_MOST = 2.0
_TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}
_TEMPLATE = "template"


class Account:
    """One server's, asked over one kept connection."""

    def __init__(self, server: ServerProcess) -> None:
        self._keys = Credentials(server.access_key_id, server.secret_access_key)
        self._endpoint = server.endpoint
        self._connection = http.client.HTTPConnection(server.endpoint.removeprefix("http://"))
        self.pid = server.pid

    def client(self, service: str) -> Any:
        session = boto3.Session(self._keys.access_key, self._keys.secret_key, region_name=REGION)
        return session.client(service, endpoint_url=self._endpoint)

    def call(self, method: str, path: str, body: Any = None) -> tuple[float, Any]:
        """Milliseconds, and what was answered."""
        data = b"" if body is None else json.dumps(body).encode()
        request = AWSRequest(method, self._endpoint + path, data=data)
        SigV4Auth(self._keys, "lambda", REGION).add_auth(request)
        headers = {str(name): str(value) for name, value in request.headers.items()}
        began = time.perf_counter()
        self._connection.request(method, path, body=data, headers=headers)
        answer = self._connection.getresponse().read()
        return (time.perf_counter() - began) * 1000, json.loads(answer or b"{}")


def deploy_template(account: Account) -> str:
    """Deploys a function and publishes a version of it. Returns the role."""
    role = account.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument=json.dumps(_TRUST))
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("app.py", "def handler(event, context): return event")
    client = account.client("lambda")
    client.create_function(
        FunctionName=_TEMPLATE,
        Runtime=f"python3.{sys.version_info.minor}",
        Handler="app.handler",
        Role=role["Role"]["Arn"],
        Code={"ZipFile": packed.getvalue()},
        Environment={"Variables": {f"KEY_{number}": "v" * 30 for number in range(10)}},
    )
    client.get_waiter("function_active_v2").wait(FunctionName=_TEMPLATE, WaiterConfig={"Delay": 1})
    client.publish_version(FunctionName=_TEMPLATE)
    return str(role["Role"]["Arn"])


def fill(path: Path, functions: int, versions: int) -> None:
    """Writes copies of the template's rows, as the server would have written them."""
    database = sqlite3.connect(path)
    row = database.execute(
        "SELECT account_id, region, code_bytes, document FROM functions WHERE name = ?", (_TEMPLATE,)
    ).fetchone()
    (version,) = database.execute("SELECT document FROM function_versions").fetchone()
    account_id, region, code_bytes, document = row
    digest = json.loads(document)["latest"]["code"]["digest"]
    names = [f"function-{number:06}" for number in range(functions)]

    def renamed(text: str, name: str) -> str:
        return text.replace(f'"name":"{_TEMPLATE}"', f'"name":"{name}"')

    def version_rows() -> Iterator[tuple[Any, ...]]:
        for name in names:
            for number in range(1, versions + 1):
                text = renamed(version, name).replace('"version":"1"', f'"version":"{number}"')
                yield account_id, region, name, number, code_bytes, 1, text

    with database:
        database.executemany(
            "INSERT INTO functions (account_id, region, name, revision_id, code_bytes, settled, document) "
            "VALUES (?, ?, ?, ?, ?, 1, ?)",
            (
                (account_id, region, name, json.loads(document)["latest"]["revision_id"], code_bytes, text)
                for name in names
                for text in [renamed(document, name)]
            ),
        )
        database.executemany("INSERT INTO function_versions VALUES (?, ?, ?, ?, ?, ?, ?)", version_rows())
        database.executemany(
            "INSERT INTO function_code_uses VALUES (?, ?, ?, ?, ?)",
            ((digest, account_id, region, name, number) for name in names for number in range(versions + 1)),
        )
    database.close()


def pages(account: Account, path: str, member: str) -> Iterator[tuple[float, int]]:
    """Milliseconds and entries of each page, to the end."""
    marker = ""
    while True:
        took, answer = account.call("GET", f"{path}&Marker={quote(marker)}" if marker else path)
        yield took, len(answer[member])
        marker = answer.get("NextMarker", "")
        if not marker:
            return


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Of one call: the median of the times, the mean of the server's CPU time."""

    milliseconds: float
    cpu_milliseconds: float


def measure(account: Account, role: str, functions: int, calls: int) -> dict[str, Cost]:
    spread = [f"function-{number * functions // calls:06}" for number in range(calls)]
    base = "/2015-03-31/functions"
    packed = account.call("GET", f"{base}/{spread[0]}")[1]["Configuration"]
    new = {"Runtime": packed["Runtime"], "Handler": "app.handler", "Role": role, "Code": {"ZipFile": _zip()}}

    def cost(requests: list[tuple[str, str, Any]]) -> Cost:
        cpu = cpu_seconds(account.pid)
        times = [account.call(*request)[0] for request in requests]
        spent = (cpu_seconds(account.pid) - cpu) * 1000 / len(times)
        return Cost(milliseconds=statistics.median(times), cpu_milliseconds=spent)

    cpu = cpu_seconds(account.pid)
    listed = [took for took, _ in pages(account, f"{base}/?MaxItems=50", "Functions")]
    page_cpu = (cpu_seconds(account.pid) - cpu) * 1000 / len(listed)
    tenth = max(1, len(listed) // 10)
    found = {
        "nothing found (floor)": cost([("GET", f"{base}/none-{number}", None) for number in range(calls)]),
        "GetFunction": cost([("GET", f"{base}/{name}", None) for name in spread]),
        "GetFunctionConfiguration": cost([("GET", f"{base}/{name}/configuration", None) for name in spread]),
        "ListVersionsByFunction": cost([("GET", f"{base}/{name}/versions", None) for name in spread]),
        "UpdateFunctionConfiguration": cost(
            [("PUT", f"{base}/{name}/configuration", {"Timeout": 9}) for name in spread]
        ),
        "CreateFunction": cost(
            [("POST", base, new | {"FunctionName": f"new-{number}"}) for number in range(calls)]
        ),
        "GetAccountSettings": cost([("GET", "/2016-08-19/account-settings", None)] * calls),
    }
    for name, some in (("first", listed[:tenth]), ("last", listed[-tenth:])):
        found[f"ListFunctions, {name} tenth of the pages"] = Cost(
            milliseconds=statistics.median(some), cpu_milliseconds=page_cpu
        )
    return found


def commit_floor(path: Path, commits: int) -> float:
    """Milliseconds of the median commit of one row of about the size of a function's, by sqlite3 alone."""
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = FULL")
    database.execute("CREATE TABLE rows (number INTEGER PRIMARY KEY, document TEXT)")
    times = []
    for number in range(commits):
        began = time.perf_counter()
        database.execute("INSERT INTO rows VALUES (?, ?)", (number, "x" * 1500))
        times.append((time.perf_counter() - began) * 1000)
    database.close()
    return statistics.median(times)


def _zip() -> str:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("app.py", "def handler(event, context): return 1")
    return base64.b64encode(packed.getvalue()).decode()


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--functions", type=int, default=10_000)
    parser.add_argument("--versions", type=int, default=20)
    parser.add_argument("--calls", type=int, default=60)
    options = parser.parse_args()
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # what is installed has its bytecode
    with tempfile.TemporaryDirectory() as directory:
        data_dir = Path(directory)
        server = ServerProcess.start(data_dir, 0)
        role = deploy_template(Account(server))
        server.stop()
        server.process.wait()
        began = time.perf_counter()
        fill(data_dir / "lambent.db", options.functions, options.versions)
        print(f"filled in {time.perf_counter() - began:.1f} s")
        began = time.perf_counter()
        server = ServerProcess.start(data_dir, 0)
        start_seconds = time.perf_counter() - began
        try:
            start_cpu_seconds = cpu_seconds(server.pid)
            before = commit_floor(data_dir / "before.db", options.calls)
            found = measure(Account(server), role, options.functions, options.calls)
            after = commit_floor(data_dir / "after.db", options.calls)
        finally:
            server.stop()
            server.process.wait()
    print(f"start: {start_seconds:.2f} s (at most {START_SECONDS_MOST:g}), {start_cpu_seconds:.2f} s of CPU")
    print(f"one commit of bare sqlite3 (floor): {before:.2f} ms before, {after:.2f} ms after")
    for name, cost in found.items():
        print(
            f"{name}: {cost.milliseconds:.2f} ms (at most {CALL_MS_MOST:g}), {cost.cpu_milliseconds:.2f} ms of CPU"
        )
    slowest = max(cost.milliseconds for cost in found.values())
    met = start_seconds <= START_SECONDS_MOST and slowest <= CALL_MS_MOST
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
