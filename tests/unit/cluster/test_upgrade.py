from dataclasses import replace

import pytest

from lambent.cluster.upgrade import Upgrade
from lambent.store.ports.schema import Schema

SCHEMA = Schema(number=3, least=0, known=3)


class Tables:
    """Implements SchemaStore."""

    def __init__(self, schema: Schema):
        self.now = schema
        self.older_nodes = False

    async def schema(self):
        return self.now

    async def migrate(self):
        if not self.older_nodes:
            self.now = replace(self.now, number=self.now.known, pending=())
        return self.now


@pytest.fixture
def made():
    tables, ended = Tables(SCHEMA), []
    return tables, Upgrade(tables, outdated=lambda: ended.append(True), look_seconds=2.0), ended


async def test_what_waits_is_applied_when_the_older_nodes_have_left(made):
    tables, upgrade, ended = made
    tables.now = waiting = replace(SCHEMA, number=2, pending=("0003_x",))
    tables.older_nodes = True
    await upgrade.look()
    assert upgrade.schema == waiting
    tables.older_nodes = False
    await upgrade.look()
    assert upgrade.schema == SCHEMA and not ended


async def test_newer_tables_that_take_nothing_away_do_not_matter(made):
    tables, upgrade, ended = made
    tables.now = replace(SCHEMA, number=5, least=3)
    await upgrade.look()
    assert not ended


async def test_a_node_that_is_too_old_ends(made):
    tables, upgrade, ended = made
    tables.now = replace(SCHEMA, number=4, least=4)
    await upgrade.look()
    assert ended
