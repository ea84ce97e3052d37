"""The environments of a version that are kept initialized before anybody asks: its provisioned concurrency.

They are used before all others, live until they are too old or die, and are then made anew. Where they cannot be made,
because Init fails or the host has no room, that is remembered and tried again later and later.
Source: https://docs.aws.amazon.com/lambda/latest/dg/provisioned-concurrency.html
"""

import logging
from collections.abc import Awaitable, Callable

from lambent.base.tasks import Tasks
from lambent.environments.environment import Environment
from lambent.model.error import ServiceException

log = logging.getLogger(__name__)

_STARTING_MOST = 8
_AGAIN_FIRST_SECONDS = 5.0
_AGAIN_MOST_SECONDS = 300.0


class ProvisionedInitError(Exception):
    """The function's Init failed or took too long."""


class Provisioned:
    """`make` makes one and `admit`s it; `end` ends one, and says so with `lost`."""

    def __init__(
        self,
        make: Callable[[], Awaitable[None]],
        end: Callable[[Environment], None],
        monotonic: Callable[[], float],
    ) -> None:
        self._make = make
        self._end = end
        self._monotonic = monotonic
        self.wanted = 0
        self.idle: list[Environment] = []
        self.failure: str | None = None
        """Why the last could not be made, in AWS's word for it."""
        self._taken = 0
        self._spilled = 0
        self._all: set[Environment] = set()
        self._starting = 0
        self._failures = 0
        self._again_at = 0.0

    @property
    def ready(self) -> int:
        """How many are initialized, busy ones among them."""
        return len(self._all)

    def want(self, wanted: int, tasks: Tasks) -> None:
        self.wanted = wanted
        self.failure = None
        self._failures = 0
        self._again_at = 0.0
        while self.idle and len(self._all) > wanted:
            self._end(self.idle.pop())
        self.start_missing(tasks)

    def start_missing(self, tasks: Tasks) -> None:
        while (
            len(self._all) + self._starting < self.wanted
            and self._starting < _STARTING_MOST
            and self._monotonic() >= self._again_at
        ):
            self._starting += 1
            tasks.start(self._start_one(tasks), "start a provisioned environment")

    async def _start_one(self, tasks: Tasks) -> None:
        try:
            await self._make()
        except ProvisionedInitError:
            self._failed("FUNCTION_ERROR_INIT_FAILURE")
        except ServiceException as error:
            self._failed(error.message)
        except Exception:
            log.exception("a provisioned environment could not be made")
            self._failed("INTERNAL_ERROR")
        else:
            self.failure = None
            self._failures = 0
        finally:
            self._starting -= 1
        self.start_missing(tasks)

    def _failed(self, reason: str) -> None:
        self.failure = reason
        seconds = min(_AGAIN_FIRST_SECONDS * 2.0 ** min(self._failures, 30), _AGAIN_MOST_SECONDS)
        self._failures += 1
        self._again_at = self._monotonic() + seconds

    def admit(self, environment: Environment) -> bool:
        """Counts one that was made. Where it is not wanted any more it is ended instead."""
        self._all.add(environment)
        if len(self._all) > self.wanted:
            self._end(environment)
            return False
        return True

    def take(self) -> Environment:
        self._taken += 1
        return self.idle.pop()

    def spill(self) -> None:
        """An invocation found none of these."""
        self._spilled += 1

    def read_counts(self) -> tuple[int, int]:
        """How many invocations were served from here, and how many found none, since this was read last."""
        counts = self._taken, self._spilled
        self._taken = self._spilled = 0
        return counts

    def rest(self, environment: Environment) -> None:
        if len(self._all) > self.wanted:
            self._end(environment)
        else:
            self.idle.append(environment)

    def lost(self, environment: Environment) -> None:
        """It has ended, or is ending. The next sweep replaces it."""
        self._all.discard(environment)
