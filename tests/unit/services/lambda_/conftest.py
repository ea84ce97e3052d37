"""The lambda service on stores in memory, a clock that tests move, and a data plane that records."""

import asyncio
import base64
import hashlib
import importlib.util
import io
import sys
import zipfile
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from memory_durable_executions import MemoryDurableExecutionStore
from noted_metrics import NotedMetrics

from lambent.artifacts.archive import ZipSummary, summarize
from lambent.artifacts.errors import ArtifactNotFoundError
from lambent.base.clock import ManualClock
from lambent.model.caller import Caller, Parameters
from lambent.model.code_signature import CodeSigner
from lambent.model.concurrency import ProvisionedStatus
from lambent.model.error import AccessDeniedException, ServiceException
from lambent.model.event_source_mapping import EventSourceMapping
from lambent.model.function import CodeReference, FunctionId, FunctionVersion
from lambent.model.invocation import Invocation, InvocationResult
from lambent.model.policy import Decision, Outcome, PolicyType
from lambent.services import lambda_


def _sibling(name: str) -> ModuleType:
    """A module beside this one: with --import-mode=importlib, tests are no package."""
    spec = importlib.util.spec_from_file_location(
        f"lambda_unit_{name}", Path(__file__).with_name(f"{name}.py")
    )
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


_stores = _sibling("memory_stores")
sys.path.insert(0, str(Path(__file__).parents[3] / "support"))
from memory_mappings import MemoryEventSourceMappingStore  # noqa: E402

ROLE = "arn:aws:iam::123456789012:role/works"


