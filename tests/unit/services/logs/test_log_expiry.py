"""The task that deletes expired events."""

import asyncio
import logging
from typing import cast

import pytest

from lambent.base.clock import ManualClock
from lambent.services.logs.retention import Expiry, oldest_kept_ms
from lambent.store.ports.errors import StoreFullError
from lambent.store.ports.logs import LogGroup, LogStore


class ExpiringStore:
    def __init__(self) -> None:
        self.asked: list[int] = []

    async def expire(self, now_ms: int) -> int:
        self.asked.append(now_ms)
        if len(self.asked) == 2:
            raise StoreFullError("disk is full")
        return 3


async def test_expiry_goes_on_after_a_failure(caplog: pytest.LogCaptureFixture) -> None:
    clock, store = ManualClock(100.0), ExpiringStore()

    async def sleep(seconds: float) -> None:
        clock.advance(seconds)
        if len(store.asked) == 3:
            raise asyncio.CancelledError

    expiry = Expiry(cast(LogStore, store), clock, interval_seconds=60, sleep=sleep)
    with caplog.at_level(logging.INFO), pytest.raises(asyncio.CancelledError):
        await expiry.run()
    assert store.asked == [160_000, 220_000, 280_000]
    assert "deleted 3 expired batches" in caplog.text
    assert "disk is full" in caplog.text


async def test_a_clock_that_was_set_ahead_has_to_stay_there_for_a_week() -> None:
    day = 86_400
    clock, asked = ManualClock(0.0), list[int]()

    class Store:
        async def expire(self, now_ms: int) -> int:
            asked.append(now_ms // 1000 // day)
            return 0

    async def sleep(seconds: float) -> None:
        if len(asked) == 10:
            raise asyncio.CancelledError
        clock.advance(seconds)
        if len(asked) == 1:
            clock.set_by(365 * day)

    expiry = Expiry(cast(LogStore, Store()), clock, interval_seconds=day, sleep=sleep)
    with pytest.raises(asyncio.CancelledError):
        await expiry.run()
    assert asked == [1, 2, 3, 4, 5, 6, 7, 8, 9, 365 + 10]


def test_without_a_policy_nothing_expires() -> None:
    group = LogGroup(account_id="1", region="r", name="n", created_ms=0)
    assert oldest_kept_ms(group, 10**12) == 0
