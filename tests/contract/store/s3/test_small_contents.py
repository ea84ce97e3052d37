from collections.abc import AsyncIterator
from pathlib import Path

from lambent.base.clock import ManualClock
from lambent.store.object_contents import ObjectContents
from lambent.store.object_files import ObjectFiles
from lambent.store.ports.nodes import Node
from lambent.store.sql.database import Database
from lambent.store.sql.nodes import SqlNodeStore
from lambent.store.sql.schema import known_number
from lambent.store.sql.small_contents import SqlSmallContents


class Unread:
    def update(self, data: bytes) -> None: ...

    def finish(self) -> None: ...


def node(id: str, schema_known: int) -> Node:
    return Node(
        id=id, incarnation="1", address="", zone="", roles=(), version="0.1.0", schema_known=schema_known
    )


async def in_chunks() -> AsyncIterator[bytes]:
    yield b"few "
    yield b"bytes"


async def test_while_an_older_node_lives_all_are_files_that_it_can_read(
    database: Database, tmp_path: Path
) -> None:
    clock = ManualClock()
    nodes = SqlNodeStore(database)
    older = node("a", 1)
    await nodes.join(older, 60.0)
    await nodes.join(node("b", known_number()), 60.0)
    files = ObjectFiles(tmp_path / "s3")
    files.open()
    contents = ObjectContents(files, SqlSmallContents(database, clock))
    for body in (b"few bytes", in_chunks()):
        assert (await contents.receive(body, Unread())).data is None
    await nodes.leave(older)
    clock.advance(60)
    for body in (b"few bytes", in_chunks()):
        assert (await contents.receive(body, Unread())).data == b"few bytes"
    files.close()
