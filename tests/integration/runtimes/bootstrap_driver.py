"""The server's side of the channel, for one bootstrap that runs as a plain child process, without a sandbox."""

import contextlib
import json
import os
import select
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lambent.runtimes.interpreters import Interpreter

HEADER = struct.Struct("<BIII")
FRAME = struct.Struct(">IIQ")
READY, INITIALIZED, INIT_FAILED, RESULT, FAILED = 16, 17, 18, 19, 20
SECONDS = 20.0

# Puts the three descriptors where docs/internals/channel.md says, by way of numbers that collide with none of them.
_PLACE = """
import os, sys
high = [os.dup2(int(number), 200 + i) for i, number in enumerate(sys.argv[1:4])]
os.closerange(3, 200)
for source, target in zip((200, 201, 202, 202), (3, 4, 1, 2)):
    os.dup2(source, target)
os.closerange(200, 203)
os.execv(sys.argv[4], sys.argv[4:])
"""

RUNTIMES = Path(__file__).parents[3] / "src/lambent/runtimes"
PYTHON_BOOTSTRAP = ("-S", "-s", str(RUNTIMES / "python/bootstrap.py"))
RUBY_BOOTSTRAP = (str(RUNTIMES / "ruby/bootstrap.rb"),)
NODEJS_BOOTSTRAP = (str(RUNTIMES / "nodejs/index.mjs"),)


@dataclass
class Reply:
    kind: int
    meta: dict[str, Any]
    payload: bytes

    @property
    def value(self) -> Any:
        return json.loads(self.payload)


@dataclass
class LogEvent:
    kind: int
    at_us: int
    text: str


class Bootstrap:
    """Use as a context manager: at its end the channel is closed, and the process has to end by itself."""

    def __init__(self, command: Sequence[str], task: Path, variables: dict[str, str] | None = None) -> None:
        self.task = task
        self._socket, theirs = socket.socketpair()
        self._socket.settimeout(SECONDS)
        self._sequence = 0
        raw, raw_write = os.pipe()
        telemetry, telemetry_write = os.pipe()
        self._pipes = {"raw": raw, "telemetry": telemetry}
        self._read = {"raw": b"", "telemetry": b""}
        given = (theirs.fileno(), telemetry_write, raw_write)
        self.process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _PLACE, *map(str, given), *command],
            pass_fds=given,
            stdin=subprocess.DEVNULL,
            env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8", **(variables or {})},
        )
        for end in (raw_write, telemetry_write):
            os.close(end)
        theirs.close()

    def __enter__(self) -> "Bootstrap":
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()
        try:
            self.process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
        finally:
            for pipe in self._pipes.values():
                os.close(pipe)

    # The channel

    def send(self, kind: int, meta: dict[str, Any], payload: bytes = b"") -> None:
        self._socket.sendall(self.next_frame(kind, meta, payload))

    def next_frame(self, kind: int, meta: dict[str, Any], payload: bytes) -> bytes:
        encoded = json.dumps(meta).encode()
        self._sequence += 1
        return HEADER.pack(kind, self._sequence, len(encoded), len(payload)) + encoded + payload

    def receive(self) -> Reply:
        """Raises EOFError when the bootstrap hung up."""
        kind, sequence, meta_length, payload_length = HEADER.unpack(self._receive(HEADER.size))
        assert sequence == self._sequence, "an answer says which request it answers"
        meta = self._receive(meta_length)
        return Reply(kind, json.loads(meta) if meta else {}, self._receive(payload_length))

    def _receive(self, length: int) -> bytes:
        data = bytearray()
        while len(data) < length:
            part = self._socket.recv(min(length - len(data), 1 << 20))
            if not part:
                raise EOFError
            data += part
        return bytes(data)

    def initialize(self, handler: str, **settings: Any) -> Reply:
        ready = self.receive()
        assert (ready.kind, ready.payload) == (READY, b"")
        return self.send_init(handler, **settings)

    def send_init(self, handler: str, **settings: Any) -> Reply:
        variables = {"LAMBDA_TASK_ROOT": str(self.task), "PATH": os.environ["PATH"], "TZ": ":UTC"}
        variables.update(settings.pop("variables", {}))
        defaults = {
            "function_name": "greeter",
            "function_version": "7",
            "memory_limit_mb": 256,
            "log_group": "/aws/lambda/greeter",
            "log_stream": "2026/11/20/[7]abc",
            "log_format": "Text",
            "log_level": None,
        }
        self.send(1, {**defaults, "handler": handler, "variables": variables, **settings})
        return self.receive()

    def request(self, event: Any = None, *, payload: bytes | None = None, **meta: Any) -> None:
        defaults = {
            "request_id": "request-1",
            "deadline_ms": int(time.time() * 1000) + 30_000,
            "invoked_arn": "arn:aws:lambda:eu-west-1:123456789012:function:greeter:live",
        }
        self.send(2, {**defaults, **meta}, json.dumps(event).encode() if payload is None else payload)

    def invoke(self, event: Any = None, *, payload: bytes | None = None, **meta: Any) -> Reply:
        self.request(event, payload=payload, **meta)
        return self.receive()

    # What it writes

    def logs(self) -> list[LogEvent]:
        """What came through the telemetry pipe until now."""
        data = self._take("telemetry")
        events = []
        while len(data) >= FRAME.size:
            kind, length, at_us = FRAME.unpack_from(data)
            text = data[FRAME.size : FRAME.size + length]
            assert len(text) == length, "frames are written whole"
            events.append(LogEvent(kind, at_us, text.decode()))
            data = data[FRAME.size + length :]
        assert not data
        self._read["telemetry"] = b""
        return events

    def texts(self) -> list[str]:
        return [event.text for event in self.logs()]

    def raw_output(self) -> str:
        return self._take("raw").decode()

    def _take(self, name: str) -> bytes:
        pipe = self._pipes[name]
        while select.select([pipe], [], [], 0)[0]:
            part = os.read(pipe, 1 << 16)
            if not part:
                break
            self._read[name] += part
        return self._read[name]

    def wait(self) -> int:
        """The exit status, once it has ended."""
        with contextlib.suppress(EOFError, ConnectionResetError):
            raise AssertionError(f"answered: {self.receive()}")
        return self.process.wait(SECONDS)


Start = Callable[..., Bootstrap]


def unstarted(interpreter: Interpreter, task: Path, source: str | None = None) -> Bootstrap:
    """A bootstrap that was sent nothing yet."""
    if interpreter.language == "python":
        if source is not None:
            (task / "app.py").write_text(source)
        return Bootstrap([str(interpreter.path), *PYTHON_BOOTSTRAP], task)
    if interpreter.language == "ruby":
        if source is not None:
            (task / "lambda_function.rb").write_text(source)
        return Bootstrap([str(interpreter.path), *RUBY_BOOTSTRAP], task)
    if source is not None:
        (task / "index.js").write_text(source)
    return Bootstrap([str(interpreter.path), *NODEJS_BOOTSTRAP], task)
