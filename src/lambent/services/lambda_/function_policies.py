"""The policies of functions as authorization asks for them: on every request, so from memory.

Writes go through here, so that it knows of them; `forget` tells it of what else may end a policy, such as the deletion
of an alias.
"""

from lambent.base.arn import Arn
from lambent.model.caller import Caller, Parameters
from lambent.model.function import FunctionId
from lambent.model.function_policy import FunctionPolicy
from lambent.model.resource_policy import ResourcePolicy
from lambent.services.lambda_.durable_execution_arn import DURABLE_EXECUTION
from lambent.services.lambda_.function_reference import parse_reference
from lambent.store.ports.function_policies import FunctionPolicyStore

_REMEMBERED_MOST = 10_000


class FunctionPolicies:
    def __init__(self, store: FunctionPolicyStore) -> None:
        self._store = store
        self._known: dict[FunctionId, dict[str, FunctionPolicy | None]] = {}
        self._changes = 0
        self._denying: set[FunctionId] = set()
        """Functions that have, or had since the start, a policy which denies something."""

    async def open(self) -> None:
        """Before the first request, and when another node has changed one."""
        self._denying.update(await self._store.denying())

    def forget(self, function: FunctionId) -> None:
        """The function, its versions or its aliases have changed."""
        self._changes += 1
        self._known.pop(function, None)

    def forget_all(self) -> None:
        self._changes += 1
        self._known.clear()

    # model.service.Service

    def open_to_root(self, operation: str, caller: Caller, parameters: Parameters) -> bool:
        """A function of the caller's account, of which no policy denies anything."""
        name = parameters.get("FunctionName")
        if name is None or ":" in name:
            return False
        return not self._denying or FunctionId(caller.account_id, caller.region, name) not in self._denying

    async def attached(self, arn: str) -> ResourcePolicy | None:
        """By a function's ARN. None for what is no function: layers have policies that their operations look at."""
        parsed = Arn.parse(arn) if arn != "*" else None
        if parsed is None or not parsed.resource.startswith("function:"):
            return None
        if DURABLE_EXECUTION in parsed.resource:  # it has no policy, and is its account's
            return ResourcePolicy(account_id=parsed.account_id, document=None)
        reference = parse_reference(arn, None, parsed.account_id, parsed.region)
        policy = await self.get(reference.function, reference.qualifier or "")
        return ResourcePolicy(
            account_id=parsed.account_id, document=policy.document if policy is not None else None
        )

    # store.ports.function_policies.FunctionPolicyStore

    async def get(self, function: FunctionId, qualifier: str) -> FunctionPolicy | None:
        known = self._known.get(function)
        if known is not None and qualifier in known:
            return known[qualifier]
        changes = self._changes
        policy = await self._store.get(function, qualifier)
        if changes == self._changes:  # nothing was written while we read
            if len(self._known) >= _REMEMBERED_MOST:
                self._known.clear()
            self._known.setdefault(function, {})[qualifier] = policy
        return policy

    async def put(self, policy: FunctionPolicy, *, revision_id: str, expected_revision_id: str) -> None:
        """Raises as the store."""
        if policy.denies:
            self._denying.add(policy.function)
        try:
            await self._store.put(policy, revision_id=revision_id, expected_revision_id=expected_revision_id)
        finally:
            self.forget(policy.function)

    async def delete(
        self, function: FunctionId, qualifier: str, *, revision_id: str, expected_revision_id: str
    ) -> None:
        """Raises as the store."""
        try:
            await self._store.delete(
                function, qualifier, revision_id=revision_id, expected_revision_id=expected_revision_id
            )
        finally:
            self.forget(function)
