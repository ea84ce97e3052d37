"""Responses as a stream of events: application/vnd.amazon.eventstream.

A frame is: total length, length of headers, CRC of these, headers, payload, CRC of all (big-endian, CRC-32).
Source: the event stream encoding of the Smithy specification.
"""

import logging
import struct
import zlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from datetime import datetime
from typing import Any

from lambent.model.error import InternalFailure, ServiceException
from lambent.wire.shapes import Shape
from lambent.wire.timestamps import epoch_seconds

CONTENT_TYPE = "application/vnd.amazon.eventstream"
_OVERHEAD = 16
_BYTES, _STRING = 6, 7

Event = Mapping[str, Any]
"""One member of the stream's union with its value: {"PayloadChunk": {"Payload": b"…"}}."""
EncodeBody = Callable[[Any], bytes]
CompileBody = Callable[[Shape, Mapping[str, Shape]], EncodeBody]
"""The protocol's part: encodes a structure, or the given members of it, as a whole body."""

log = logging.getLogger(__name__)


def encode_frame(headers: Mapping[str, Any], payload: bytes) -> bytes:
    head = b"".join(_encode_header(name, value) for name, value in headers.items())
    prelude = struct.pack(">II", _OVERHEAD + len(head) + len(payload), len(head))
    frame = b"".join((prelude, struct.pack(">I", zlib.crc32(prelude)), head, payload))
    return frame + struct.pack(">I", zlib.crc32(frame))


def _encode_header(name: str, value: Any) -> bytes:
    key = struct.pack(">B", len(name)) + name.encode()
    match value:
        case bool():
            return key + (b"\x00" if value else b"\x01")
        case int():
            return (
                key + struct.pack(">Bq", 5, value) if abs(value) >> 31 else key + struct.pack(">Bi", 4, value)
            )
        case bytes():
            return key + struct.pack(">BH", _BYTES, len(value)) + value
        case datetime():
            return key + struct.pack(">Bq", 8, round(epoch_seconds(value) * 1000))
        case str():
            text = value.encode()
            return key + struct.pack(">BH", _STRING, len(text)) + text
        case _:
            raise TypeError(f"no event stream header for {type(value).__name__}")


class EventStreamEncoder:
    """Encodes the events of one stream shape. `content_type` is that of payloads which are structures."""

    def __init__(self, shape: Shape, content_type: str, compile_body: CompileBody) -> None:
        self._content_type = content_type
        self._events: dict[str, Callable[[Event], bytes]] = {}
        self._exceptions: dict[str, EncodeBody] = {}
        self._message_members: dict[str, str] = {}
        for name, member in shape.members.items():
            if member.metadata.get("exception"):
                self._exceptions[name] = compile_body(member, member.members)
                self._message_members[name] = message_member(member)
            else:
                self._events[name] = self._compile_event(name, member, compile_body)

    def initial_response(self, body: bytes) -> bytes:
        """The first frame of the rpc protocols: the output's members outside the stream."""
        headers = {
            ":message-type": "event",
            ":event-type": "initial-response",
            ":content-type": self._content_type,
        }
        return encode_frame(headers, body)

    async def encode(self, events: AsyncIterator[Event], first: bytes = b"") -> AsyncIterator[bytes]:
        """Frames, ending with an exception frame where the operation fails midway: the status is long
        sent."""
        if first:
            yield first
        try:
            async for event in events:
                ((name, value),) = event.items()
                yield self._events[name](value)
        except ServiceException as error:
            yield self._encode_exception(error)
        except Exception:
            log.exception("an event stream failed midway")
            yield _encode_error(InternalFailure("An internal error occurred."))
        finally:
            if isinstance(events, AsyncGenerator):
                await events.aclose()  # a caller that hangs up ends the operation, too

    def _encode_exception(self, error: ServiceException) -> bytes:
        for name, encode in self._exceptions.items():
            if name.lower() == error.code.lower():
                headers = {
                    ":message-type": "exception",
                    ":exception-type": name,
                    ":content-type": self._content_type,
                }
                return encode_frame(
                    headers, encode({self._message_members[name]: error.message, **error.members})
                )
        return _encode_error(error)

    def _compile_event(self, name: str, shape: Shape, compile_body: CompileBody) -> Callable[[Event], bytes]:
        headers = [
            member for member in shape.members if shape.members[member].serialization.get("eventheader")
        ]
        payload = next((m for m in shape.members if shape.members[m].serialization.get("eventpayload")), None)
        encode, content_type = self._compile_payload(shape, payload, headers, compile_body)
        fixed: dict[str, Any] = {":message-type": "event", ":event-type": name}
        if content_type:
            fixed[":content-type"] = content_type

        def encode_event(value: Event) -> bytes:
            bound = {member: value[member] for member in headers if value.get(member) is not None}
            return encode_frame({**fixed, **bound}, encode(value))

        return encode_event

    def _compile_payload(
        self, shape: Shape, payload: str | None, headers: list[str], compile_body: CompileBody
    ) -> tuple[EncodeBody, str]:
        if payload is None:
            members = {name: member for name, member in shape.members.items() if name not in headers}
            if not members:
                return lambda value: b"", ""
            encode = compile_body(shape, members)
            return lambda value: encode({k: v for k, v in value.items() if k in members}), self._content_type
        member = shape.members[payload]
        if member.type_name == "blob":
            return lambda value: value.get(payload) or b"", "application/octet-stream"
        if member.type_name == "string":
            return lambda value: (value.get(payload) or "").encode(), "text/plain"
        encode = compile_body(member, member.members)
        return lambda value: encode(value.get(payload) or {}), self._content_type


def message_member(shape: Shape) -> str:
    """How an error shape spells the member that holds its message."""
    return next(
        (str(name) for name in shape.members if name.lower() in ("message", "errormessage")), "message"
    )


def _encode_error(error: ServiceException) -> bytes:
    headers = {":message-type": "error", ":error-code": error.code, ":error-message": error.message}
    return encode_frame(headers, b"")


def stream_member(shape: Shape | None) -> str | None:
    """The member of an output that is an event stream."""
    if shape is None:
        return None
    for name, member in shape.members.items():
        if member.serialization.get("eventstream"):
            return str(name)
    return None
