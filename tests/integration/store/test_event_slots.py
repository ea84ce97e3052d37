"""The slots of the queue of events on PostgreSQL: what is left goes on, nothing is lost, and what is over takes no
room."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from postgres_server import PostgresServer

from lambent.model.function import FunctionId
from lambent.model.invocation import EventInvocation, EventLine, EventOutcome
from lambent.store.postgres.connection import connect
from lambent.store.postgres.database import PostgresDatabase
from lambent.store.postgres.dialect import schema
from lambent.store.postgres.event_slots import rotate
from lambent.store.sql.event_invocations import SqlEventInvocationStore
from lambent.store.sql.migrations import migrations

LINE = EventLine(FunctionId("123456789012", "eu-west-1", "f"))
BEFORE_SLOTS = next(each.number for each in migrations() if each.name.endswith("_event_slots")) - 1


@pytest.fixture
def url(postgres_server: PostgresServer) -> str:
    return postgres_server.new_database()


@pytest.fixture
def database(url: str) -> Iterator[PostgresDatabase]:
    made = PostgresDatabase(url)
    made.open()
    yield made
    made.close()


@pytest.fixture
def store(database: PostgresDatabase) -> SqlEventInvocationStore:
    return SqlEventInvocationStore(database)


def event(number: int) -> EventInvocation:
    return EventInvocation(
        request_id=f"r-{number}",
        account_id="123456789012",
        region="eu-west-1",
        function_name="f",
        qualifier=None,
        invoked_arn="arn",
        payload=str(number).encode(),
        accepted_at=1.0,
        due_at=1.0 + number,
    )


async def put(store: SqlEventInvocationStore, numbers: range) -> None:
    await asyncio.gather(*(store.enqueue(event(number)) for number in numbers))


async def take(store: SqlEventInvocationStore, count: int) -> Sequence[EventInvocation]:
    return await store.claim({LINE: count}, now=1e6, owner="a", until=2e6)


async def complete(store: SqlEventInvocationStore, events: Sequence[EventInvocation]) -> None:
    await asyncio.gather(*(store.complete(each, owner="a") for each in events))


def rotated(url: str, dead_most: int = 0) -> list[int]:
    """The sizes of the slots afterwards."""
    connection = connect(url)
    try:
        rotate(connection, dead_most=dead_most)
    finally:
        connection.raw.close()
    with psycopg.connect(url) as other:
        return [size for (size,) in other.execute(_SIZES)]


_SIZES = """
SELECT pg_relation_size('event_invocations_' || n) + pg_relation_size('event_payloads_' || n)
FROM generate_series(0, 3) AS n ORDER BY n
"""


async def test_what_is_left_in_a_slot_follows_and_what_is_claimed_stays(
    url: str, store: SqlEventInvocationStore
) -> None:
    await put(store, range(20))
    running, ended = await take(store, 5), await take(store, 5)
    outcome = EventOutcome(condition="Success", at=5.0, invoke_count=1, role="arn", destination="arn")
    told = replace(ended[0], outcome=outcome, response=b"answer")
    await store.conclude(told, owner="a")
    await store.retry(told, owner="a")
    await complete(store, ended[1:])
    sizes = rotated(url)
    assert sizes[0] > 0 and sizes[1] > 0, "what runs keeps its slot"

    taken = await take(store, 99)
    assert [each.payload for each in taken] == [b"5", *(str(number).encode() for number in range(10, 20))]
    assert (taken[0].outcome, taken[0].response) == (outcome, b"answer")
    await complete(store, [*running, *taken])
    assert await store.depth() == 0
    assert rotated(url)[0] == 0


async def test_every_slot_has_its_turn(url: str, store: SqlEventInvocationStore) -> None:
    seen = set()
    for turn in range(8):
        await put(store, range(turn * 3, turn * 3 + 3))
        taken = await take(store, 9)
        assert [each.request_id for each in taken] == [f"r-{turn * 3 + n}" for n in range(3)]
        seen |= {each.id >> 56 for each in taken}
        await complete(store, taken)
        assert sum(size > 0 for size in rotated(url)) <= 1
    assert len(seen) > 1
    assert len({each.id for each in taken}) == 3


async def test_a_slot_that_has_not_died_takes_what_is_new(url: str, store: SqlEventInvocationStore) -> None:
    await put(store, range(5))
    assert rotated(url, dead_most=10_000)[1:] == [0, 0, 0]


async def test_who_reads_the_tables_is_not_waited_for(url: str, store: SqlEventInvocationStore) -> None:
    await put(store, range(3))
    await complete(store, await take(store, 3))
    with psycopg.connect(url) as reader:
        reader.execute("SELECT count(*) FROM event_invocations")
        assert rotated(url)[0] > 0
        await put(store, range(3, 6))
        assert len(await take(store, 9)) == 3
    assert rotated(url)[0] == 0


async def test_nothing_is_lost_while_slots_come_and_go(url: str, store: SqlEventInvocationStore) -> None:
    done: list[str] = []

    async def work() -> None:
        while len(done) < 400:
            taken = await take(store, 20)
            again = [each for each in taken[::5] if each.attempt == 0]
            for each in again:
                await store.retry(replace(each, due_at=5.0, attempt=1), owner="a")
            ended = [each for each in taken if each not in again]
            await complete(store, ended)
            done.extend(each.request_id for each in ended)

    async def turn() -> None:
        while len(done) < 400:
            await asyncio.to_thread(rotated, url)

    async def arrive() -> None:
        for first in range(0, 400, 40):
            await put(store, range(first, first + 40))

    await asyncio.gather(arrive(), work(), work(), turn())
    assert sorted(done) == sorted(f"r-{number}" for number in range(400))
    assert await store.depth() == 0
    rotated(url)
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT count(*) FROM event_payloads").fetchone() == (0,)


async def test_a_queue_of_before_and_a_node_of_before(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What an older Lambent has accepted is run by this one, also while it still accepts."""
    with psycopg.connect(url, autocommit=True) as older:
        older.execute("CREATE TABLE lambent_schema (number BIGINT NOT NULL)")
        for migration in migrations()[:BEFORE_SLOTS]:
            older.execute(schema(migration.script).encode())
            older.execute("INSERT INTO lambent_schema (number) VALUES (%s)", (migration.number,))
        _accept_as_before(older, 1)
        database = PostgresDatabase(url)
        database.open()
        _accept_as_before(older, 2)
        store = SqlEventInvocationStore(database)
        rotated(url)
        _accept_as_before(older, 3)
        assert [each.payload for each in await take(store, 9)] == [b"1", b"2", b"3"]
        database.close()


def _accept_as_before(connection: psycopg.Connection[Any], number: int) -> None:
    taken = connection.execute(
        "INSERT INTO event_payloads (id, payload) "
        "SELECT nextval(pg_get_serial_sequence('event_payloads', 'id')), %s RETURNING id",
        (str(number).encode(),),
    ).fetchone()
    assert taken is not None
    document = (
        '{"request_id": "r", "account_id": "123456789012", "region": "eu-west-1", "function_name": "f",'
        ' "qualifier": null, "invoked_arn": "arn", "payload": "", "accepted_at": 1.0, "due_at": 1.0}'
    )
    connection.execute(
        "INSERT INTO event_invocations (id, request_id, line, due_at, document) VALUES (%s, 'r', %s, %s, %s)",
        (taken[0], "123456789012/eu-west-1/f", float(number), document),
    )
