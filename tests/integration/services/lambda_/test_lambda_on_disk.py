"""The control plane on the real database and artifact store, over a restart in the middle of things."""

import asyncio
import io
import zipfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from noted_metrics import NotedMetrics

from lambent.artifacts.store import ArtifactStore
from lambent.base.clock import SystemClock
from lambent.model.caller import Caller, Parameters
from lambent.model.code_signature import CodeSigner
from lambent.model.function import FunctionVersion
from lambent.model.lambda_errors import ResourceNotFoundException
from lambent.model.policy import Decision, Outcome
from lambent.services import lambda_
from lambent.store.sql.code_signing_configs import SqlCodeSigningConfigStore
from lambent.store.sql.concurrency import SqlConcurrencyStore
from lambent.store.sql.function_policies import SqlFunctionPolicyStore
from lambent.store.sql.function_urls import SqlFunctionUrlStore
from lambent.store.sql.functions import SqlFunctionStore
from lambent.store.sql.layers import SqlLayerStore
from lambent.store.sqlite.database import SqliteDatabase

CALLER = Caller(
    account_id="123456789012",
    region="us-east-1",
    principal_arn="arn:aws:iam::123456789012:root",
    user_id="123456789012",
    access_key_id="AKIA",
    endpoint_url="http://127.0.0.1:1",
)


class Compiler:
    """Compiles nothing; while it is `blocked`, versions stay Pending."""

    def __init__(self, *, blocked: bool) -> None:
        self.trees: dict[str, Path] = {}
        self._open = asyncio.Event()
        if not blocked:
            self._open.set()

    async def expect(self, version: FunctionVersion, trees: Sequence[Path]) -> None:
        """Of no interest here."""

    async def compile(self, runtime: str, tree: Path, mounted_at: str) -> None:
        self.trees[mounted_at] = tree
        await self._open.wait()


class Runtimes:
    architecture = "x86_64"

    def names(self) -> Sequence[str]:
        return ["python3.13"]

    def missing(self, runtime: str) -> str:
        return "nobody has put it here"

    def refusal(self, runtime: str, *, creating: bool) -> str | None:
        return None

    def version(self, runtime: str) -> str:
        return "Python 3.13.1"


class Roles:
    async def assumable(self, role_arn: str, service_principal: str) -> bool:
        return True


class Policies:
    async def decide(self, caller: Caller, action: str, resource_arn: str, context: object = None) -> Outcome:
        return Outcome(Decision.ALLOWED)


class Running:
    def __init__(self, parts: lambda_.LambdaService, compiler: Compiler) -> None:
        self.parts = parts
        self.compiler = compiler

    async def call(self, operation: str, **parameters: Any) -> Parameters:
        return await self.parts.service.operations[operation](CALLER, parameters)

    async def wait_active(self, name: str) -> Parameters:
        async with asyncio.timeout(10):
            while True:
                configuration = await self.call("GetFunctionConfiguration", FunctionName=name)
                if configuration["State"] != "Pending" and configuration["LastUpdateStatus"] != "InProgress":
                    return configuration
                await asyncio.sleep(0.005)


@asynccontextmanager
async def running(directory: Path, *, blocked: bool = False) -> AsyncIterator[Running]:
    database = SqliteDatabase(directory / "lambent.db")
    await asyncio.to_thread(database.open)
    artifacts = ArtifactStore(directory / "artifacts")
    await artifacts.open()
    compiler = Compiler(blocked=blocked)
    parts = lambda_.service(
        function_policies=SqlFunctionPolicyStore(database),
        function_urls=SqlFunctionUrlStore(database),
        functions=SqlFunctionStore(database),
        layers=SqlLayerStore(database),
        concurrency=SqlConcurrencyStore(database),
        event_invoke_configs=None,  # type: ignore[arg-type]
        artifacts=artifacts,
        images=None,  # type: ignore[arg-type]
        compiler=compiler,
        take_snapshot=None,  # type: ignore[arg-type]
        runtimes=Runtimes(),
        roles=Roles(),
        role_callers=None,  # type: ignore[arg-type]
        policies=Policies(),
        authorizer=None,  # type: ignore[arg-type]
        invoker=None,  # type: ignore[arg-type]
        allotments=None,  # type: ignore[arg-type]
        client=None,  # type: ignore[arg-type]
        mappings=None,  # type: ignore[arg-type]
        mapping_changed=lambda uuid: None,
        code_signing_configs=SqlCodeSigningConfigStore(database),
        metrics=NotedMetrics(),
        signatures=CodeSigner(b"secret"),
        durable_executions=None,  # type: ignore[arg-type]
        durable_execution_store=None,  # type: ignore[arg-type]
        clock=SystemClock(),
        download_secret=b"secret",
        settle_seconds=0.0,
    )
    await parts.activation.open()
    try:
        yield Running(parts, compiler)
    finally:
        await parts.activation.close()
        await artifacts.close()
        await asyncio.to_thread(database.close)