def zip_of(files: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(zipfile.ZipInfo(name), text)
    return buffer.getvalue()


class MemoryArtifacts:
    """`unpacked` lists digests in the order of unpacking; those in `broken` are gone."""

    def __init__(self) -> None:
        self.zips: dict[str, bytes] = {}
        self.unpacked: list[str] = []
        self.broken = False
        self.blocked: asyncio.Event | None = None

    async def inspect(self, data: bytes) -> ZipSummary:
        return summarize(io.BytesIO(data))

    async def put(self, data: bytes) -> CodeReference:
        sha256 = hashlib.sha256(data)
        self.zips[sha256.hexdigest()] = data
        encoded = base64.b64encode(sha256.digest()).decode()
        return CodeReference(digest=sha256.hexdigest(), sha256=encoded, size=len(data))

    async def stream(self, digest: str) -> tuple[int, AsyncGenerator[bytes, None]]:
        if digest not in self.zips:
            raise ArtifactNotFoundError(digest)
        data = self.zips[digest]

        async def pieces() -> AsyncGenerator[bytes, None]:
            for at in range(0, len(data), 10):
                yield data[at : at + 10]

        return len(data), pieces()

    async def unpack(self, digest: str) -> Path:
        if self.blocked is not None:
            await self.blocked.wait()
        if self.broken or digest not in self.zips:
            raise ArtifactNotFoundError(digest)
        self.unpacked.append(digest)
        return Path("/trees") / digest

    async def merge(self, digests: Sequence[str]) -> Path:
        return [await self.unpack(digest) for digest in digests][-1]


class Compiler:
    def __init__(self) -> None:
        self.compiled: list[tuple[str, str]] = []

    async def expect(self, version: FunctionVersion, trees: Sequence[Path]) -> None:
        """Of no interest here."""

    async def compile(self, runtime: str, tree: Path, mounted_at: str) -> None:
        self.compiled.append((runtime, mounted_at))


class Runtimes:
    architecture = "x86_64"

    def __init__(self) -> None:
        self.available = ["python3.12", "python3.13"]
        self.refusals: dict[tuple[str, bool], str] = {}

    def names(self) -> Sequence[str]:
        return self.available

    def missing(self, runtime: str) -> str:
        return "nobody has put it here"

    def refusal(self, runtime: str, *, creating: bool) -> str | None:
        return self.refusals.get((runtime, creating))

    def version(self, runtime: str) -> str:
        return f"exactly {runtime}.1"


class Roles:
    async def assumable(self, role_arn: str, service_principal: str) -> bool:
        return ":role/works" in role_arn and service_principal == "lambda.amazonaws.com"


class Policies:
    """Allows the caller everything but what `denied` has: (action, resource). `asked` has the contexts, too."""

    def __init__(self) -> None:
        self.denied: set[tuple[str, str]] = set()
        self.asked: list[tuple[str, str, Any]] = []

    async def decide(self, caller: Caller, action: str, resource_arn: str, context: Any = None) -> Outcome:
        self.asked.append((action, resource_arn, context))
        if (action, resource_arn) in self.denied:
            return Outcome(Decision.IMPLICIT_DENY, PolicyType.IDENTITY)
        return Outcome(Decision.ALLOWED)


class Authorizer:
    """Lets in who is not the anonymous caller, and that one where the policy says "*"."""

    async def authorize(
        self, caller: Caller, action: str, arn: str, context: Any = None, policy: Any = None
    ) -> None:
        if caller.principal_arn == "anonymous" and not (policy.document and f'"{action}"' in policy.document):
            raise AccessDeniedException(f"not authorized to perform {action}")


class Streamed:
    """A ResponseStream of what is given."""

    def __init__(
        self, pieces: Sequence[bytes] = (), content_type: str | None = None, result: Any = None
    ) -> None:
        self.executed_version = "$LATEST"
        self.content_type = content_type
        self.streamed = result is None
        self.result = result or InvocationResult(payload=b"", executed_version="$LATEST")
        self._pieces = pieces
        self.left = False

    async def pieces(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            yield piece

    def leave(self) -> None:
        self.left = True


class Invoker:
    """Records what it was asked; answers `result`."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, Any]] = []
        self.result = InvocationResult(payload=b'"ok"', executed_version="$LATEST", log_tail=b"END\n")
        self.version: Any = None
        """What `check` says would run."""

    async def invoke(self, invocation: Invocation) -> InvocationResult:
        self.calls.append(("invoke", invocation))
        return self.result

    async def stream(self, invocation: Invocation) -> Streamed:
        self.calls.append(("stream", invocation))
        if isinstance(self.result, Exception):
            raise self.result
        return self.result if isinstance(self.result, Streamed) else Streamed(result=self.result)

    async def enqueue(self, invocation: Invocation) -> str | None:
        self.calls.append(("enqueue", invocation))
        return self.result.durable_execution_arn

    async def check(self, function: FunctionId, qualifier: str | None, tenant_id: str | None = None) -> Any:
        self.calls.append(("check", (function, qualifier, tenant_id)))
        if isinstance(self.version, Exception):
            raise self.version
        return self.version


class Images:
    """`errors` are raised, one after the other, when an image is asked for."""

    def __init__(self) -> None:
        self.refusal: str | None = None
        self.errors: list[Exception] = []
        self.asked: list[FunctionVersion] = []

    async def unpacked(self, version: FunctionVersion) -> object:
        self.asked.append(version)
        if self.errors:
            raise self.errors.pop(0)
        return None


class OtherServices:
    """What Lambda asks of other services. `objects` are S3's, by bucket and key; `answers` are by service and
    operation, an answer or an error to raise; `asked` has what was asked."""

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str], bytes] = {}
        self.answers: dict[tuple[str, str], Parameters | ServiceException] = {}
        self.asked: list[tuple[str, Caller, Parameters]] = []

    async def __call__(
        self, service: str, operation: str, caller: Caller, parameters: Parameters
    ) -> Parameters:
        self.asked.append((operation, caller, parameters))
        answer = self.answers.get((service, operation))
        if isinstance(answer, ServiceException):
            raise answer
        if answer is not None:
            return answer
        assert (service, operation) == ("s3", "GetObject")
        body = self.objects[parameters["Bucket"], parameters["Key"]]

        async def pieces() -> AsyncIterator[bytes]:
            for at in range(0, len(body), 10):
                yield body[at : at + 10]

        return {"Body": pieces(), "ContentLength": len(body)}


class RoleCallers:
    async def assume(
        self, role_arn: str, service: str, *, region: str, session_name: str, source_arn: str | None = None
    ) -> Caller:
        assert service == "lambda.amazonaws.com"
        return Caller(
            account_id=role_arn.split(":")[4],
            region=region,
            principal_arn=role_arn,
            user_id="AROA:s",
            access_key_id="",
            role_arn=role_arn,
        )


class Sqs:
    """Queues by ARN, with their visibility timeout. What the role may not do stands in `denied`."""

    def __init__(self) -> None:
        self.queues: dict[str, int] = {}
        self.denied: set[str] = set()

    async def __call__(self, operation: str, caller: Caller, parameters: Parameters) -> Parameters:
        account_id, name = parameters["QueueUrl"].split("/")[-2:]
        assert caller.role_arn is not None, "mappings read queues as their function's role"
        if operation in self.denied:
            raise _named("AccessDenied")
        visibility = self.queues.get(f"arn:aws:sqs:{caller.region}:{account_id}:{name}")
        if visibility is None:
            raise _named("QueueDoesNotExist")
        if operation == "GetQueueAttributes":
            return {"Attributes": {"VisibilityTimeout": str(visibility)}}
        raise _named(
            "ReceiptHandleIsInvalid" if operation == "DeleteMessage" else "InvalidParameterValueException"
        )


def _named(code: str) -> ServiceException:
    return type(code, (ServiceException,), {})(code)


class Services:
    """All that Lambda calls."""

    def __init__(self, others: OtherServices, sqs: Sqs) -> None:
        self._others = others
        self._sqs = sqs

    async def __call__(
        self, service: str, operation: str, caller: Caller, parameters: Parameters
    ) -> Parameters:
        if service == "sqs":
            return await self._sqs(operation, caller, parameters)
        return await self._others(service, operation, caller, parameters)


class Allotments:
    """Records which functions it was told of."""

    def __init__(self) -> None:
        self.refreshed: list[FunctionId] = []
        self.answer = ProvisionedStatus(ready=0, status="IN_PROGRESS")

    async def refresh(self, function: FunctionId) -> None:
        self.refreshed.append(function)

    async def status(self, config: Any) -> ProvisionedStatus:
        return self.answer


class SnapshotTaker:
    def __init__(self) -> None:
        self.taken: list[str] = []
        self.error: Exception | None = None

    async def __call__(self, version: Any) -> None:
        if self.error is not None:
            raise self.error
        self.taken.append(version.arn())


class Lambda:
    """The service and everything around it. `call` is what an SDK would send, after parsing."""

    def __init__(self, **options: Any) -> None:
        self.functions = _stores.MemoryFunctionStore()
        self.function_urls = _stores.MemoryFunctionUrlStore(self.functions)
        self.function_policies = _stores.MemoryFunctionPolicyStore(self.functions)
        self.layers = _stores.MemoryLayerStore()
        self.code_signing_configs = _stores.MemoryCodeSigningConfigStore()
        self.concurrency = _stores.MemoryConcurrencyStore(self.functions)
        self.event_invoke_configs = _stores.MemoryEventInvokeConfigStore(self.functions)
        self.allotments = Allotments()
        self.role_callers = RoleCallers()
        self.artifacts = MemoryArtifacts()
        self.images = Images()
        self.compiler = Compiler()
        self.runtimes = Runtimes()
        self.snapshots = SnapshotTaker()
        self.invoker = Invoker()
        self.policies = Policies()
        self.others = OtherServices()
        self.metrics = NotedMetrics()
        self.code_signer = CodeSigner(b"secret")
        self.sqs = Sqs()
        self.mappings = MemoryEventSourceMappingStore()
        self.woken: list[EventSourceMapping] = []
        self.clock = ManualClock()
        self.durable_store = MemoryDurableExecutionStore()
        self.durable = self.durable_store
        self.options = options
        self.caller = Caller(
            account_id="123456789012",
            region="us-east-1",
            principal_arn="arn:aws:iam::123456789012:root",
            user_id="123456789012",
            access_key_id="AKIA",
            request_id="request-1",
            endpoint_url="http://127.0.0.1:4566",
        )
        self.start()

    def start(self) -> None:
        """Also again, as after a restart."""
        self.lambda_ = lambda_.service(
            functions=self.functions,
            function_policies=self.function_policies,
            function_urls=self.function_urls,
            layers=self.layers,
            concurrency=self.concurrency,
            event_invoke_configs=self.event_invoke_configs,
            artifacts=self.artifacts,
            images=self.images,
            compiler=self.compiler,
            runtimes=self.runtimes,
            roles=Roles(),
            take_snapshot=self.snapshots,
            role_callers=self.role_callers,
            policies=self.policies,
            authorizer=Authorizer(),
            invoker=self.invoker,
            client=Services(self.others, self.sqs),
            code_signing_configs=self.code_signing_configs,
            metrics=self.metrics,
            signatures=self.code_signer,
            mappings=self.mappings,
            mapping_changed=self.woken.append,
            allotments=self.allotments,
            durable_executions=self.durable,
            durable_execution_store=self.durable_store,
            clock=self.clock,
            download_secret=b"secret",
            sleep=self._sleep,
            **self.options,
        )

    async def _sleep(self, seconds: float) -> None:
        self.clock.advance(seconds)

    async def call(self, operation: str, **parameters: Any) -> Parameters:
        return await self.lambda_.service.operations[operation](self.caller, parameters)

    def by(self, **changes: Any) -> "Lambda":
        """The same service, called by somebody else."""
        other = object.__new__(Lambda)
        other.__dict__.update(self.__dict__)
        other.caller = replace(self.caller, **changes)
        return other

    async def settle(self) -> None:
        """Waits until the reconciler has nothing left to do."""
        for _ in range(1000):
            await asyncio.sleep(0)
            if not await self.functions.unsettled():
                await asyncio.sleep(0)
                return
        raise AssertionError("some function never settles")

    async def create(self, name: str = "hello", *, settle: bool = True, **changes: Any) -> Parameters:
        parameters = {
            "FunctionName": name,
            "Runtime": "python3.13",
            "Role": ROLE.replace("123456789012", self.caller.account_id),
            "Handler": "app.handler",
            "Code": {"ZipFile": zip_of({"app.py": "def handler(event, context): return event"})},
        }
        created = await self.call("CreateFunction", **(parameters | changes))
        if settle:
            await self.settle()
        return created


@pytest.fixture
def new_aws() -> type[Lambda]:
    """For tests that make one for each of their examples."""
    return Lambda


@pytest.fixture
async def aws() -> AsyncIterator[Lambda]:
    aws = Lambda()
    yield aws
    await aws.lambda_.activation.close()


@pytest.fixture
def new_zip():  # type: ignore[no-untyped-def]
    return zip_of


@pytest.fixture
def new_stream():  # type: ignore[no-untyped-def]
    return Streamed
