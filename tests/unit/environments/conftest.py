"""Environments over sandboxes of paper: real channels and pipes, and a bootstrap that does what a test says."""

import asyncio
import json
import os
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from lambent.base.clock import Clock, SystemClock
from lambent.environments.blanks import Blanks
from lambent.environments.environment import Environment
from lambent.environments.log_delivery import LogDelivery
from lambent.environments.pool import Lifetimes
from lambent.environments.pools import Pools
from lambent.environments.surroundings import Surroundings, Trees
from lambent.environments.zygotes import Zygotes
from lambent.model.credential import Credential
from lambent.model.function import CodeReference, FunctionId, FunctionVersion, LoggingConfig
from lambent.model.invocation import Invocation
from lambent.runtimes.install import RuntimeInstall
from lambent.sandbox.port import Exit, Process, Root, SandboxError

INSTALL = RuntimeInstall(
    identifier="python3.12",
    kind="channel",
    interpreter=None,
    version="3.12.7",
    root=Root(binds=()),
    argv=("/bootstrap",),
    static_variables={"LANG": "C"},
    exec_time_variables=frozenset({"LD_PRELOAD"}),
    yielding_options={},
)
HEADER = struct.Struct("<BIII")


HELLO = FunctionId("123456789012", "eu-west-1", "hello")


class Bootstrap:
    """The other end of a channel. `say` prints; `exit` ends the process."""

    def __init__(self, sandbox: "PaperSandbox", process: Process, bench: "Bench") -> None:
        self.sandbox = sandbox
        self.process = process
        self._bench = bench
        self._channel = socket.socket(fileno=os.dup(process.files[3]))
        self._channel.setblocking(False)
        self._sequence = 0
        self._stdout = os.dup(process.files[1])
        self.task = asyncio.create_task(self._run())

    async def send(self, kind: int, payload: bytes = b"", **meta: Any) -> None:
        text = json.dumps(meta).encode() if meta else b""
        await asyncio.get_running_loop().sock_sendall(
            self._channel, HEADER.pack(kind, self._sequence, len(text), len(payload)) + text + payload
        )

    def say(self, text: str) -> None:
        os.write(self._stdout, text.encode())

    def exit(self, code: int | None = None, signal: int | None = None) -> None:
        if self._stdout >= 0:
            self._channel.close()
            os.close(self._stdout)
            self._stdout = -1
        self.sandbox.end(Exit(code=code, signal=signal))

    async def _run(self) -> None:
        try:
            await self._bench.on_start(self)
            while True:
                kind, self._sequence, meta_length, length = HEADER.unpack(await self._read(HEADER.size))
                meta = json.loads(await self._read(meta_length))
                payload = await self._read(length)
                if kind == 1:
                    self.sandbox.settings = meta
                    await self._bench.on_init(self)
                else:
                    await self._bench.on_invoke(self, payload)
        except (ConnectionError, OSError):
            pass
        finally:
            self.exit(code=0)

    async def _read(self, length: int) -> bytes:
        data = b""
        while len(data) < length:
            more = await asyncio.get_running_loop().sock_recv(self._channel, length - len(data))
            if not more:
                raise ConnectionError
            data += more
        return data


