"""What a node has to do and what waits there, as it tells the others: reports of what has changed."""

from collections.abc import Callable, Mapping

import msgspec

from lambent.model.function import FunctionId


def warm_key(function: FunctionId, version: str, tenant_id: str | None) -> str:
    """Names the environments that can run an invocation. No name has a slash but a tenant's, which is last."""
    return f"{function.account_id}/{function.region}/{function.name}/{version}/{tenant_id or ''}"


class Load(msgspec.Struct, kw_only=True):
    """`busy` environments run or start on `cpus`; `idle` is how many wait, by warm key, and `ready` how many of those
    were provisioned. `room` is how many more the node may run, by the names of the limits of which it has a part. Who
    is `ending` takes nothing new; a `member` has renewed its membership lately. `running` is how much runs of each
    function (ACCOUNT/REGION/NAME). `provisioned` is how many environments are initialized for that, busy ones among
    them, and `failures` says why others are not. Kept up to date by reports, and by what is sent to the node in
    between."""

    busy: int = 0
    cpus: int = 1
    ending: bool = False
    member: bool = False
    idle: dict[str, int] = {}
    ready: dict[str, int] = {}
    room: dict[str, int] = {}
    running: dict[str, int] = {}
    provisioned: dict[str, int] = {}
    failures: dict[str, str] = {}

    @property
    def pressure(self) -> float:
        return self.busy / self.cpus

    def may_run(self, warm: str, limit: str) -> bool:
        """Whether the limit leaves room there. Who has no part of it may still get one."""
        return self.room.get(limit, 1) > 0 or self.ready.get(warm, 0) > 0

    def begun(self, warm: str, limit: str) -> None:
        self.busy += 1
        for counts, key in ((self.idle, warm), (self.room, limit)):
            if counts.get(key, 0) > 0:
                counts[key] -= 1

    def ended(self, warm: str, limit: str) -> None:
        self.busy = max(0, self.busy - 1)
        self.idle[warm] = self.idle.get(warm, 0) + 1
        if limit in self.room:
            self.room[limit] += 1

    def take(self, report: bytes) -> None:
        """Raises msgspec.DecodeError."""
        told = _decoder.decode(report)
        self.busy, self.cpus = told.busy, told.cpus
        self.ending, self.member = told.ending, told.member
        _merge(self.idle, told.idle)
        _merge(self.ready, told.ready)
        _merge(self.running, told.running)
        _merge(self.provisioned, told.provisioned)
        self.failures = told.failures
        # Without a part and with one that is used up are two things.
        self.room.update(told.room)
        for limit in told.no_part:
            self.room.pop(limit, None)


class Report(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A load as it is told: of its mappings only what has changed, 0 for what is no more."""

    busy: int = 0
    cpus: int = 1
    ending: bool = False
    member: bool = False
    idle: dict[str, int] = {}
    ready: dict[str, int] = {}
    room: dict[str, int] = {}
    running: dict[str, int] = {}
    no_part: list[str] = []
    provisioned: dict[str, int] = {}
    failures: dict[str, str] = {}
    """All of them: there are few."""


_decoder = msgspec.msgpack.Decoder(Report)
_encode = msgspec.msgpack.Encoder().encode


class Reporter:
    """What one listener has not been told yet."""

    def __init__(self, current: Callable[[], Load]) -> None:
        self._current = current
        self._told: Load | None = None

    def __call__(self) -> bytes:
        """Empty where nothing has changed."""
        load, told = self._current(), self._told
        if load == told:
            return b""
        told = told or Load()
        self._told = load
        return _encode(
            Report(
                busy=load.busy,
                cpus=load.cpus,
                ending=load.ending,
                member=load.member,
                idle=_changed(told.idle, load.idle),
                ready=_changed(told.ready, load.ready),
                running=_changed(told.running, load.running),
                provisioned=_changed(told.provisioned, load.provisioned),
                failures=load.failures,
                room={limit: room for limit, room in load.room.items() if told.room.get(limit) != room},
                no_part=list(told.room.keys() - load.room.keys()),
            )
        )


def _changed(before: Mapping[str, int], now: Mapping[str, int]) -> dict[str, int]:
    changed = {key: count for key, count in now.items() if before.get(key) != count}
    return changed | dict.fromkeys(before.keys() - now.keys(), 0)


def _merge(known: dict[str, int], changed: Mapping[str, int]) -> None:
    for key, count in changed.items():
        if count:
            known[key] = count
        else:
            known.pop(key, None)
