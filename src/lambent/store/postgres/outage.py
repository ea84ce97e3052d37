"""Whether the database can be reached, as all connections of this node see it together: told when it changes.

A short outage (a restart, another primary) is bridged: whoever comes in its first seconds waits, instead of being
refused. In a longer one everybody is refused at once, so that nobody's patience adds up.
"""

import logging
import threading
import time
from collections.abc import Callable

log = logging.getLogger(__name__)


class Outage:
    """Of one database. `bridged_seconds` of an outage are waited for. Safe to use from several threads."""

    def __init__(
        self, *, bridged_seconds: float = 0.0, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._bridged_seconds = bridged_seconds
        self._monotonic = monotonic
        self._since: float | None = None
        self._lock = threading.Lock()

    @property
    def bridged(self) -> bool:
        """Whether it is worth waiting for its end."""
        since = self._since
        return since is not None and self._monotonic() < since + self._bridged_seconds

    def failed(self, error: Exception) -> None:
        with self._lock:
            began = self._since is None
            if began:
                self._since = self._monotonic()
        if began:
            log.error(
                "the database cannot be reached, what needs it waits for %.0f s, and then is refused: %s",
                self._bridged_seconds,
                error,
            )

    def connected(self) -> None:
        with self._lock:
            since, self._since = self._since, None
        if since is not None:
            log.warning("the database is back after %.0f s", self._monotonic() - since)