class PaperSandbox:
    def __init__(self, bench: "Bench", number: int) -> None:
        self.id = f"sandbox-{number}"
        self.listeners = ("runtime API", "gateway")
        self.exited: asyncio.Future[Exit] = asyncio.get_running_loop().create_future()
        self.steps: list[str] = []
        self.settings: dict[str, Any] = {}
        self.process: Process | None = None
        self.peak_bytes = 40 << 20
        self.peak_reads = 0
        self._bench = bench
        self._bootstrap: Bootstrap | None = None

    def translate(self, variables: Any) -> dict[str, str]:
        return dict(variables)

    async def start(self, process: Process, beside: Any = ()) -> None:
        await self._step("start")
        self.process = process
        self._bootstrap = Bootstrap(self, process, self._bench)

    async def attach(self, binds: Any) -> None:
        await self._step("attach")

    async def resize_tmp(self, mib: int) -> None:
        await self._step(f"resize_tmp {mib}")

    async def seal(self, binds: Any = ()) -> None:
        if binds:
            await self._step("attach")
        await self._step("seal")

    def limit_memory(self, mib: int) -> None:
        self.steps.append(f"limit_memory {mib}")

    def limit_cpu(self, cpus: float | None) -> None:
        self.steps.append(f"limit_cpu {cpus:.3f}")

    def memory_peak_bytes(self) -> int:
        self.peak_reads += 1
        return self.peak_bytes

    def freeze(self) -> None:
        self.steps.append("freeze")

    def thaw(self) -> None:
        self.steps.append("thaw")

    async def destroy(self) -> None:
        if "destroy" not in self.steps:
            await self._step("destroy")
            if self._bootstrap is not None:
                self._bootstrap.task.cancel()
                await asyncio.wait([self._bootstrap.task])
            self.end(Exit(signal=9))
            self._bench.backend.alive.discard(self)

    def end(self, exit: Exit) -> None:
        if not self.exited.done():
            self.exited.set_result(exit)

    async def _step(self, name: str) -> None:
        self.steps.append(name)
        if (gate := self._bench.gates.get(name)) is not None:
            await gate.wait()
        if (error := self._bench.failures.get(name)) is not None:
            raise error


class PaperZygote:
    def __init__(self) -> None:
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.copies = 0

    async def close(self) -> None:
        if not self.ended.done():
            self.ended.set_result(None)


class PaperBackend:
    def __init__(self, bench: "Bench") -> None:
        self._bench = bench
        self.made: list[PaperSandbox] = []
        self.alive: set[PaperSandbox] = set()
        self.zygotes: list[PaperZygote] = []
        self.held = False
        """Whether a sandbox waits at the gate "create"."""

    async def open_zygote(self, root: Any, process: Any) -> PaperZygote:
        await asyncio.sleep(0)
        if (gate := self._bench.gates.get("open_zygote")) is not None:
            await gate.wait()
        if (error := self._bench.failures.get("open_zygote")) is not None:
            raise error
        self.zygotes.append(PaperZygote())
        return self.zygotes[-1]

    async def create(self, spec: Any, process: Any = None) -> PaperSandbox:
        await asyncio.sleep(0)
        if spec.zygote is not None:
            if spec.zygote.ended.done():
                raise SandboxError("the zygote has ended")
            spec.zygote.copies += 1
        if (gate := self._bench.gates.get("create")) is not None:
            self.held = True
            await gate.wait()
        if (error := self._bench.failures.get("create")) is not None:
            raise error
        if self._bench.next_failures:
            raise self._bench.next_failures.pop(0)
        sandbox = PaperSandbox(self._bench, len(self.made) + 1)
        self.made.append(sandbox)
        self.alive.add(sandbox)
        return sandbox


class RecordingStore:
    """Of LogStore what log delivery uses."""

    def __init__(self) -> None:
        self.messages: list[str] = []
        self.refusal: Exception | None = None
        self.gate: asyncio.Event | None = None

    async def append_many(self, batches: Any) -> None:
        if self.gate is not None:
            await self.gate.wait()
        if self.refusal is not None:
            raise self.refusal
        self.messages += [event.message for *_, events in batches for event in events]


