from types import SimpleNamespace

from lambent.base.clock import ManualClock
from lambent.services.sqs.sweep import Sweep

DAY = 86_400.0


class Queues(list):
    def __init__(self, clock: ManualClock, *queues: SimpleNamespace) -> None:
        super().__init__(queues)
        self._clock = clock

    def now(self) -> int:
        return int(self._clock.now() * 1000)


class Messages:
    """When those that have expired were sent, in seconds."""

    def __init__(self) -> None:
        self.expired_at = 0.0

    async def sweep_deduplication(self, *, now: int, latest: int) -> None:
        pass

    async def bring_back(self, queue_id: int, *, now: int) -> int:
        return 0

    async def expire(self, queue_id: int, *, expired_at: int, limit: int) -> int:
        self.expired_at = expired_at / 1000
        return 0


class Store:
    async def sweep_discarded(self, limit: int) -> int:
        return 0


async def test_no_message_expires_earlier_because_the_clock_was_set_forward():
    clock, messages = ManualClock(100 * DAY), Messages()
    queue = SimpleNamespace(id=1, name="q", attributes={"MessageRetentionPeriod": str(int(4 * DAY))})
    waiters = SimpleNamespace(wake_each=lambda: None)
    sweep = Sweep(Queues(clock, queue), Store(), messages, None, waiters, clock)
    await sweep.follow_clock()
    sent_at = clock.now()
    clock.set_by(30 * DAY)
    await sweep.follow_clock()
    await sweep.sweep()
    assert messages.expired_at < sent_at
    clock.advance(4 * DAY + 1)
    await sweep.follow_clock()
    await sweep.sweep()
    assert messages.expired_at >= sent_at, "but when it is old enough"
    assert messages.expired_at == clock.now() - 4 * DAY
