"""Functions and their versions as the store has them, or AWS's error where it has not."""

import asyncio
from dataclasses import replace
from weakref import WeakValueDictionary

from lambent.model.caller import Parameters
from lambent.model.function import LATEST, Function, FunctionId, FunctionVersion
from lambent.model.lambda_errors import ResourceConflictException
from lambent.services.lambda_.errors import function_not_found, revision_mismatch
from lambent.services.lambda_.function_reference import FunctionReference
from lambent.store.ports.errors import NotFoundError, StaleRevisionError
from lambent.store.ports.functions import FunctionStore


class FunctionRecords:
    def __init__(self, store: FunctionStore) -> None:
        self._store = store
        self._locks: WeakValueDictionary[FunctionId, asyncio.Lock] = WeakValueDictionary()

    def lock(self, id: FunctionId) -> asyncio.Lock:
        """Held while a function is read and then replaced. The store compares revisions, too; but tags change without
        a new revision, and whoever comes second in one process should wait rather than fail."""
        return self._locks.setdefault(id, asyncio.Lock())

    async def get(self, id: FunctionId, qualifier: str | None = None) -> Function:
        """Raises ResourceNotFoundException, which names the function as qualified."""
        function = await self._store.get(id)
        if function is None:
            raise function_not_found(id, qualifier)
        return function

    async def version(self, function: Function, reference: FunctionReference) -> FunctionVersion:
        """The version behind a qualifier: `$LATEST`, a number, or an alias's. Raises ResourceNotFoundException."""
        qualifier = reference.qualifier
        if qualifier is None or qualifier == LATEST:
            return function.latest
        number = qualifier
        if not qualifier.isdigit():
            alias = await self._store.get_alias(function.id, qualifier)
            if alias is None:
                raise function_not_found(function.id, qualifier)
            number = alias.version
        return await self.numbered(function, number)

    async def numbered(self, function: Function, number: str) -> FunctionVersion:
        """By version (`$LATEST` or digits). Raises ResourceNotFoundException."""
        version = function.latest if number == LATEST else await self._store.get_version(function.id, number)
        if version is None:
            raise function_not_found(function.id, number)
        return version

    async def replace_latest(
        self, function: Function, latest: FunctionVersion, *, publish: FunctionVersion | None = None
    ) -> None:
        """Stores a new `$LATEST`, and with `publish` a version of it, as one step. The caller holds the lock.

        Raises ResourceNotFoundException, ResourceConflictException (another server was faster)."""
        changed = replace(function, latest=latest)
        try:
            if publish is None:
                await self._store.replace(changed, expected_revision_id=function.latest.revision_id)
            else:
                changed = replace(changed, last_published_version=int(publish.version))
                await self._store.publish(changed, publish, expected_revision_id=function.latest.revision_id)
        except NotFoundError as error:
            raise function_not_found(function.id) from error
        except StaleRevisionError as error:
            raise ResourceConflictException(
                "The operation cannot be performed at this time. "
                f"An update is in progress for resource: {function.id.arn()}"
            ) from error


def require_revision(parameters: Parameters, revision_id: str) -> None:
    """Raises PreconditionFailedException where the caller gave a RevisionId that is not the current one."""
    if parameters.get("RevisionId") not in (None, "", revision_id):
        raise revision_mismatch()
