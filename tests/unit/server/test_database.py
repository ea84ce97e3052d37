"""A start whose database cannot be reached yet."""

import logging
from typing import Any, cast

import pytest

from lambent.server.database import open_database
from lambent.store.ports.errors import StoreError, StoreUnavailableError
from lambent.store.sql.database import Database


class Opening:
    """Databases of which so many cannot be opened, on a clock that moves while somebody waits."""

    def __init__(self, failures: int, error: StoreError) -> None:
        self.now = 0.0
        self.opened = 0
        self._failures = failures
        self._error = error

    def choose(self) -> Database:
        return cast(Any, self)

    def open(self) -> None:
        self.opened += 1
        if self.opened <= self._failures:
            raise self._error

    async def sleep(self, seconds: float) -> None:
        self.now += seconds

    async def wait(self, seconds: float) -> None:
        await open_database(self.choose, seconds=seconds, monotonic=lambda: self.now, sleep=self.sleep)


async def test_it_is_waited_for_and_that_is_told(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    opening = Opening(3, StoreUnavailableError("connection refused\nIs it running?"))
    await opening.wait(60)
    assert opening.opened == 4
    assert [record.getMessage() for record in caplog.records] == [
        f"waiting for the database, for {left} s at most: connection refused" for left in (60, 58, 56)
    ]


async def test_not_for_ever() -> None:
    opening = Opening(99, StoreUnavailableError("connection refused"))
    with pytest.raises(StoreUnavailableError):
        await opening.wait(5)
    assert (opening.opened, opening.now) == (4, 5.0)


async def test_not_where_waiting_does_not_help() -> None:
    opening = Opening(99, StoreError("another encoding"))
    with pytest.raises(StoreError):
        await opening.wait(60)
    assert opening.opened == 1
