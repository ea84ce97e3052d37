"""The lean link to our own bootstraps: frames on a unix stream socket. See docs/internals/channel.md."""

import asyncio
import socket
import struct
from collections.abc import Mapping
from typing import Any, Final, cast

import orjson

from lambent.environments.link import (
    RESPONSE_BYTES_MOST,
    InvokeRequest,
    LinkClosedError,
    NotTakenError,
    ProtocolError,
    Reply,
    ReplyKind,
    response_too_large,
)
from lambent.environments.streaming import Streaming
from lambent.model.invocation import ResponseSink

_HEADER: Final = struct.Struct("<BIII")
_INIT: Final = 1
_INVOKE: Final = 2
_SNAPSHOT: Final = 3
_RESTORE: Final = 4
_CHUNK: Final = 21
_KINDS: Final[dict[int, ReplyKind]] = {
    16: "ready",
    17: "initialized",
    18: "init_failed",
    19: "result",
    20: "failed",
}
_TO_INIT: Final = frozenset({"initialized", "init_failed"})
_TO_INVOKE: Final = frozenset({"result", "failed"})
_META_MOST: Final = 1 << 20
_SEQUENCE_MASK: Final = 0xFFFFFFFF


class Channel(asyncio.Protocol):
    """One connected bootstrap. Implements `link.Link`."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._loop = asyncio.get_running_loop()
        self._received = bytearray()
        self._to_skip = 0
        self._sequence = 0
        self._waiting: asyncio.Future[Reply] | None = None
        self._awaited: frozenset[str] = frozenset()
        self._early: Reply | None = None
        self._error: Exception | None = None
        self._sink: ResponseSink | None = None
        self._streaming: Streaming | None = None

    @classmethod
    async def connect(cls, sock: socket.socket) -> "Channel":
        """Takes over `sock`, this side's end of the socket pair."""
        _, channel = await asyncio.get_running_loop().create_unix_connection(cls, sock=sock)
        return channel

    def ready(self) -> "asyncio.Future[Reply]":
        return self._expect(frozenset({"ready"}))

    def initialize(self, settings: Mapping[str, Any]) -> "asyncio.Future[Reply]":
        return self._request(_INIT, _TO_INIT, orjson.dumps(settings), b"")

    def snapshot(self) -> "asyncio.Future[Reply]":
        """The initialized process becomes one that copies are made of. Resolves as `initialize` does."""
        return self._request(_SNAPSHOT, _TO_INIT, b"", b"")

    def restore(self, settings: Mapping[str, Any]) -> "asyncio.Future[Reply]":
        """A copy becomes an environment of its own. Resolves as `initialize` does."""
        return self._request(_RESTORE, _TO_INIT, orjson.dumps(settings), b"")

    def invoke(self, request: InvokeRequest) -> "asyncio.Future[Reply]":
        if self._error is not None:
            self._error = NotTakenError(*self._error.args)
        self._sink = request.sink
        meta: dict[str, Any] = {
            "request_id": request.request_id,
            "deadline_ms": request.deadline_ms,
            "invoked_arn": request.invoked_arn,
        }
        if request.trace_id is not None:
            meta["trace_id"] = request.trace_id
        if request.client_context is not None:
            meta["client_context"] = request.client_context
        if request.identity is not None:
            meta["identity"] = request.identity
        if request.tenant_id is not None:
            meta["tenant_id"] = request.tenant_id
        return self._request(_INVOKE, _TO_INVOKE, orjson.dumps(meta), request.payload)

    def await_again(self) -> "asyncio.Future[Reply]":
        self._waiting = None
        return self._expect(_TO_INVOKE)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def _request(
        self, kind: int, awaited: frozenset[str], meta: bytes, payload: bytes
    ) -> "asyncio.Future[Reply]":
        reply = self._expect(awaited)
        if self._transport is not None and not reply.done():
            self._sequence = sequence = (self._sequence + 1) & _SEQUENCE_MASK
            self._transport.write(_HEADER.pack(kind, sequence, len(meta), len(payload)) + meta + payload)
        return reply

    def _expect(self, awaited: frozenset[str]) -> "asyncio.Future[Reply]":
        """The next reply, which must be of one of the kinds `awaited`."""
        assert self._waiting is None, "one request at a time"
        self._awaited = awaited
        reply: asyncio.Future[Reply] = self._loop.create_future()
        if self._error is not None:
            reply.set_exception(self._error)
        elif self._early is not None:
            reply.set_result(self._early)
            self._early = None
        else:
            self._waiting = reply
        return reply

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are not of asyncio's classes.
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        # Nearly every reply arrives as one whole frame; only the rest is put together.
        if self._to_skip:
            skipped = min(self._to_skip, len(data))
            self._to_skip -= skipped
            if not self._to_skip:
                self._answer(response_too_large())
            data = data[skipped:]
        if self._received or not self._whole_frame(data):
            self._received += data
            self._take_frames()

    def _whole_frame(self, data: bytes) -> bool:
        if len(data) < _HEADER.size:
            return False
        kind, sequence, meta_length, payload_length = _HEADER.unpack_from(data)
        start = _HEADER.size + meta_length
        if len(data) != start + payload_length or payload_length > RESPONSE_BYTES_MOST:
            return False
        self._deliver(kind, sequence, data[_HEADER.size : start], data[start:])
        return True

    def _take_frames(self) -> None:
        received = self._received
        while len(received) >= _HEADER.size:
            kind, sequence, meta_length, payload_length = _HEADER.unpack_from(received)
            if meta_length > _META_MOST:
                self._fail(ProtocolError(f"the runtime announced {meta_length} bytes of meta"))
                return
            start = _HEADER.size + meta_length
            end = start + payload_length
            if payload_length > RESPONSE_BYTES_MOST:
                if sequence != self._sequence:
                    self._fail(_stale(sequence))
                    return
                # Never held in memory: passed over as it comes, then answered as too large.
                self._to_skip = end - len(received)
                received.clear()
                return
            if len(received) < end:
                return
            meta, payload = bytes(received[_HEADER.size : start]), bytes(received[start:end])
            del received[:end]
            self._deliver(kind, sequence, meta, payload)

    def _deliver(self, kind: int, sequence: int, meta: bytes, payload: bytes) -> None:
        if sequence != self._sequence:
            self._fail(_stale(sequence))
            return
        name = _KINDS.get(kind)
        if name is None:
            if kind == _CHUNK:
                self._take_chunk(meta, payload)
                return
            self._fail(ProtocolError(f"the runtime sent a frame of unknown kind {kind}"))
            return
        reply = _reply(name, payload, meta) if meta else Reply(name, payload)
        if self._streaming is not None:
            streaming, self._streaming = self._streaming, None
            if name == "result":
                reply = streaming.end()
            else:
                streaming.close()
        self._answer(reply)

    def _take_chunk(self, meta: bytes, payload: bytes) -> None:
        """A piece of a response. The first says what content type the whole has."""
        if self._awaited is not _TO_INVOKE or (self._waiting is None and self._streaming is None):
            self._fail(ProtocolError("the runtime sent a piece of a response unasked"))
            return
        if self._streaming is None:
            content_type = _decoded(meta).get("content_type")
            self._streaming = Streaming(
                self._sink,
                content_type if isinstance(content_type, str) else None,
                self._pause_reading,
                self._resume_reading,
            )
        self._streaming.write(payload)

    def _pause_reading(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.pause_reading()

    def _resume_reading(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    def _answer(self, reply: Reply) -> None:
        if self._waiting is None and reply.kind == "ready" and self._early is None and not self._awaited:
            self._early = reply  # a blank is up before anybody asks
        elif self._waiting is None or reply.kind not in self._awaited:
            self._fail(ProtocolError(f"the runtime sent {reply.kind} unasked"))
        else:
            waiting, self._waiting = self._waiting, None
            if waiting.cancelled():
                self._early = reply  # who goes on waiting has not come yet
            elif not waiting.done():
                waiting.set_result(reply)

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(LinkClosedError("the runtime closed its channel"))

    def _fail(self, error: Exception) -> None:
        self._error = self._error or error
        waiting, self._waiting = self._waiting, None
        if waiting is not None and not waiting.done():
            waiting.set_exception(self._error)
        self.close()


def _stale(sequence: int) -> ProtocolError:
    """Somebody answered twice: the answer that was expected has come already, or never will."""
    return ProtocolError(f"the runtime answered request {sequence}, which is not the open one")


def _reply(kind: ReplyKind, payload: bytes, meta: bytes) -> Reply:
    decoded = _decoded(meta)
    error_type = decoded.get("error_type")
    return Reply(
        kind,
        payload,
        error_type if isinstance(error_type, str) else None,
        ends=decoded.get("ends") is True,
    )


def _decoded(meta: bytes) -> Mapping[str, Any]:
    """Of a meta that says nothing we know, nothing is taken: user code can write here."""
    try:
        decoded = orjson.loads(meta) if meta else {}
    except orjson.JSONDecodeError:
        return {}
    return decoded if isinstance(decoded, dict) else {}
