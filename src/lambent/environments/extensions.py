"""Extensions: what runs beside a runtime, and takes part in its life. They ask by HTTP (extensions_api.py).

External extensions are the executables in /opt/extensions; they are started with the environment, and Init is over
when each has registered and asked for its first event. Internal ones register from within the runtime. An environment
is free for the next invocation when everybody who is told of invocations has asked for the next event.

Source: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html
"""

import asyncio
import os
from asyncio import Future
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lambent.base.ids import new_uuid
from lambent.environments.link import InvokeRequest, LinkError
from lambent.environments.telemetry import Telemetry

SHUTDOWN_SECONDS = 2.0
_LAST_TELEMETRY_SECONDS = 0.5
"""For what is still to be delivered, before extensions are told of their end."""
_MOST = 10
_EVENTS = ("INVOKE", "SHUTDOWN")
_NOT_FOR_EXTENSIONS = frozenset(
    {
        "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_LOG_GROUP_NAME",
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "AWS_XRAY_CONTEXT_MISSING",
        "AWS_XRAY_DAEMON_ADDRESS",
        "LAMBDA_RUNTIME_DIR",
        "LAMBDA_TASK_ROOT",
        "_AWS_XRAY_DAEMON_ADDRESS",
        "_AWS_XRAY_DAEMON_PORT",
        "_HANDLER",
        "_LAMBDA_TELEMETRY_LOG_FD",
    }
)


class ExtensionError(LinkError):
    """An extension failed, and its environment with it. `error_type` is AWS's, or what the extension said."""

    def __init__(self, message: str, error_type: str) -> None:
        super().__init__(message)
        self.error_type = error_type


class RegistrationError(Exception):
    """Refused; `status` is that of HTTP."""

    def __init__(self, error_type: str, message: str, status: int = 403) -> None:
        super().__init__(message)
        self.error_type = error_type
        self.status = status


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtensionState:
    """How far an extension came in Init: Started, Registered, Ready; or LaunchError, InitError, ExitError, Exited."""

    name: str
    state: str
    events: tuple[str, ...] = ()
    error_type: str | None = None


@dataclass(slots=True, kw_only=True)
class Extension:
    """`asked` is there while it waits for its next event; `told` are events that it has not asked for yet."""

    name: str
    identifier: str
    events: tuple[str, ...]
    external: bool
    asked: "Future[dict[str, Any]] | None" = None
    told: deque[dict[str, Any]] = field(default_factory=deque)

    @property
    def waits(self) -> bool:
        return self.asked is not None

    def tell(self, event: dict[str, Any]) -> None:
        if self.asked is not None and not self.asked.done():
            self.asked.set_result(event)
            self.asked = None
        else:
            self.told.append(event)


def variables_of(variables: Mapping[str, str]) -> dict[str, str]:
    """Those of the function that its extensions have, too."""
    return {name: value for name, value in variables.items() if name not in _NOT_FOR_EXTENSIONS}


