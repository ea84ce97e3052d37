"""A function in a store of dictionaries, and the values around it."""

from typing import Any

import pytest

from lambent.model.function import Alias, CodeReference, Function, FunctionId, FunctionVersion, LoggingConfig

HELLO = FunctionId("123456789012", "eu-west-1", "hello")


def version(number: str = "$LATEST", **settings: Any) -> FunctionVersion:
    return FunctionVersion(
        **{
            "function": HELLO,
            "version": number,
            "runtime": "python3.12",
            "handler": "app.handler",
            "role": "arn",
            "code": CodeReference(digest="d", sha256="s", size=1),
            "logging": LoggingConfig(log_group="g"),
            "last_modified": 0.0,
            "revision_id": f"r{number}",
            "state": "Active",
            **settings,
        }
    )


class DictionaryStore:
    """Of FunctionStore what the directory uses; writes keep the record they are given."""

    def __init__(self) -> None:
        self.functions: dict[FunctionId, Function] = {}
        self.versions: dict[str, FunctionVersion] = {}
        self.aliases: dict[str, Alias] = {}
        self.reads = 0
        self.before_write: Any = None
        self.after_read: Any = None

    def put(self, **settings: Any) -> None:
        latest = version()
        self.functions[HELLO] = Function(**{"id": HELLO, "latest": latest, "serving": latest, **settings})

    async def get(self, id: FunctionId) -> Function | None:
        self.reads += 1
        found = self.functions.get(id)
        if self.after_read is not None:
            await self.after_read()
        return found

    async def get_version(self, id: FunctionId, number: str) -> FunctionVersion | None:
        return self.versions.get(number)

    async def get_alias(self, id: FunctionId, name: str) -> Alias | None:
        return self.aliases.get(name)

    async def replace(self, function: Function, *, expected_revision_id: str) -> None:
        await self._write()
        self.functions[function.id] = function

    async def delete(self, id: FunctionId) -> None:
        await self._write()
        self.functions.pop(id)

    async def _write(self, *arguments: Any, **settings: Any) -> None:
        if self.before_write is not None:
            await self.before_write()

    insert = publish = replace_version = delete_version = insert_alias = replace_alias = delete_alias = _write


@pytest.fixture
def store() -> DictionaryStore:
    store = DictionaryStore()
    store.put()
    store.versions = {"1": version("1"), "2": version("2")}
    return store


@pytest.fixture(name="version")
def version_fixture() -> Any:
    return version


@pytest.fixture
def hello() -> FunctionId:
    return HELLO
