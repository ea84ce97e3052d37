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
    assert store.asked == [100_000, 160_000, 220_000]
    assert "deleted 3 expired batches" in caplog.text
    assert "disk is full" in caplog.text


def test_without_a_policy_nothing_expires() -> None:
    group = LogGroup(account_id="1", region="r", name="n", created_ms=0)
    assert oldest_kept_ms(group, 10**12) == 0
