"""Functions, their published versions and their aliases."""

from collections.abc import Sequence
from typing import Protocol

from lambent.model.function import Alias, Function, FunctionId, FunctionVersion


class FunctionStore(Protocol):
    """Pages are in ascending order of name (functions, aliases) or number (versions), begin after `after`, and hold at
    most `limit` entries. `expected_revision_id` is compared with what is stored, in the same step as the change."""

    async def insert(self, function: Function) -> None:
        """Raises AlreadyExistsError."""
        ...

    async def get(self, id: FunctionId) -> Function | None: ...

    async def replace(self, function: Function, *, expected_revision_id: str) -> None:
        """Replaces the whole record if `latest.revision_id` is still the expected one.

        Raises NotFoundError, StaleRevisionError."""
        ...

    async def delete(self, id: FunctionId) -> None:
        """Deletes the function with its versions and aliases. Raises NotFoundError."""
        ...

    async def page(
        self, account_id: str, region: str, *, after: str | None, limit: int
    ) -> Sequence[Function]: ...

    async def publish(
        self, function: Function, version: FunctionVersion, *, expected_revision_id: str
    ) -> None:
        """Stores `version` and replaces its function's record with `function` (whose counter moved) as one step.

        Raises NotFoundError, StaleRevisionError, AlreadyExistsError (the version's number)."""
        ...

    async def get_version(self, id: FunctionId, version: str) -> FunctionVersion | None: ...

    async def replace_version(self, version: FunctionVersion) -> None:
        """For the states that a published version passes through. Raises NotFoundError."""
        ...

    async def delete_version(self, id: FunctionId, version: str) -> None:
        """Raises NotFoundError."""
        ...

    async def page_versions(self, id: FunctionId, *, after: int, limit: int) -> Sequence[FunctionVersion]: ...

    async def page_all_versions(
        self, account_id: str, region: str, *, after: tuple[str, int] | None, limit: int
    ) -> Sequence[FunctionVersion]:
        """Published versions of every function, by (name, number): for ListFunctions with FunctionVersion=ALL."""
        ...

    async def insert_alias(self, alias: Alias) -> None:
        """Raises AlreadyExistsError, NotFoundError (the function)."""
        ...

    async def get_alias(self, id: FunctionId, name: str) -> Alias | None: ...

    async def replace_alias(self, alias: Alias, *, expected_revision_id: str) -> None:
        """Raises NotFoundError, StaleRevisionError."""
        ...

    async def delete_alias(self, id: FunctionId, name: str) -> None:
        """Does nothing where there is none."""
        ...

    async def page_aliases(
        self, id: FunctionId, *, version: str | None, after: str | None, limit: int
    ) -> Sequence[Alias]:
        """Of one `version` (as target or by weight), where given."""
        ...

    async def unsettled(self) -> Sequence[FunctionVersion]:
        """Every `$LATEST` and published version whose state is Pending or whose update is InProgress."""
        ...

    async def usage(self, account_id: str, region: str) -> tuple[int, int]:
        """How many functions there are, and the bytes of code that their versions hold (GetAccountSettings)."""
        ...

    async def uses_code(self, digest: str) -> bool:
        """Whether any function or version refers to this artifact, as code or through a layer."""
        ...
