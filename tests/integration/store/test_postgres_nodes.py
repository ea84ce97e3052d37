"""Several nodes on one PostgreSQL database at the same time, and the loss of connections to it."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from postgres_server import PostgresServer

from lambent.model.function import FunctionId
from lambent.model.invocation import EventInvocation, EventLine
from lambent.model.queue import Queue, QueueMessage
from lambent.store.ports.errors import StoreUnavailableError
from lambent.store.ports.queue_messages import Receive
from lambent.store.ports.schema import MigrationError
from lambent.store.postgres.database import PostgresDatabase
from lambent.store.sql.database import Connection
from lambent.store.sql.event_invocations import SqlEventInvocationStore
from lambent.store.sql.queue_messages import SqlQueueMessageStore
from lambent.store.sql.queues import SqlQueueStore

NODES = 3


@pytest.fixture
def url(postgres_server: PostgresServer) -> str:
    assert postgres_server.shared
    postgres_server.empty()
    return postgres_server.shared_url


@pytest.fixture
def nodes(url: str) -> Iterator[list[PostgresDatabase]]:
    opened = [PostgresDatabase(url) for _ in range(NODES)]
    for database in opened:
        database.open()
    yield opened
    for database in opened:
        database.close()


def event(number: int) -> EventInvocation:
    return EventInvocation(
        request_id=f"r-{number}",
        account_id="123456789012",
        region="eu-west-1",
        function_name="f",
        qualifier=None,
        invoked_arn="arn",
        payload=b"{}",
        accepted_at=1.0,
        due_at=1.0,
    )


async def test_what_one_node_claims_no_other_does(nodes: list[PostgresDatabase]) -> None:
    stores = [SqlEventInvocationStore(database) for database in nodes]
    await asyncio.gather(*(stores[number % NODES].enqueue(event(number)) for number in range(300)))
    line = EventLine(FunctionId("123456789012", "eu-west-1", "f"))

    async def work_off(store: SqlEventInvocationStore, owner: str) -> list[str]:
        done: list[str] = []
        while claimed := await store.claim({line: 7}, now=2.0, owner=owner, until=99.0):
            done += [each.request_id for each in claimed]
            await asyncio.gather(*(store.complete(each, owner=owner) for each in claimed))
        return done

    done = await asyncio.gather(*(work_off(store, f"o{number}") for number, store in enumerate(stores)))
    assert sorted(id for each in done for id in each) == sorted(f"r-{number}" for number in range(300))
    assert await stores[0].depth() == 0


async def test_a_group_of_a_fifo_queue_is_in_order_whoever_receives(nodes: list[PostgresDatabase]) -> None:
    queue = await SqlQueueStore(nodes[0]).insert(
        Queue(account_id="123456789012", region="eu-west-1", name="q.fifo", created_at=1, modified_at=1)
    )
    stores = [SqlQueueMessageStore(database) for database in nodes]
    for number in range(40):
        message = QueueMessage(
            message_id=str(number),
            md5_of_body="",
            sender_id="s",
            sent_at=1,
            body=str(number // 4),
            group_id=f"g{number % 4}",
        )
        await stores[number % NODES].send(queue.id, [(message, 1)], now=1, is_fifo=True, duplicates_until=9)
    received: dict[str, list[str]] = {}

    async def work_off(store: SqlQueueMessageStore) -> None:
        for _ in range(100):
            asked = Receive(queue_id=queue.id, is_fifo=True, limit=1, now=2, hidden_until=9_000, expired_at=0)
            for each in (await store.receive(asked)).messages:
                received.setdefault(str(each.message.group_id), []).append(each.message.body)
                await store.delete(queue.id, [(each.id, each.receive_count)], now=3, is_fifo=True)

    await asyncio.gather(*(work_off(store) for store in stores))
    assert received == {f"g{group}": [str(number) for number in range(10)] for group in range(4)}
    depth = await stores[0].depth(queue.id, now=4)
    assert (depth.visible, depth.in_flight, depth.delayed) == (0, 0, 0)


async def test_who_reads_decides_and_writes_is_alone(nodes: list[PostgresDatabase]) -> None:
    def count(connection: Connection) -> None:
        found = connection.execute("SELECT document FROM topics WHERE arn = 'n'").fetchone()
        number = int(found[0]) + 1 if found else 1
        row = {"document": str(number)}
        if found:
            connection.execute("UPDATE topics SET document = :document WHERE arn = 'n'", row)
        else:
            connection.execute("INSERT INTO topics (arn, document) VALUES ('n', :document)", row)

    await asyncio.gather(*(nodes[number % NODES].write(count) for number in range(60)))
    read = await nodes[0].read(
        lambda connection: connection.execute("SELECT document FROM topics").fetchall()
    )
    assert read == [("60",)]


async def test_a_lost_connection_is_made_again(nodes: list[PostgresDatabase], url: str) -> None:
    store = SqlEventInvocationStore(nodes[0])
    await store.enqueue(event(1))
    assert await store.depth() == 1
    with psycopg.connect(url, autocommit=True) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name = 'lambent'"
        )
    await store.enqueue(event(2))
    assert await store.depth() == 2


async def test_a_commit_that_is_not_answered_is_no_success(nodes: list[PostgresDatabase], url: str) -> None:
    def end_itself(connection: Connection) -> None:
        connection.execute("SELECT set_config('idle_in_transaction_session_timeout', '1ms', true)")
        connection.execute("INSERT INTO topics (arn, document) VALUES ('lost', '')")
        while True:  # until the database has ended the session
            with psycopg.connect(url) as other:
                if not other.execute(
                    "SELECT 1 FROM pg_stat_activity WHERE state = 'idle in transaction' AND pid = %s",
                    (connection.raw.info.backend_pid,),  # type: ignore[attr-defined]
                ).fetchone():
                    return

    with pytest.raises(StoreUnavailableError):
        await nodes[0].write(end_itself)
    read = await nodes[0].read(lambda connection: connection.execute("SELECT arn FROM topics").fetchall())
    assert read == []


def test_nodes_that_start_at_once_migrate_once(postgres_server: PostgresServer) -> None:
    fresh = postgres_server.new_database()
    opened = [PostgresDatabase(fresh) for _ in range(NODES)]
    with ThreadPoolExecutor(NODES) as threads:
        list(threads.map(PostgresDatabase.open, opened))
    for database in opened:
        database.close()
    with psycopg.connect(fresh, autocommit=True) as connection:
        numbers = [number for (number,) in connection.execute("SELECT number FROM lambent_schema ORDER BY 1")]
        assert numbers == list(range(1, len(numbers) + 1))
        connection.execute("INSERT INTO lambent_schema (number, kind) VALUES (999, 'post')")
    with pytest.raises(MigrationError, match="upgrade Lambent"):
        PostgresDatabase(fresh).open()
