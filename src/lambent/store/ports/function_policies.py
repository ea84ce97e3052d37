"""Resource policies, of a function as a whole or of one qualifier of it."""

from collections.abc import Sequence
from typing import Protocol

from lambent.model.function import FunctionId
from lambent.model.function_policy import FunctionPolicy


class FunctionPolicyStore(Protocol):
    """A policy goes with its function, version or alias when that is deleted."""

    async def get(self, function: FunctionId, qualifier: str) -> FunctionPolicy | None: ...

    async def put(self, policy: FunctionPolicy, *, revision_id: str, expected_revision_id: str) -> None:
        """Replaces the policy, and gives its function ($LATEST), version or alias a new revision, as one step.

        Raises NotFoundError, StaleRevisionError (of the function, version or alias)."""
        ...

    async def delete(
        self, function: FunctionId, qualifier: str, *, revision_id: str, expected_revision_id: str
    ) -> None:
        """As `put`, with no policy. Does no more than that where there is none."""
        ...

    async def denying(self) -> Sequence[FunctionId]:
        """The functions that have a policy which denies something."""
        ...
