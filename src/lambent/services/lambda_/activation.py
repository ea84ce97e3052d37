"""From the version that was asked for to the one that runs: the control plane's reconciler.

Operations write what is wanted (a Pending version, an update InProgress) and wake this; it makes the version ready,
waits until it may be shown as settled, and records how that went. What is wanted stands in the store, so a server that
was killed meanwhile continues when it starts again.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace

from lambent.base.clock import Clock
from lambent.base.ids import new_uuid
from lambent.base.tasks import Tasks
from lambent.model.function import LATEST, FunctionId, FunctionVersion
from lambent.services.lambda_.function_records import FunctionRecords
from lambent.services.lambda_.preparation import Preparation, PreparationError
from lambent.services.lambda_.states import failed, succeeded, unsettled
from lambent.store.ports.errors import NotFoundError, StaleRevisionError
from lambent.store.ports.functions import FunctionStore

log = logging.getLogger(__name__)

_ADOPT_SECONDS = 5.0
_Key = tuple[FunctionId, str]


class Activation:
    """`settle_seconds`: for how long at least a creation or update is shown as in progress. AWS takes about that long,
    and tools that do not wait for it should fail here before they fail there."""

    def __init__(
        self,
        store: FunctionStore,
        records: FunctionRecords,
        preparation: Preparation,
        clock: Clock,
        *,
        settle_seconds: float = 1.0,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._store = store
        self._records = records
        self._preparation = preparation
        self._clock = clock
        self._settle_seconds = settle_seconds
        self._sleep = sleep
        self._tasks = Tasks("activation")
        self._wanted: set[_Key] = set()
        self._running: set[_Key] = set()

    def settle_time(self) -> float:
        """When a change that is made now may be shown as settled (epoch seconds)."""
        return self._clock.now() + self._settle_seconds

    async def open(self) -> None:
        """Continues what a server before us left unsettled."""
        for version in await self._store.unsettled():
            self.wake(version)

    async def adopt(self) -> None:
        """Goes on for ever with what another node has left unsettled: it should have been done long ago."""
        while True:
            await self._sleep(_ADOPT_SECONDS)
            for version in await self._store.unsettled():
                if version.settles_at + _ADOPT_SECONDS < self._clock.now():
                    self.wake(version)

    async def close(self) -> None:
        await self._tasks.close()

    def wake(self, version: FunctionVersion) -> None:
        """Says that this version is, or may be, unsettled."""
        key = (version.function, version.version)
        self._wanted.add(key)
        if key not in self._running:
            self._running.add(key)
            self._tasks.start(self._reconcile(key), f"{version.function.name}:{version.version}")

    async def _reconcile(self, key: _Key) -> None:
        try:
            while key in self._wanted:
                self._wanted.discard(key)
                while (version := await self._unsettled(key)) is not None:
                    await self._settle(version)
        finally:
            self._running.discard(key)

    async def _unsettled(self, key: _Key) -> FunctionVersion | None:
        """The version as it is now; None where it is gone or there is nothing to do."""
        id, number = key
        version: FunctionVersion | None
        if number == LATEST:
            function = await self._store.get(id)
            version = function.latest if function is not None else None
        else:
            version = await self._store.get_version(id, number)
        return version if version is not None and unsettled(version) else None

    async def _settle(self, version: FunctionVersion) -> None:
        error = await self._prepare(version)
        if (remaining := version.settles_at - self._clock.now()) > 0:
            await self._sleep(remaining)
        if error is None:
            settled = succeeded(version, new_uuid())
        else:
            settled = failed(version, new_uuid(), error.reason_code, str(error))
        try:
            await self._record(version, settled)
        except (NotFoundError, StaleRevisionError):
            # It was deleted or replaced while we worked: the next look at the store says what is wanted now.
            log.debug("%s changed while it was activated", version.arn())

    async def _prepare(self, version: FunctionVersion) -> PreparationError | None:
        try:
            await self._preparation.prepare(version)
        except PreparationError as error:
            log.warning("%s cannot be activated: %s", version.arn(), error)
            return error
        except Exception:
            # Errors of the host name its files, which are not the function's owner's business.
            log.exception("%s cannot be activated", version.arn())
            return PreparationError(
                "InternalError", "The function could not be prepared on this host. The server's log says why."
            )
        return None

    async def _record(self, version: FunctionVersion, settled: FunctionVersion) -> None:
        async with self._records.lock(version.function):
            if version.published:
                # The number may have come back with a function that was deleted and created anew.
                current = await self._store.get_version(version.function, version.version)
                if current is None or current.revision_id != version.revision_id:
                    raise StaleRevisionError(version.arn())
                await self._store.replace_version(settled)
                return
            function = await self._store.get(version.function)
            if function is None:
                raise NotFoundError(version.function.name)
            serving = settled if settled.last_update_status == "Successful" else function.serving
            await self._store.replace(
                replace(function, latest=settled, serving=serving), expected_revision_id=version.revision_id
            )
