"""SnapStart: an environment that was initialized once is the template of all others of its version.

The template is a sandbox of its own, whose process has done its Init and then only copies itself. A version has one at
a time: taken when the version is published, again when the server was restarted, and ended with the last of its
copies, which do not outlive it.
Source: https://docs.aws.amazon.com/lambda/latest/dg/snapstart.html
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from lambent.base.tasks import Tasks
from lambent.environments.blank import Blank, copy_of
from lambent.model.function import FunctionId, FunctionVersion
from lambent.model.lambda_errors import SnapStartException, SnapStartTimeoutException

log = logging.getLogger(__name__)

Make = Callable[[FunctionVersion], Awaitable["Template"]]
"""Initializes an environment as a template. Raises SnapshotError, SandboxError, ServiceException."""
StoredVersion = Callable[[FunctionId, str], Awaitable[FunctionVersion | None]]

_Key = tuple[FunctionId, str, float]
"""A published version; its time tells it from one of the same number of a function that was deleted."""


class SnapshotError(Exception):
    """A snapshot could not be taken. `reason_code` is one of AWS's StateReasonCodes, the message AWS's, too."""

    def __init__(self, reason_code: str, message: str) -> None:
        super().__init__(message)
        self.reason_code = reason_code

    def told(self) -> SnapStartException | SnapStartTimeoutException:
        """To who invokes a version whose snapshot has to be taken again."""
        if self.reason_code == "FunctionError.InitTimeout":
            return SnapStartTimeoutException(str(self))
        return SnapStartException(str(self))


@dataclass(slots=True, kw_only=True, eq=False)
class Template:
    blank: Blank
    end: Callable[[], Coroutine[Any, Any, None]]
    copies: set[str] = field(default_factory=set)
    """Sandboxes that are alive."""
    retired: bool = False

    @property
    def alive(self) -> bool:
        return not self.retired and not self.blank.sandbox.exited.done()


class Snapshots:
    def __init__(self) -> None:
        self._taking: dict[_Key, asyncio.Task[Template]] = {}
        self._tasks = Tasks("snapshots")

    async def take(self, version: FunctionVersion, make: Make) -> None:
        """Returns when there is one. Raises SnapshotError, SandboxError, ServiceException."""
        await self._template(version, make)

    async def restore(self, version: FunctionVersion, make: Make) -> Blank:
        """A copy that waits to be told what it is. Raises SandboxError, SnapStart(Timeout)Exception."""
        try:
            template = await self._template(version, make)
        except SnapshotError as error:
            raise error.told() from error
        copy = await copy_of(template.blank)
        template.copies.add(copy.sandbox.id)
        copy.sandbox.exited.add_done_callback(lambda _: self._copy_ended(template, copy.sandbox.id))
        return copy

    async def _template(self, version: FunctionVersion, make: Make) -> Template:
        key = (version.function, version.version, version.last_modified)
        taking = self._taking.get(key)
        if taking is not None and taking.done() and not self._is_good(taking):
            self._retire(key)
            taking = None
        if taking is None:
            taking = self._taking[key] = asyncio.ensure_future(make(version))
        return await asyncio.shield(taking)

    def _is_good(self, taking: "asyncio.Task[Template]") -> bool:
        if taking.cancelled() or taking.exception() is not None:
            return False
        return taking.result().alive

    def has(self, function: FunctionId) -> bool:
        return any(key[0] == function for key in self._taking)

    async def review(self, function: FunctionId, stored: StoredVersion) -> None:
        """Ends those of versions that are deleted. Called when a function changed."""
        for key in [key for key in self._taking if key[0] == function]:
            version = await stored(key[0], key[1])
            if version is None or version.last_modified != key[2]:
                self._retire(key)

    def _retire(self, key: _Key) -> None:
        taking = self._taking.pop(key, None)
        if taking is not None:
            self._tasks.start(self._end(taking), f"end the snapshot of {key[0].name}:{key[1]}")

    async def _end(self, taking: "asyncio.Task[Template]") -> None:
        try:
            template = await taking
        except Exception:
            log.debug("a snapshot was never taken", exc_info=True)
            return
        template.retired = True
        if not template.copies:
            await template.end()

    def _copy_ended(self, template: Template, copy: str) -> None:
        template.copies.discard(copy)
        if template.retired and not template.copies:
            self._tasks.start(template.end(), "end a snapshot with its last copy")

    async def close(self) -> None:
        for key in list(self._taking):
            self._retire(key)
        await self._tasks.close()