class Bench:
    """What the tests set: how the bootstrap behaves, which steps of a sandbox fail (`failures`) or wait (`gates`)."""

    def __init__(self) -> None:
        self.failures: dict[str, Exception] = {}
        self.gates: dict[str, asyncio.Event] = {}
        self.next_failures: list[Exception] = []
        """Each fails one making of a sandbox."""
        self.on_start: Callable[[Bootstrap], Awaitable[None]] = ready
        self.on_init: Callable[[Bootstrap], Awaitable[None]] = initialized
        self.on_invoke: Callable[[Bootstrap, bytes], Awaitable[None]] = echo
        self.clock: Clock = SystemClock()
        self.backend = PaperBackend(self)
        self.store = RecordingStore()
        self.logs = LogDelivery(self.store, self.clock, 0.01)  # type: ignore[arg-type]
        self.install = INSTALL
        self.serve_error: Exception | None = None
        self.credential_error: Exception | None = None
        self.prepare_error: Exception | None = None
        self.released = 0
        self.closed_listeners = 0
        self.served = 0
        self.init_timeout_seconds = 5.0
        self._made_blanks: list[Blanks] = []

    def blanks(self, stock: int = 0, zygotes: int = 0) -> Blanks:
        async def gateway(request: Any) -> Any:
            raise AssertionError(request)

        self.zygotes = Zygotes(self.backend, self.clock.monotonic, most=zygotes)  # type: ignore[arg-type]
        blanks = Blanks(self.backend, self.serve, gateway, stock=stock, zygotes=self.zygotes)  # type: ignore[arg-type]
        self._made_blanks.append(blanks)
        return blanks

    async def serve(self, sock: Any, handler: Any) -> "Bench":
        if self.serve_error is not None:
            raise self.serve_error
        self.served += 1
        return self

    async def close(self) -> None:
        self.closed_listeners += 1

    async def issue(self, role_arn: str, session_name: str) -> Credential:
        if self.credential_error is not None:
            raise self.credential_error
        return Credential(
            access_key_id="ASIA", secret_access_key="secret", session_token="token",
            account_id="123456789012", principal_arn="arn:aws:sts::1:assumed-role/r/f", user_id="AROA",
        )  # fmt: skip

    def surroundings(self, stock: int = 0) -> Surroundings:
        return Surroundings(
            blanks=self.blanks(stock),
            credentials=self,
            logs=self.logs,
            clock=self.clock,
            init_timeout_seconds=self.init_timeout_seconds,
        )

    def _release(self) -> None:
        self.released += 1

    def environment(self, **settings: Any) -> Environment:
        trees = Trees(task=Path("/code"), layers=None, release=self._release)
        return Environment(version(**settings), self.install, trees, self.surroundings())

    async def started(self, **settings: Any) -> Environment:
        environment = self.environment(**settings)
        await environment.start()
        return environment

    async def prepare(self, wanted: FunctionVersion) -> tuple[RuntimeInstall, Trees]:
        if self.prepare_error is not None:
            raise self.prepare_error
        return self.install, Trees(task=Path("/code"), layers=None, release=self._release)

    def pools(self, **lifetimes: float) -> Pools:
        return Pools(
            self.prepare,
            self.surroundings(),
            Lifetimes(**{"freeze_after": 1.0, "idle_expiry": 100.0, "age_most": 1000.0} | lifetimes),
        )

    async def log(self) -> str:
        await self.logs.flush()
        return "".join(self.store.messages)

    async def until(self, condition: Callable[[], object]) -> None:
        """Lets everything else run until it is so."""
        async with asyncio.timeout(2):
            while not condition():  # noqa: ASYNC110 - there is no event for what a test looks at
                await asyncio.sleep(0)

    async def quiesce(self) -> None:
        for blanks in self._made_blanks:
            await blanks.close()


async def ready(bootstrap: Bootstrap) -> None:
    await bootstrap.send(16)


async def initialized(bootstrap: Bootstrap) -> None:
    await bootstrap.send(17)


async def echo(bootstrap: Bootstrap, payload: bytes) -> None:
    await bootstrap.send(19, payload)


def version(**settings: Any) -> FunctionVersion:
    return FunctionVersion(
        **{
            "function": HELLO,
            "runtime": "python3.12",
            "handler": "app.handler",
            "role": "arn:aws:iam::123456789012:role/r",
            "code": CodeReference(digest="d", sha256="s", size=1),
            "timeout": 5,
            "logging": LoggingConfig(log_group="/aws/lambda/hello"),
            "last_modified": 0.0,
            "revision_id": "1",
            "state": "Active",
            **settings,
        }
    )


def invocation(payload: bytes = b'"hi"', **settings: Any) -> Invocation:
    default = {
        "request_id": "r-1",
        "function": HELLO,
        "invoked_arn": "arn:aws:lambda:::hello",
        "payload": payload,
    }
    return Invocation(**default | settings)


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    bench = Bench()
    yield bench
    for gate in bench.gates.values():
        gate.set()
    bench.failures.clear()
    await bench.quiesce()
    for sandbox in list(bench.backend.alive):
        await sandbox.destroy()


@pytest.fixture
def sandbox_error() -> SandboxError:
    return SandboxError("the kernel said no")


@pytest.fixture(name="version")
def version_fixture() -> Callable[..., FunctionVersion]:
    return version


@pytest.fixture(name="invocation")
def invocation_fixture() -> Callable[..., Invocation]:
    return invocation
