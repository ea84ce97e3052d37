"""What policies are attached to: functions, versions and aliases. A policy has no revision but its holder's."""

import asyncio

from lambent.base.arn import partition_of
from lambent.base.ids import new_uuid
from lambent.model.caller import Parameters
from lambent.model.function import FunctionId
from lambent.model.function_policy import FunctionPolicy
from lambent.model.lambda_errors import PreconditionFailedException, ResourceNotFoundException
from lambent.services.lambda_.errors import function_not_found, revision_mismatch
from lambent.services.lambda_.function_policies import FunctionPolicies
from lambent.services.lambda_.function_records import FunctionRecords
from lambent.store.ports.errors import NotFoundError, StaleRevisionError
from lambent.store.ports.functions import FunctionStore


class PolicyHolders:
    def __init__(self, store: FunctionStore, records: FunctionRecords, policies: FunctionPolicies) -> None:
        self._store = store
        self._records = records
        self.policies = policies

    def lock(self, function: FunctionId) -> asyncio.Lock:
        """Held from reading a policy until it is replaced."""
        return self._records.lock(function)

    async def exists(self, function: FunctionId) -> bool:
        return await self._store.get(function) is not None

    async def revision(self, function: FunctionId, qualifier: str) -> str:
        """Of the function ("": its `$LATEST`), version or alias. Raises ResourceNotFoundException."""
        found = await self._records.get(function)
        if not qualifier:
            return found.latest.revision_id
        if qualifier.isdigit():
            version = await self._store.get_version(function, qualifier)
            if version is None:
                raise function_not_found(function, qualifier)
            return version.revision_id
        alias = await self._store.get_alias(function, qualifier)
        if alias is not None:
            return alias.revision_id
        if "$" in qualifier:
            raise function_not_found(function, qualifier)
        arn = function.arn(qualifier, partition_of(function.region))
        raise ResourceNotFoundException(f"Cannot find alias arn: {arn}")

    def require_revision(self, parameters: Parameters, revision_id: str) -> None:
        """Raises PreconditionFailedException where the caller gave a RevisionId that is not the current one."""
        if parameters.get("RevisionId") not in (None, "", revision_id):
            raise _stale()

    async def put(self, policy: FunctionPolicy, expected_revision_id: str) -> str:
        """Returns the new revision. Raises ResourceNotFoundException, PreconditionFailedException."""
        revision_id = new_uuid()
        try:
            await self.policies.put(
                policy, revision_id=revision_id, expected_revision_id=expected_revision_id
            )
        except NotFoundError as error:
            raise function_not_found(policy.function, policy.qualifier) from error
        except StaleRevisionError as error:
            raise _stale() from error
        return revision_id

    async def delete(self, function: FunctionId, qualifier: str, expected_revision_id: str) -> None:
        """Raises as `put`."""
        try:
            await self.policies.delete(
                function, qualifier, revision_id=new_uuid(), expected_revision_id=expected_revision_id
            )
        except NotFoundError as error:
            raise function_not_found(function, qualifier) from error
        except StaleRevisionError as error:
            raise _stale() from error


def _stale() -> PreconditionFailedException:
    return revision_mismatch("GetPolicy")
