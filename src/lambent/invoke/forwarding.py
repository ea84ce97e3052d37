"""An invocation that another node runs: what is told of it, and how it runs there.

Everything that depends on who asks has been decided where it was asked: rights, version, loops, tenants. The limits of
concurrency count where it runs.
"""

import logging
from collections.abc import Callable, Mapping
from typing import Any, Literal, Protocol

import msgspec

from lambent.environments.pool import EnvironmentFailedError
from lambent.invoke.directory import Directory
from lambent.model import lambda_errors
from lambent.model.error import ServiceException
from lambent.model.function import FunctionId, FunctionVersion
from lambent.model.invocation import Invocation, InvocationResult
from lambent.model.lambda_errors import LambdaException, ServiceException_, TooManyRequestsException
from lambent.store.ports.errors import StoreError

log = logging.getLogger(__name__)

ELSEWHERE = (TooManyRequestsException, EnvironmentFailedError)
"""What says that nothing was run, and that another node may be able to."""


class Forwarded(msgspec.Struct, kw_only=True, omit_defaults=True):
    """The head of a call; the payload is its body. Fields may be added: nodes of two versions call each other."""

    request_id: str
    function: FunctionId
    qualifier: str | None = None
    version: str
    revision_id: str
    invoked_arn: str
    client_context: str | None = None
    identity: dict[str, Any] | None = None
    trace_id: str | None = None
    tenant_id: str | None = None
    tail_log: bool = False
    durable_execution_arn: str | None = None
    streamed: bool = False
    """Whether the caller takes the response in pieces."""


class Begun(msgspec.Struct, kw_only=True, omit_defaults=True):
    """The first part of a response that is streamed. Parts without a head are its pieces."""

    executed_version: str
    content_type: str | None = None


class Answered(msgspec.Struct, kw_only=True, omit_defaults=True, tag="answered"):
    executed_version: str
    function_error: Literal["Unhandled", "Handled"] | None = None
    log_tail: bytes = b""


class Refused(msgspec.Struct, kw_only=True, omit_defaults=True, tag="refused"):
    """An error of AWS's. `elsewhere`: nothing was run, and another node may be able to."""

    code: str
    message: str
    members: dict[str, Any] = {}
    status: int | None = None
    elsewhere: bool = False


_encode = msgspec.msgpack.Encoder().encode
_read_call = msgspec.msgpack.Decoder(Forwarded).decode
_read_begun = msgspec.msgpack.Decoder(Begun).decode
read_answer = msgspec.msgpack.Decoder(Answered | Refused).decode
_ERRORS: Mapping[str, type[LambdaException]] = {
    error._code or error.__name__: error
    for error in vars(lambda_errors).values()
    if isinstance(error, type) and issubclass(error, LambdaException)
}


def call_of(version: FunctionVersion, invocation: Invocation) -> bytes:
    """The head of the call that has it run."""
    return _encode(
        Forwarded(
            request_id=invocation.request_id,
            function=invocation.function,
            qualifier=invocation.qualifier,
            version=version.version,
            revision_id=version.revision_id,
            invoked_arn=invocation.invoked_arn,
            client_context=invocation.client_context,
            identity=dict(invocation.identity) if invocation.identity is not None else None,
            trace_id=invocation.trace_id,
            tenant_id=invocation.tenant_id,
            tail_log=invocation.tail_log,
            durable_execution_arn=invocation.durable_execution_arn,
            streamed=invocation.sink is not None,
        )
    )


def take_part(
    invocation: Invocation, head: bytes, body: bytes, pause: Callable[[], None], resume: Callable[[], None]
) -> None:
    """Hands a part of its response on to who asked for it."""
    sink = invocation.sink
    assert sink is not None
    if head:
        begun = _read_begun(head)
        sink.executed_version = begun.executed_version
        sink.begin(begun.content_type, pause, resume)
    else:
        sink.write(body)


def error_of(refused: Refused) -> ServiceException:
    """As it was raised on the other node."""
    known = _ERRORS.get(refused.code)
    if known is not None:
        return known(refused.message, members=refused.members)
    error = ServiceException(refused.message, code=refused.code, members=refused.members)
    error.status = refused.status
    return error


