"""What goes between the server and the process of a query."""

from io import BytesIO
from typing import Any

from lambent.services.logs.insights.frames import encode, read_frame
from lambent.services.logs.insights.worker import serve

QUERY = {"text": "fields @message", "limit": None, "now": 0}
EVENT = [1, 2, "message", "s", "1", "/g", 1]


def answers(*given: Any) -> list[Any]:
    """What is said to these frames."""
    said = BytesIO()
    serve(BytesIO(b"".join(map(encode, given))), said)
    said.seek(0)
    return list(iter(lambda: read_frame(said), None))


def test_events_are_answered_by_progress_and_their_end_by_pages() -> None:
    found = answers(QUERY, [EVENT] * 2, [EVENT] * 1001, [])
    assert found[:2] == [{"matched": 2, "wanted": True}, {"matched": 1003, "wanted": True}]
    assert [len(page["rows"]) for page in found[2:-1]] == [1000, 3]
    assert found[-1] == {"matched": 1003, "end": True}


def test_it_says_when_it_wants_no_more() -> None:
    found = answers({**QUERY, "text": "limit any 1"}, [EVENT] * 5, [])
    assert found[0] == {"matched": 1, "wanted": False}
    assert len(found[1]["rows"]) == 1


def test_what_cannot_be_answered_fails() -> None:
    groups = [[1, 2, f'{{"n":{number}}}', "s", "1", "/g", 1] for number in range(100_001)]
    found = answers({**QUERY, "text": "stats count(*) by n"}, groups, [])
    assert found == [{"failed": "stats makes more than 100,000 groups"}]


def test_it_ends_with_whoever_feeds_it() -> None:
    assert answers() == []
    assert answers(QUERY) == []
    said = BytesIO()
    serve(BytesIO(encode(QUERY) + encode([EVENT])[:-1]), said)
    assert said.getvalue() == b""