class Extensions:
    """Of one environment. `failed` is called once, when an extension takes the environment down with it."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._expected: frozenset[str] = frozenset()
        self.described: dict[str, str] = {}
        self._registered: dict[str, Extension] = {}
        self._lives: dict[int, str] = {}
        self._open = True
        """Until Init is over: then nobody registers any more."""
        self._ending = False
        self._changed: Future[None] | None = None
        self.failed: Callable[[], None] = lambda: None
        self.open_telemetry: Callable[[], Telemetry] | None = None
        """Makes it, for the first who subscribes; None as long as this is nobody's environment."""
        self.telemetry: Telemetry | None = None
        self.failure: ExtensionError | None = None
        self._failed_state: ExtensionState | None = None

    def expect(self, names: Sequence[str], described: dict[str, str]) -> None:
        """Before any is started. `described` is what a registration answers: functionName, functionVersion, handler."""
        self._expected = frozenset(names)
        self.described = described

    def watch(self, name: str, life: int) -> None:
        """`life` is the read end of a pipe whose other end `name` holds until it ends. Belongs to us from here on."""
        self._lives[life] = name
        self._loop.add_reader(life, self._life_ended, life)

    @property
    def present(self) -> bool:
        return bool(self._registered or self._expected)

    @property
    def settled(self) -> bool:
        """Whether nobody is busy with an invocation any more."""
        return all(one.waits for one in self._registered.values() if "INVOKE" in one.events)

    def states(self) -> list[ExtensionState]:
        """Of each that has registered, or should."""
        known = {one.name: one for one in self._registered.values()}
        found = [
            ExtensionState(name=name, state="Ready" if one.waits else "Registered", events=one.events)
            for name, one in known.items()
        ]
        found += [
            ExtensionState(name=name, state="Started") for name in sorted(self._expected - known.keys())
        ]
        failed = self._failed_state
        if failed is None:
            return found
        return [one for one in found if one.name != failed.name] + [failed]

    def not_launched(self, name: str, error_type: str) -> None:
        self._failed_state = ExtensionState(name=name, state="LaunchError", error_type=error_type)

    async def registered_all(self) -> None:
        """Returns when those that are expected have registered. Raises ExtensionError."""
        await self._until(lambda: self._expected <= {one.name for one in self._registered.values()})

    async def initialized(self) -> None:
        """Returns when all have registered and wait for their first event. Raises ExtensionError."""
        await self._until(
            lambda: (
                self._expected <= {one.name for one in self._registered.values()}
                and all(one.waits for one in self._registered.values())
            )
        )
        self.close_registration()

    def close_registration(self) -> None:
        """Init is over."""
        self._open = False
        if self.telemetry is not None:
            self.telemetry.init_over()

    def invoke(self, request: InvokeRequest) -> None:
        event = {
            "eventType": "INVOKE",
            "deadlineMs": request.deadline_ms,
            "requestId": request.request_id,
            "invokedFunctionArn": request.invoked_arn,
            "tracing": {"type": "X-Amzn-Trace-Id", "value": request.trace_id or ""},
        }
        self._tell("INVOKE", event)

    async def settle(self) -> None:
        """Returns when all are `settled`. Raises ExtensionError."""
        await self._until(lambda: self.settled)

    async def shut_down(self, reason: str, now: float) -> None:
        """Tells those who want to know, and gives them two seconds to end. `reason` is SPINDOWN, TIMEOUT or FAILURE;
        `now` epoch seconds."""
        self._ending = True
        if self.telemetry is not None:
            await self.telemetry.flush(_LAST_TELEMETRY_SECONDS)
        deadline_ms = int((now + SHUTDOWN_SECONDS) * 1000)
        event = {"eventType": "SHUTDOWN", "shutdownReason": reason, "deadlineMs": deadline_ms}
        if self._tell("SHUTDOWN", event) and self._lives:
            try:
                await asyncio.wait_for(self._until(lambda: not self._lives), SHUTDOWN_SECONDS)
            except (TimeoutError, ExtensionError):
                return

    def close(self) -> None:
        self._ending = True
        if self.telemetry is not None:
            self.telemetry.close()
        for life in list(self._lives):
            self._forget(life)
        for one in self._registered.values():
            if one.asked is not None:
                one.asked.cancel()

    def _tell(self, event_type: str, event: dict[str, Any]) -> int:
        interested = [one for one in self._registered.values() if event_type in one.events]
        for one in interested:
            one.tell(event)
        return len(interested)

    async def _until(self, holds: Callable[[], bool]) -> None:
        while not holds():
            if self.failure is not None:
                raise self.failure
            self._changed = self._loop.create_future()
            await self._changed

    def _change(self) -> None:
        if self._changed is not None and not self._changed.done():
            self._changed.set_result(None)

    def _fail(self, name: str, state: str, message: str, error_type: str) -> None:
        if self.failure is None and not self._ending:
            self.failure = ExtensionError(message, error_type)
            events = next((one.events for one in self._registered.values() if one.name == name), ())
            self._failed_state = ExtensionState(name=name, state=state, events=events, error_type=error_type)
            self.failed()
        self._change()

    def _life_ended(self, life: int) -> None:
        if os.read(life, 1):
            return  # it wrote there, for whatever reason
        name = self._lives[life]
        self._forget(life)
        self._fail(name, "Exited", f"extension {name} has ended", "Extension.Crash")

    def _forget(self, life: int) -> None:
        del self._lives[life]
        self._loop.remove_reader(life)
        os.close(life)

    # What they ask for

    def register(self, name: str, events: Sequence[str]) -> Extension:
        """Raises RegistrationError. What an extension learns by it is `described`."""
        external = name in self._expected
        self._require_valid(name, events, external=external)
        one = Extension(name=name, identifier=new_uuid(), events=tuple(events), external=external)
        self._registered[one.identifier] = one
        self._change()
        return one

    def _require_valid(self, name: str, events: Sequence[str], *, external: bool) -> None:
        """Internal extensions end with their runtime: there is no SHUTDOWN to tell them."""
        if not name:
            raise RegistrationError("Extension.InvalidExtensionName", "Empty extension name", 400)
        if not self._open:
            raise RegistrationError("Extension.RegistrationClosed", "Extension registration closed")
        for event in events:
            if event not in _EVENTS or (event == "SHUTDOWN" and not external):
                raise RegistrationError("Extension.InvalidEventType", f"{event}: invalid event type")
        if any(one.name == name for one in self._registered.values()):
            raise RegistrationError("Extension.AlreadyRegistered", f"extension {name} has registered already")
        if len(self._registered) >= _MOST:
            raise RegistrationError("Extension.TooManyExtensions", f"Extension limit ({_MOST}) reached")

    def find(self, identifier: str) -> Extension | None:
        return self._registered.get(identifier)

    async def next_event(self, one: Extension) -> dict[str, Any]:
        """Of one that does not wait for any yet. What it was told while its connection broke is for its next one."""
        if one.told:
            return one.told.popleft()
        asked: Future[dict[str, Any]] = self._loop.create_future()
        one.asked = asked
        self._change()
        try:
            return await asked
        except asyncio.CancelledError:
            if asked.done() and not asked.cancelled():
                one.told.appendleft(asked.result())
            if one.asked is asked:
                one.asked = None
            raise

    def report(self, one: Extension, state: str, error_type: str) -> None:
        """It says that it fails, in `state`: InitError or ExitError."""
        self._fail(one.name, state, f"extension {one.name} reported {error_type}", error_type)

    def telemetry_to_subscribe(self) -> Telemetry | None:
        """None where Init is over, or this is nobody's environment."""
        if not self._open or self.open_telemetry is None:
            return None
        self.telemetry = self.telemetry or self.open_telemetry()
        return self.telemetry
