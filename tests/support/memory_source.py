"""An event source in memory, for unit tests; held to the same contract as real ones."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass

from lambent.base.clock import ManualClock
from lambent.event_sources.source import Record
from lambent.model.error import ServiceException


class SourceGone(ServiceException):
    pass


@dataclass
class _Held:
    id: str
    data: str
    group: str | None
    visible_at: float = 0.0
    receives: int = 0


class MemorySource:
    """Implements EventSource: a queue of which `send` is the other end. `settled` has what was done with."""

    data_member = "body"
    poll_most = 10

    def __init__(self, clock: ManualClock, *, ordered: bool = False, hold_seconds: float = 30.0) -> None:
        self.ordered = ordered
        self.settled: list[str] = []
        self.polls = 0
        self.error: ServiceException | None = None
        self._clock = clock
        self._hold = hold_seconds
        self._records: list[_Held] = []
        self._sent = asyncio.Event()
        self._numbers = iter(range(1_000_000))

    def send(self, *bodies: str, group: str | None = None) -> None:
        self._records += [_Held(f"m{next(self._numbers)}", body, group) for body in bodies]
        self._sent.set()

    def bodies(self) -> list[str]:
        """Of what is neither settled nor held by anybody."""
        return [held.data for held in self._records if held.visible_at <= self._clock.now()]

    def waiting(self) -> list[str]:
        return [held.data for held in self._records]

    async def hold_seconds(self) -> float:
        self._refuse()
        return self._hold

    async def poll(self, *, most: int, wait_seconds: float) -> Sequence[Record]:
        self.polls += 1
        self._refuse()
        self._sent.clear()
        found = self._take(most)
        if not found and wait_seconds > 0:
            try:
                await asyncio.wait_for(self._sent.wait(), wait_seconds)
            except TimeoutError:
                return ()
            self._refuse()
            found = self._take(most)
        return found

    async def settle(self, records: Sequence[Record]) -> None:
        self._refuse()
        gone = {record.id for record in records}
        self.settled += [held.data for held in self._records if held.id in gone]
        self._records = [held for held in self._records if held.id not in gone]

    async def give_back(self, records: Sequence[Record]) -> None:
        self._refuse()
        for held in self._records:
            if held.id in {record.id for record in records}:
                held.visible_at = 0.0
        self._sent.set()

    async def give_up(self, records: Sequence[Record]) -> None:
        await self.settle(records)

    def event(self, batch: Sequence[Record]) -> bytes:
        return b'{"Records":[' + b",".join(record.text for record in batch) + b"]}"

    def _refuse(self) -> None:
        if self.error is not None:
            raise self.error

    def _take(self, most: int) -> list[Record]:
        now, found = self._clock.now(), list[Record]()
        busy = {held.group for held in self._records if held.visible_at > now and held.group}
        for held in self._records:
            if held.visible_at > now or held.group in busy or len(found) == most:
                continue
            held.visible_at = now + self._hold
            held.receives += 1
            payload = {"messageId": held.id, "body": held.data, "attributes": {}}
            found.append(
                Record(
                    id=held.id,
                    payload=payload,
                    text=json.dumps(payload).encode(),
                    data=held.data,
                    group=held.group,
                    handle=f"{held.id}/{held.receives}",
                )
            )
        return found
