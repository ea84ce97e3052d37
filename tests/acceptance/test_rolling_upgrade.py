"""Two versions side by side: one node after the other is upgraded, and the service goes on."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import next_lambent
import pytest
from lambent_server import Lambent, eventually
from two_nodes import start_nodes, status

from lambent.cli.server_process import StartFailedError

_NEXT = (sys.executable, next_lambent.__file__)


@pytest.fixture(params=["sqlite", "postgres"])
def three(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Sequence[Lambent]]:
    database = None
    if request.param == "postgres":
        database = request.getfixturevalue("postgres_server").new_database()
    few = ("--account-concurrency", "20")
    nodes = start_nodes(tmp_path, *"abc", database=database, arguments=dict.fromkeys("abc", few))
    yield list(nodes.values())
    for node in nodes.values():
        node.stop()
        assert not node.leftovers()
        assert "Traceback" not in node.log, node.log[-8000:]


def test_one_node_after_the_other(three: Sequence[Lambent]) -> None:
    a, b, c = three
    name = a.python("def handler(event, context): return event\n")
    number = status(a)["schema"]["number"]

    b.stop()
    b.before = _NEXT
    b.start_again()
    schema = status(b)["schema"]
    assert (schema["number"], schema["pending"]) == (number + 1, [next_lambent.POST.name])
    assert [a.call(name, 1), b.call(name, 2)] == [1, 2]
    made = b.python("def handler(event, context): return -event\n")
    eventually(lambda: a.call(made, 3) == -3)

    c.stop()
    c.start_again()
    assert c.call(name, 4) == 4, "an older node starts beside a newer one"
    assert status(c)["schema"] == {"number": number + 1, "least": 0, "known": number, "pending": []}
    known = {node["id"]: node["schema_known"] for node in status(a)["nodes"]}
    assert known == {"a": number, "b": number + 2, "c": number}

    c.stop()
    a.stop()
    eventually(lambda: status(b)["schema"]["pending"] == [], seconds=30)
    with pytest.raises(StartFailedError, match=f"this one knows {number}: upgrade Lambent"):
        a.start_again()
    a.before = _NEXT
    a.start_again()
    assert [a.call(name, 5), a.call(made, 6), b.call(name, 7)] == [5, -6, 7]
