"""Whether the database can be reached, as all connections of this node see it together: told when it changes."""

import logging
import threading
import time
from collections.abc import Callable

log = logging.getLogger(__name__)


class Outage:
    """Of one database. Safe to use from several threads."""

    def __init__(self, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._since: float | None = None
        self._lock = threading.Lock()

    def failed(self, error: Exception) -> None:
        with self._lock:
            began = self._since is None
            if began:
                self._since = self._monotonic()
        if began:
            log.error("the database cannot be reached, what needs it is refused: %s", error)

    def connected(self) -> None:
        with self._lock:
            since, self._since = self._since, None
        if since is not None:
            log.warning("the database is back after %.0f s", self._monotonic() - since)
