"""Reserved and provisioned concurrency."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from lambent.model.concurrency import ProvisionedConcurrency
from lambent.model.function import FunctionId


class ConcurrencyStore(Protocol):
    """What is promised to a function, a version or an alias is forgotten with it."""

    async def reserve(self, id: FunctionId, executions: int, *, total_most: int) -> None:
        """Replaces what the function had reserved. All functions of its account and region together may have
        `total_most`, compared in the same step: raises LimitExceededError, NotFoundError."""
        ...

    async def unreserve(self, id: FunctionId) -> None:
        """Does nothing where nothing is reserved."""
        ...

    async def reserved(self, id: FunctionId) -> int | None: ...

    async def total_reserved(self, account_id: str, region: str) -> int: ...

    async def all_reserved(self) -> Mapping[FunctionId, int]: ...

    async def provision(self, config: ProvisionedConcurrency) -> None:
        """Inserts or replaces. Raises NotFoundError (the function)."""
        ...

    async def unprovision(self, id: FunctionId, qualifier: str) -> None:
        """Does nothing where there is none."""
        ...

    async def provisioned(self, id: FunctionId) -> Sequence[ProvisionedConcurrency]:
        """Of one function, by qualifier."""
        ...

    async def all_provisioned(self) -> Sequence[ProvisionedConcurrency]: ...