def new_zip(name: str, text: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(name, text)
    return buffer.getvalue()


async def test_a_deployment_survives_restarts_and_finishes(tmp_path: Path) -> None:
    async with running(tmp_path, blocked=True) as aws:
        layers = [
            (await aws.call("PublishLayerVersion", LayerName=name, Content={"ZipFile": new_zip(name, name)}))
            for name in ("one", "two")
        ]
        created = await aws.call(
            "CreateFunction",
            FunctionName="hello",
            Runtime="python3.13",
            Role="arn:aws:iam::123456789012:role/r",
            Handler="app.handler",
            Code={"ZipFile": new_zip("app.py", "x = 1")},
            Environment={"Variables": {"KEY": "välue"}},
            Layers=[layer["LayerVersionArn"] for layer in layers],
            Tags={"a": "b"},
            Publish=True,
        )
        assert (created["Version"], created["State"]) == ("1", "Pending")

    async with running(tmp_path) as aws:
        latest = await aws.wait_active("hello")
        first = await aws.wait_active("hello:1")
        assert latest["State"] == first["State"] == "Active"
        assert latest["Environment"] == first["Environment"] == {"Variables": {"KEY": "välue"}}
        assert (aws.compiler.trees["/var/task"] / "app.py").read_text() == "x = 1"
        assert {path.name for path in aws.compiler.trees["/opt"].iterdir()} == {"one", "two"}
        routing = {"AdditionalVersionWeights": {"2": 0.5}}
        await aws.call(
            "UpdateFunctionCode", FunctionName="hello", ZipFile=new_zip("app.py", "x = 2"), Publish=True
        )
        await aws.wait_active("hello")
        alias = {"FunctionName": "hello", "Name": "live", "FunctionVersion": "1"}
        await aws.call("CreateAlias", **alias, RoutingConfig=routing)

    async with running(tmp_path) as aws:
        versions = (await aws.call("ListFunctions", FunctionVersion="ALL"))["Functions"]
        assert [version["Version"] for version in versions] == ["$LATEST", "1", "2"]
        assert (await aws.call("GetAlias", FunctionName="hello", Name="live"))["RoutingConfig"] == routing
        assert (await aws.call("GetFunction", FunctionName="hello:live"))["Tags"] == {"a": "b"}
        usage = (await aws.call("GetAccountSettings"))["AccountUsage"]
        assert usage["FunctionCount"] == 1
        expected = sum(version["CodeSize"] for version in versions)
        assert usage["TotalCodeSize"] == expected + sum(layer["Content"]["CodeSize"] for layer in layers)
        await aws.call("DeleteFunction", FunctionName="hello")
        with pytest.raises(ResourceNotFoundException):
            await aws.call("GetFunction", FunctionName="hello")


async def test_concurrent_updates_have_one_winner(tmp_path: Path) -> None:
    async with running(tmp_path) as aws:
        code = {"ZipFile": new_zip("app.py", "x = 1")}
        await aws.call(
            "CreateFunction", FunctionName="hello", Runtime="python3.13", Handler="a.b", Code=code,
            Role="arn:aws:iam::123456789012:role/r",
        )  # fmt: skip
        revision_id = (await aws.wait_active("hello"))["RevisionId"]
        update = {"FunctionName": "hello", "RevisionId": revision_id}
        outcomes = await asyncio.gather(
            *(aws.call("UpdateFunctionConfiguration", **update, Timeout=n) for n in range(10, 20)),
            return_exceptions=True,
        )
        (winner,) = [outcome for outcome in outcomes if not isinstance(outcome, BaseException)]
        assert {type(outcome).__name__ for outcome in outcomes if isinstance(outcome, BaseException)} == {
            "PreconditionFailedException"
        }
        assert (await aws.wait_active("hello"))["Timeout"] == winner["Timeout"]
