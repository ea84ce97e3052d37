import orjson
import pytest
from memory_nodes import MemoryNodes

from lambent.base.clock import ManualClock
from lambent.cluster.membership import Membership
from lambent.http.message import Request
from lambent.server.queue_depths import QueueDepths
from lambent.server.status import Status, is_status
from lambent.store.ports.errors import StoreError
from lambent.store.ports.nodes import Node
from lambent.store.ports.schema import Schema


class Queue:
    def __init__(self):
        self.away = False

    async def depth(self, queue="events"):
        if self.away:
            raise StoreError("the database is away")
        return 3 if queue == "events" else 0

    async def waiting(self):
        return {"one line": 7.0, "another": 3.0}

    async def next_due(self, queue):
        return 9.0 if queue == "sns" else None


class Parts:
    async def held(self):
        return {"1/r": {"a": 6, "b": 4}}


class Tables:
    async def schema(self):
        return Schema(number=26, least=0, known=27, pending=("0027_what_goes",))


def request(path="/_lambent/status", *, peer="127.0.0.1", method="GET", **headers):
    return Request(method, path, path, "", {"host": "localhost:9000", **headers}, b"", peer)


@pytest.fixture
async def made():
    clock, queue = ManualClock(), Queue()
    nodes = MemoryNodes(clock)
    node = Node(id="a", incarnation="", address="", zone="z1", roles=("api",), version="1")
    membership = Membership(nodes, node, clock, seconds=8.0, displaced=lambda: None)
    await membership.join()
    status = Status(
        membership,
        nodes,
        Tables(),
        QueueDepths(queue, queue, lambda: 5.0),
        Parts(),
        lambda: {"idle": 2},
        clock,
    )
    status.uses = lambda: {"1/r": 2, "1/r/f": 0}
    membership.state = status.of_this_node
    clock.advance(5.0)
    await membership.beat()
    await nodes.acquire("run schedules", membership.me, 8.0)
    return status, queue


async def test_it_tells_of_nodes_leases_and_queues(made):
    status, _ = made
    found = orjson.loads((await status.answer(request())).body)
    assert (found["node"], found["member"], found["database"]) == ("a", True, "ok")
    assert found["queues"] == {
        "event invocations": 3,
        "deliveries of cloudwatch": 0,
        "deliveries of events": 3,
        "deliveries of logs": 0,
        "deliveries of scheduler": 0,
        "deliveries of sns": 0,
    }
    assert found["late_seconds"] == {"event invocations": 2.0}
    assert found["limits"] == {"1/r": {"a": 6, "b": 4}}
    assert found["schema"] == {"number": 26, "least": 0, "known": 27, "pending": ["0027_what_goes"]}
    (node,) = found["nodes"]
    assert node["alive"] and node["leases"] == {"run schedules": 1} and node["expires_in_seconds"] == 8.0
    assert node["environments"] == {"idle": 2} and node["uptime_seconds"] == 5
    assert node["running"] == {"1/r": 2}


async def test_without_a_database_it_tells_of_itself(made):
    status, queue = made
    queue.away = True
    found = orjson.loads((await status.answer(request())).body)
    assert found["database"] == "the database is away" and found["environments"] == {"idle": 2}
    assert "nodes" not in found


async def test_only_this_machine_may_ask(made):
    status, _ = made
    assert (await status.answer(request(peer="10.0.0.7"))).status == 403
    assert (await status.answer(request(origin="https://page.example"))).status == 403


def test_what_is_a_question_for_the_status():
    assert is_status(request())
    assert not is_status(request(method="POST")) and not is_status(request("/_lambent/status/x"))
