"""Which version an invocation runs: names, versions and aliases, answered from memory.

The directory stands in front of the function store as the one the control plane writes through, so that it learns of
every change by itself, and an invocation of a function that did not change reads nothing from disk.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

from lambent.base.arn import partition_of
from lambent.model.error import ServiceException
from lambent.model.function import LATEST, Alias, Function, FunctionId, FunctionVersion
from lambent.model.lambda_errors import ResourceConflictException, ResourceNotFoundException
from lambent.store.ports.errors import StoreUnavailableError
from lambent.store.ports.functions import FunctionStore


@dataclass(frozen=True, slots=True)
class Target:
    """What a qualifier stands for: one version, or a second one for a share of the invocations."""

    version: FunctionVersion
    additional: FunctionVersion | None = None
    additional_weight: float = 0.0

    def choose(self) -> FunctionVersion:
        # Routing, not cryptography.
        if self.additional is not None and random.random() < self.additional_weight:  # noqa: S311
            return self.additional
        return self.version


class Directory(FunctionStore):
    """A FunctionStore that remembers what invocations resolve to."""

    def __init__(self, store: FunctionStore) -> None:
        self._store = store
        self._targets: dict[FunctionId, dict[str | None, Target]] = {}
        self._changes = 0
        self._pending: Counter[FunctionId] = Counter()
        """Writes under way."""
        self._writing: set[asyncio.Task[None]] = set()
        self.on_change: Callable[[FunctionId], None] = lambda id: None
        """Called after every change of a function, its versions or aliases."""

    # Resolution

    def known(self, id: FunctionId, qualifier: str | None) -> Target | None:
        """The target, if it was resolved since the function last changed."""
        targets = self._targets.get(id)
        return targets.get(qualifier) if targets is not None else None

    async def resolve(self, id: FunctionId, qualifier: str | None) -> Target:
        """Raises ResourceNotFoundException, and ResourceConflictException for what cannot be invoked yet."""
        key = None if qualifier == LATEST else qualifier  # one target, asked for by either name
        known = self.known(id, key)
        if known is not None:
            return known
        changes = self._changes
        target = await self._read(id, qualifier)
        # Nothing was written while we read, nor is being written: others may see that before it is known here.
        if changes == self._changes and not self._pending[id]:
            self._targets.setdefault(id, {})[key] = target
        return target

    async def current_version(self, id: FunctionId, version: str) -> FunctionVersion | None:
        """What invocations of this version (a number or `$LATEST`) run now; None where they cannot."""
        try:
            return (await self.resolve(id, version)).version
        except ServiceException:
            return None

    async def _read(self, id: FunctionId, qualifier: str | None) -> Target:
        function = await self._store.get(id)
        if function is None:
            raise _not_found(id, qualifier or LATEST)
        if qualifier is None or qualifier == LATEST:
            return Target(_invokable(function.serving, function.latest))
        if qualifier.isdigit():
            return Target(await self._published(id, qualifier, qualifier))
        alias = await self._store.get_alias(id, qualifier)
        if alias is None:
            raise _not_found(id, qualifier)
        return await self._alias_target(function, alias)

    async def _alias_target(self, function: Function, alias: Alias) -> Target:
        async def version(number: str) -> FunctionVersion:
            if number == LATEST:
                return _invokable(function.serving, function.latest)
            return await self._published(function.id, number, alias.name)

        for number, weight in alias.weights.items():
            return Target(await version(alias.version), await version(number), weight)
        return Target(await version(alias.version))

    async def _published(self, id: FunctionId, number: str, qualifier: str) -> FunctionVersion:
        version = await self._store.get_version(id, number)
        if version is None:
            raise _not_found(id, qualifier)
        return _invokable(version if version.state == "Active" else None, version)

    async def _change(self, id: FunctionId, write: Coroutine[Any, Any, None]) -> None:
        """A write that has begun may succeed although its caller is cancelled, so it is noticed without its caller."""
        writing = asyncio.get_running_loop().create_task(self._write(id, write))
        self._writing.add(writing)
        writing.add_done_callback(self._writing.discard)
        await asyncio.shield(writing)

    async def _write(self, id: FunctionId, write: Coroutine[Any, Any, None]) -> None:
        self._pending[id] += 1
        before, changes = self._targets.pop(id, None), self._changes
        try:
            await write
        except StoreUnavailableError:
            # Nobody was told that it is written, and nothing can be read now: what was known holds. If it is written
            # all the same, this node hears of it as of what others write.
            if before is not None and changes == self._changes:
                self._targets[id] = before
            raise
        finally:
            self._pending[id] -= 1
            if not self._pending[id]:
                del self._pending[id]
        self._forget(id)

    def _forget(self, id: FunctionId) -> None:
        self._changes += 1
        self._targets.pop(id, None)
        self.on_change(id)

    def forget(self, id: FunctionId) -> None:
        """Somebody else has changed the function."""
        self._forget(id)

    def forget_all(self) -> None:
        for id in list(self._targets):
            self._forget(id)

    # store.ports.functions.FunctionStore: reads pass through, writes are noticed

    async def insert(self, function: Function) -> None:
        await self._change(function.id, self._store.insert(function))

    async def get(self, id: FunctionId) -> Function | None:
        return await self._store.get(id)

    async def replace(self, function: Function, *, expected_revision_id: str) -> None:
        await self._change(
            function.id, self._store.replace(function, expected_revision_id=expected_revision_id)
        )

    async def delete(self, id: FunctionId) -> None:
        await self._change(id, self._store.delete(id))

    async def page(
        self, account_id: str, region: str, *, after: str | None, limit: int
    ) -> Sequence[Function]:
        return await self._store.page(account_id, region, after=after, limit=limit)

    async def publish(
        self, function: Function, version: FunctionVersion, *, expected_revision_id: str
    ) -> None:
        await self._change(
            function.id, self._store.publish(function, version, expected_revision_id=expected_revision_id)
        )

    async def get_version(self, id: FunctionId, version: str) -> FunctionVersion | None:
        return await self._store.get_version(id, version)

    async def replace_version(self, version: FunctionVersion) -> None:
        await self._change(version.function, self._store.replace_version(version))

    async def delete_version(self, id: FunctionId, version: str) -> None:
        await self._change(id, self._store.delete_version(id, version))

    async def page_versions(self, id: FunctionId, *, after: int, limit: int) -> Sequence[FunctionVersion]:
        return await self._store.page_versions(id, after=after, limit=limit)

    async def page_all_versions(
        self, account_id: str, region: str, *, after: tuple[str, int] | None, limit: int
    ) -> Sequence[FunctionVersion]:
        return await self._store.page_all_versions(account_id, region, after=after, limit=limit)

    async def insert_alias(self, alias: Alias) -> None:
        await self._change(alias.function, self._store.insert_alias(alias))

    async def get_alias(self, id: FunctionId, name: str) -> Alias | None:
        return await self._store.get_alias(id, name)

    async def replace_alias(self, alias: Alias, *, expected_revision_id: str) -> None:
        await self._change(
            alias.function, self._store.replace_alias(alias, expected_revision_id=expected_revision_id)
        )

    async def delete_alias(self, id: FunctionId, name: str) -> None:
        await self._change(id, self._store.delete_alias(id, name))

    async def page_aliases(
        self, id: FunctionId, *, version: str | None, after: str | None, limit: int
    ) -> Sequence[Alias]:
        return await self._store.page_aliases(id, version=version, after=after, limit=limit)

    async def unsettled(self) -> Sequence[FunctionVersion]:
        return await self._store.unsettled()

    async def usage(self, account_id: str, region: str) -> tuple[int, int]:
        return await self._store.usage(account_id, region)

    async def uses_code(self, digest: str) -> bool:
        return await self._store.uses_code(digest)


def _invokable(serving: FunctionVersion | None, wanted: FunctionVersion) -> FunctionVersion:
    if serving is None:
        raise ResourceConflictException(
            "The operation cannot be performed at this time. "
            f"The function is currently in the following state: {wanted.state}"
        )
    return serving


def _not_found(id: FunctionId, qualifier: str | None) -> ResourceNotFoundException:
    return ResourceNotFoundException(f"Function not found: {id.arn(qualifier, partition_of(id.region))}")
