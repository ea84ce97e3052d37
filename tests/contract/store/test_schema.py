"""Two kinds of migrations, and what a node does that knows more or less of them than the database has seen."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Literal

import pytest

from lambent.store.ports.nodes import Node
from lambent.store.ports.schema import MigrationError, Schema
from lambent.store.postgres.database import PostgresDatabase
from lambent.store.sql import schema as schema_module
from lambent.store.sql.database import Database
from lambent.store.sql.migrations import Migration, migrations
from lambent.store.sql.nodes import SqlNodeStore
from lambent.store.sqlite.database import SqliteDatabase

TODAY = migrations()[-1].number
Open = Callable[..., Database]


def more(*kinds: Literal["pre", "post"]) -> Sequence[Migration]:
    """What this Lambent knows, and so many migrations of newer ones."""
    newer = [
        Migration(
            number=number, name=f"n{number}", kind=kind, script=f"CREATE TABLE made_by_{number} (n INTEGER);"
        )
        for number, kind in enumerate(kinds, TODAY + 1)
    ]
    return [*migrations(), *newer]


@pytest.fixture(params=["sqlite", "postgres"])
def opened(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    """Opens one and the same database by a Lambent that knows the given kinds of migrations more than this one."""
    url = request.getfixturevalue("postgres_server").new_database() if request.param == "postgres" else None
    made: list[Database] = []

    def open_as(*kinds: Literal["pre", "post"]) -> Database:
        know(monkeypatch, *kinds)
        database = PostgresDatabase(url) if url else SqliteDatabase(tmp_path / "lambent.db")
        database.open()
        made.append(database)
        return database

    yield open_as
    for database in made:
        database.close()


def know(monkeypatch: pytest.MonkeyPatch, *kinds: Literal["pre", "post"]) -> None:
    known = more(*kinds)
    monkeypatch.setattr(schema_module, "migrations", lambda: known)


def node(id: str, known: int, incarnation: str = "1") -> Node:
    return Node(
        id=id,
        incarnation=incarnation,
        address="",
        zone="",
        roles=("api",),
        version="1.2",
        schema_known=known,
    )


async def test_with_nobody_else_everything_is_applied(opened: Open) -> None:
    database = opened("pre", "post", "pre")
    assert await database.schema() == Schema(number=TODAY + 3, least=TODAY + 2, known=TODAY + 3)


async def test_what_older_nodes_need_stays_until_they_have_left(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    older = SqlNodeStore(opened())
    await older.join(node("old", TODAY), 60.0)
    newer = opened("pre", "post")
    waiting = Schema(number=TODAY + 1, least=0, known=TODAY + 2, pending=(f"n{TODAY + 2}",))
    assert await newer.schema() == waiting
    assert await newer.migrate() == waiting

    # The older one may start again beside it.
    beside = opened()
    assert await beside.schema() == Schema(number=TODAY + 1, least=0, known=TODAY)

    know(monkeypatch, "pre", "post")
    await SqlNodeStore(newer).join(node("new", TODAY + 2), 60.0)
    await older.leave(node("old", TODAY))
    assert await newer.migrate() == Schema(number=TODAY + 2, least=TODAY + 2, known=TODAY + 2)
    with pytest.raises(
        MigrationError, match=f"needs a Lambent that knows {TODAY + 2}, and this one knows {TODAY}"
    ):
        opened()


async def test_the_silent_are_not_waited_for(opened: Open) -> None:
    await SqlNodeStore(opened()).join(node("dead", TODAY), -1.0)
    assert (await opened("post").schema()).number == TODAY + 1


async def test_who_needs_what_older_nodes_forbid_does_not_start(opened: Open) -> None:
    first = opened()
    await SqlNodeStore(first).join(node("old", TODAY), 60.0)
    with pytest.raises(MigrationError, match=r"cannot work beside node old \(version 1\.2\)"):
        opened("post", "pre")
    assert (await first.schema()).number == TODAY
