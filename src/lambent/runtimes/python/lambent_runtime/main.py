"""The life of the process: READY, INIT, then invocations until the server hangs up."""

import os
import sys

from . import channel as frames
from .channel import Channel, ChannelClosed, move_out_of_reach
from .context import FunctionSettings, LambdaContext
from .errors import Fault, error_object, log_error, warn_unhandled
from .handler import load_handler
from .logs import set_up_logging
from .marshal import from_json, to_json
from .process import add_site_builtins, become_function
from .telemetry import StandardStream, Telemetry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from . import sdk

_RUNTIME_DIRECTORY = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120
_TRACE_ID = "_X_AMZN_TRACE_ID"


def run() -> None:
    """Returns never, unless a handler leaves by sys.exit: then as that says, after the lines it left unfinished."""
    preloaded = None
    if "_LAMBDA_ZYGOTE_FD" in os.environ:
        # Needs a newer Python than the rest, and time that only zygotes have.
        from . import zygote  # noqa: PLC0415

        line, with_sdk = int(os.environ.pop("_LAMBDA_ZYGOTE_FD")), os.environ.pop("_LAMBDA_ZYGOTE_SDK", None)
        preloaded = zygote.be_copied(line, with_sdk=with_sdk is not None)
    telemetry_descriptor = int(os.environ.pop("_LAMBDA_TELEMETRY_LOG_FD", "4"))
    channel = Channel(move_out_of_reach(3, 0))
    sink = Telemetry(move_out_of_reach(telemetry_descriptor, 1))
    forks = os.environ.pop("_LAMBDA_FORK_FD", None)
    runtime = Runtime(channel, sink, None if forks is None else move_out_of_reach(int(forks), 2))
    try:
        channel.send(frames.READY)
        runtime.initialize(preloaded)
        runtime.serve()
    except ChannelClosed:
        os._exit(0)
    finally:
        runtime.flush()


class Runtime:
    def __init__(self, channel: Channel, sink: Telemetry, forks: "int | None") -> None:
        """`forks` is the line by which copies of this process are asked for, where it is a snapshot."""
        self._forks = forks
        self._channel = channel
        self._sink = sink
        self._streams = (StandardStream(sink, 1), StandardStream(sink, 2))

    def flush(self) -> None:
        for stream in self._streams:
            stream.flush()

    def initialize(self, preloaded: "sdk.Preloaded | None") -> None:
        kind, meta_text, _ = self._channel.receive()
        assert kind == frames.INIT, "INIT comes first"
        meta = from_json(meta_text)
        become_function(meta.get("variables"), _RUNTIME_DIRECTORY)
        if preloaded is not None:
            preloaded.give_way(_RUNTIME_DIRECTORY)
        add_site_builtins()
        sys.stdout, sys.stderr = (stream.text for stream in self._streams)
        self._as_json = (meta.get("log_format") or "").upper() == "JSON"
        level = meta.get("log_level") or os.environ.get("AWS_LAMBDA_LOG_LEVEL") or ""
        self._invocation = set_up_logging(self._sink, self._as_json, level)
        self._settings = FunctionSettings(meta, self._sink)
        self._trace_id = os.environ.get(_TRACE_ID)
        try:
            self._handler = load_handler(os.environ.get("_HANDLER", meta["handler"]))
        except Exception as error:
            self._fail_init(error)
        self._channel.send(frames.INITIALIZED)

    def _fail_init(self, error: Exception) -> None:
        described = error_object(error)
        warn_unhandled()
        log_error(self._sink, described, self._as_json)
        self.flush()
        self._channel.send(frames.INIT_FAILED, *_failure(described))
        os._exit(1)

    def serve(self) -> None:
        receive, send = self._channel.receive, self._channel.send
        while True:
            kind, meta, payload = receive()
            if kind != frames.INVOKE:
                self._snap_start(kind, meta)
                continue
            reply, reply_meta, reply_payload = self._invoke(from_json(meta), payload)
            self.flush()
            send(reply, reply_meta, reply_payload)

    def _snap_start(self, kind: int, meta: bytes) -> None:
        """SNAPSHOT: becomes one, and returns in its copies only. RESTORE: makes a copy an environment of its own."""
        # Needs a newer Python than the rest, and time that only snapshots have.
        from . import snapshot  # noqa: PLC0415

        try:
            if kind == frames.RESTORE:
                settings = from_json(meta)
                os.environ.update(settings["variables"])
                self._settings = FunctionSettings(settings, self._sink)
                snapshot.restored()
            else:
                snapshot.prepare()
        except Exception as error:
            self._fail_init(error)
        self.flush()
        self._channel.send(frames.INITIALIZED)
        if kind == frames.SNAPSHOT and self._forks is not None:
            self._take_files(snapshot.be_copied(self._forks))

    def _take_files(self, files: "dict[int, int]") -> None:
        """The descriptors of a copy, in the place of those that it was born with."""
        for number in (1, 2):
            os.dup2(files[number], number)
            os.close(files[number])
        self._channel.reopen(move_out_of_reach(files[3], 0))
        self._sink.reopen(move_out_of_reach(files[4], 1))

    def _invoke(self, meta: "dict[str, Any]", payload: bytes) -> "tuple[int, bytes, bytes]":
        request_id = meta["request_id"]
        self._invocation.request_id = request_id
        self._invocation.tenant_id = meta.get("tenant_id")
        self._set_trace_id(meta.get("trace_id"))
        try:
            context = LambdaContext(self._settings, meta)
            response = self._handler(_event(payload), context)
            return frames.RESULT, b"", _response(response)
        except Exception as error:
            described = error_object(error, request_id)
        log_error(self._sink, described, self._as_json)
        return (frames.FAILED, *_failure(described))

    def _set_trace_id(self, trace_id: "str | None") -> None:
        if trace_id == self._trace_id:
            return
        self._trace_id = trace_id
        if trace_id is None:
            os.environ.pop(_TRACE_ID, None)
        else:
            os.environ[_TRACE_ID] = trace_id


def _event(payload: bytes) -> "Any":
    try:
        return from_json(payload)
    except Exception as error:
        raise Fault("Runtime.UnmarshalError", f"Unable to unmarshal input: {error}") from error


def _response(response: "Any") -> bytes:
    """Bytes go out as they are; everything else as JSON."""
    if isinstance(response, bytes):
        return response
    try:
        return to_json(response).encode("utf-8")
    except Exception as error:
        raise Fault("Runtime.MarshalError", f"Unable to marshal response: {error}") from error


def _failure(described: "dict[str, Any]") -> "tuple[bytes, bytes]":
    """Meta and payload of a failure's frame."""
    meta = to_json({"error_type": described["errorType"]})
    return meta.encode("utf-8", "replace"), to_json(described).encode("utf-8", "replace")