class Call(Protocol):
    """cluster.node_port.Incoming."""

    head: bytes
    body: bytes
    paused: Callable[[], None]
    resumed: Callable[[], None]

    @property
    def held(self) -> bool: ...

    def part(self, head: bytes, body: bytes = b"") -> None: ...


class Others(Protocol):
    """What other nodes have written, as far as this one knows of it (server.node.ThisNode)."""

    @property
    def seen(self) -> int: ...

    async def look(self, since: int) -> bool: ...


class RunHere(Protocol):
    async def __call__(self, version: FunctionVersion, invocation: Invocation) -> InvocationResult: ...


class ForwardedInvocations:
    """Runs what other nodes send, from `opened` on and until it is `ending`."""

    def __init__(
        self, directory: Directory, others: Others, run_here: RunHere, stream_bytes_most: int
    ) -> None:
        self._directory = directory
        self._others = others
        self._run_here = run_here
        self._stream_bytes_most = stream_bytes_most
        self.opened = False
        self.ending = False

    async def handle(self, call: Call) -> tuple[bytes, bytes]:
        """cluster.node_port.Handler."""
        if self.ending or not self.opened:
            error = ServiceException_("The node takes no invocations now.")
            return _encode(_refused(error, elsewhere=True)), b""
        forwarded = _read_call(call.head)
        try:
            version = await self._version(forwarded)
            result = await self._run_here(version, _invocation(forwarded, call, self._stream_bytes_most))
        except ServiceException as error:
            return _encode(_refused(error, elsewhere=isinstance(error, ELSEWHERE))), b""
        except StoreError as error:
            log.warning("an invocation of another node was not run: %s", error)
            unknown = ServiceException_("The function could not be looked up.")
            return _encode(_refused(unknown, elsewhere=True)), b""
        answered = Answered(
            executed_version=result.executed_version,
            function_error=result.function_error,
            log_tail=result.log_tail,
        )
        return _encode(answered), result.payload

    async def _version(self, forwarded: Forwarded) -> FunctionVersion:
        """As the caller's node knows it, or newer. Raises ServiceException, StoreError."""
        since = self._others.seen
        try:
            target = await self._directory.resolve(forwarded.function, forwarded.version)
            if target.version.revision_id == forwarded.revision_id:
                return target.version
        except ServiceException:
            if not await self._others.look(since):
                raise
        else:
            await self._others.look(since)
        return (await self._directory.resolve(forwarded.function, forwarded.version)).version


def _invocation(forwarded: Forwarded, call: Call, stream_bytes_most: int) -> Invocation:
    return Invocation(
        request_id=forwarded.request_id,
        function=forwarded.function,
        qualifier=forwarded.qualifier,
        invoked_arn=forwarded.invoked_arn,
        payload=call.body,
        client_context=forwarded.client_context,
        identity=forwarded.identity,
        trace_id=forwarded.trace_id,
        tenant_id=forwarded.tenant_id,
        tail_log=forwarded.tail_log,
        durable_execution_arn=forwarded.durable_execution_arn,
        sink=_Parts(call, stream_bytes_most) if forwarded.streamed else None,
    )


def _refused(error: ServiceException, *, elsewhere: bool) -> Refused:
    return Refused(
        code=error.code,
        message=error.message,
        members=error.members,
        status=error.status,
        elsewhere=elsewhere,
    )


class _Parts:
    """A model.invocation.ResponseSink whose reader is on another node."""

    def __init__(self, call: Call, bytes_most: int) -> None:
        self.executed_version = ""
        self._call = call
        self._bytes_most = bytes_most
        self._written = 0

    def begin(self, content_type: str | None, pause: Callable[[], None], resume: Callable[[], None]) -> None:
        self._call.paused, self._call.resumed = pause, resume
        self._call.part(_encode(Begun(executed_version=self.executed_version, content_type=content_type)))
        if self._call.held:
            pause()

    def write(self, piece: bytes) -> None:
        self._written += len(piece)
        if self._written <= self._bytes_most:
            self._call.part(b"", piece)

    def finish(self) -> bytes | None:
        return None if self._written > self._bytes_most else b""
