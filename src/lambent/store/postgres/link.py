"""A connection that is made again when it was lost."""

import random
import time
from collections.abc import Callable

import psycopg

from lambent.store.ports.errors import StoreUnavailableError
from lambent.store.postgres.connection import PostgresConnection, connect
from lambent.store.postgres.outage import Outage

_BACKOFF_LEAST, _BACKOFF_MOST = 0.05, 2.0
_BRIDGING_BACKOFF_MOST = 0.25
"""While callers wait for it."""


class Link:
    """Belongs to one thread. While the database cannot be reached, who asks waits as long as the outage is bridged.
    Then an attempt is made every two seconds at most, and who asks in between is refused at once."""

    def __init__(
        self,
        url: str,
        outage: Outage,
        *,
        connect: Callable[[str], PostgresConnection] = connect,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._url = url
        self._outage = outage
        self._connect = connect
        self._monotonic = monotonic
        self._sleep = sleep
        self._connection: PostgresConnection | None = None
        self._failures = 0
        self._not_before = 0.0

    def get(self) -> PostgresConnection:
        """Raises StoreUnavailableError, StoreError."""
        if self._connection is not None and not self._connection.lost:
            return self._connection
        self._connection = None
        while True:
            try:
                return self._made()
            except StoreUnavailableError:
                if not self._outage.bridged:
                    raise
                self._sleep(max(0.0, self._not_before - self._monotonic()))

    def _made(self) -> PostgresConnection:
        if self._monotonic() < self._not_before:
            raise StoreUnavailableError("the database cannot be reached")
        try:
            self._connection = self._connect(self._url)
        except psycopg.Error as error:
            self._failures += 1
            self._outage.failed(error)
            most = _BRIDGING_BACKOFF_MOST if self._outage.bridged else _BACKOFF_MOST
            delay = min(_BACKOFF_LEAST * 2**self._failures, most)
            self._not_before = self._monotonic() + delay * random.uniform(0.5, 1)  # noqa: S311 - no secret
            raise StoreUnavailableError(f"the database cannot be reached: {error}") from error
        self._failures = 0
        self._outage.connected()
        return self._connection

    def drop(self) -> None:
        if self._connection is not None:
            self._connection.raw.close()
            self._connection = None
