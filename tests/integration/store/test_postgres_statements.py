"""Every statement is one that PostgreSQL takes, and answers by an index however little it knows of the tables."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from postgres_server import PostgresServer

from lambent.store.postgres.connection import PostgresConnection, connect
from lambent.store.postgres.dialect import translated
from lambent.store.sql import queries as queries_module
from lambent.store.sql.queries import queries

NOUNS = sorted(path.stem for path in Path(queries_module.__file__).parent.glob("*.sql"))
WHOLE = {
    "retained_groups",
    "garbage",
    "depth",
    "sweep",
    "all",
    "all_reserved",
    "all_provisioned",
    "next_discarded",
    "every",
    "topics",
    "subscriptions",
    "discarded_messages",
    "members",
    "leases",
    "release_lost",
    "release_lines",
    "state",
    "older_nodes",
}
"""As in test_sqlite_database.py: asked for once, at a start, or by people."""
PLACE = re.compile(r"%\((\w+)\)s|%s")


@pytest.fixture
def connection(postgres_server: PostgresServer) -> Iterator[PostgresConnection]:
    assert postgres_server.shared
    made = connect(postgres_server.shared_url)
    made.raw.execute("SET plan_cache_mode = force_generic_plan")
    yield made
    made.raw.close()


@pytest.mark.parametrize("noun", NOUNS)
def test_every_statement_is_valid_and_walks_no_whole_table(connection: PostgresConnection, noun: str) -> None:
    for name, statement in queries(noun).items():
        text, values = prepared(statement)
        try:
            connection.raw.execute(f"PREPARE tried AS {text}".encode())
            explained = connection.raw.execute(f"EXPLAIN (FORMAT JSON) EXECUTE tried{values}".encode())
        except psycopg.Error as error:
            raise AssertionError(f"{name}: {error}") from error
        (plan,) = explained.fetchone() or ([],)
        connection.raw.execute("DEALLOCATE tried")
        scanned = list(whole_tables(plan[0]["Plan"]))
        assert name in WHOLE or not scanned, f"{name}: {json.dumps(plan, indent=1)}"


def prepared(statement: str) -> tuple[str, str]:
    """The statement as PREPARE takes it, and the values for EXECUTE."""
    numbers: dict[str, int] = {}

    def number(found: re.Match[str]) -> str:
        name = found[1] or f"place {len(numbers)}"
        return f"${numbers.setdefault(name, len(numbers) + 1)}"

    text = PLACE.sub(number, translated(statement)).replace("%%", "%")
    return text, f"({', '.join(['NULL'] * len(numbers))})" if numbers else ""


def whole_tables(node: dict[str, Any]) -> Iterator[str]:
    if node["Node Type"] == "Seq Scan":
        yield node["Relation Name"]
    for child in node.get("Plans", ()):
        yield from whole_tables(child)
