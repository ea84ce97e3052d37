"""How long log groups keep their events: the policy of a group, and the task that carries it out."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace

from lambent.base.clock import Clock, Jumps
from lambent.model.caller import Caller, Parameters
from lambent.services.logs.exceptions import InvalidParameterException
from lambent.services.logs.groups import Groups
from lambent.store.ports.logs import LogGroup, LogStore

log = logging.getLogger(__name__)

DAY_MS = 24 * 3600 * 1000

# fmt: off
ALLOWED_DAYS = frozenset({
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653
})
# fmt: on


def oldest_kept_ms(group: LogGroup, now_ms: int) -> int:
    """Events before this time have expired, whether or not they are deleted yet."""
    return 0 if group.retention_days is None else now_ms - group.retention_days * DAY_MS


class RetentionOperations:
    def __init__(self, groups: Groups) -> None:
        self._groups = groups

    async def put_retention_policy(self, caller: Caller, parameters: Parameters) -> Parameters:
        days = parameters["retentionInDays"]
        if days not in ALLOWED_DAYS:
            allowed = ", ".join(map(str, sorted(ALLOWED_DAYS)))
            raise InvalidParameterException(
                f"1 validation error detected: Value '{days}' at 'retentionInDays' "
                f"failed to satisfy constraint: Member must satisfy enum value set: [{allowed}]"
            )
        await self._keep(caller, parameters, days)
        return {}

    async def delete_retention_policy(self, caller: Caller, parameters: Parameters) -> Parameters:
        await self._keep(caller, parameters, None)
        return {}

    async def _keep(self, caller: Caller, parameters: Parameters, days: int | None) -> None:
        await self._groups.change(
            caller, parameters["logGroupName"], lambda group: replace(group, retention_days=days)
        )


class Expiry:
    """Deletes expired events every `interval_seconds`, first when one has passed: a machine that started with a wrong
    clock has found the right one by then. A store that fails is tried again at the next interval."""

    def __init__(
        self,
        store: LogStore,
        clock: Clock,
        *,
        interval_seconds: float,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._store = store
        self._jumps = Jumps(clock)
        self._interval_seconds = interval_seconds
        self._sleep = sleep

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._sleep(self._interval_seconds)
            try:
                batches = await self._store.expire(int(self._jumps.believed() * 1000))
            except Exception:  # the task must outlive a full disk or a database that is away
                log.exception(
                    "expired log events were not deleted; next attempt in %g s", self._interval_seconds
                )
            else:
                if batches:
                    log.info("deleted %d expired batches of log events", batches)
