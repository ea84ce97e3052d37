"""How far one query reads its object."""

from collections.abc import AsyncGenerator

import pytest

from lambent.services.s3.select.selection import Selection

PIECES = [b"1,a\n2,b\n", b"3,c\n", b"4,d\n5,e\n"]


class Body:
    """An object in pieces that knows how much of it was read, and whether it was let go."""

    def __init__(self) -> None:
        self.read = 0
        self.closed = False

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        try:
            for piece in PIECES:
                self.read += len(piece)
                yield piece
        finally:
            self.closed = True


async def selected(expression, body):
    selection = Selection(
        {"Expression": expression, "InputSerialization": {"CSV": {}}, "OutputSerialization": {"CSV": {}}}
    )
    events = [event async for event in selection.events(body.pieces())]
    payload = b"".join(event["Records"]["Payload"] for event in events if "Records" in event)
    assert events[-1] == {"End": {}}
    return payload, events[-2]["Stats"]["Details"]


@pytest.mark.parametrize(
    ("limit", "pieces", "answer"),
    [(0, 0, b""), (1, 1, b"a\n"), (2, 1, b"a\nb\n"), (3, 2, b"a\nb\nc\n"), (9, 3, b"a\nb\nc\nd\ne\n")],
)
async def test_no_more_is_read_than_the_limit_needs(limit, pieces, answer):
    body = Body()
    payload, told = await selected(f"SELECT s._2 FROM S3Object s LIMIT {limit}", body)
    assert payload == answer
    size = sum(map(len, PIECES[:pieces]))
    assert told == {"BytesScanned": size, "BytesProcessed": size, "BytesReturned": len(answer)}
    assert body.read == size
    assert body.closed == (pieces > 0)


async def test_an_aggregate_reads_all_whatever_its_limit():
    body = Body()
    payload, told = await selected("SELECT COUNT(*) FROM S3Object s LIMIT 1", body)
    assert payload == b"5\n"
    assert told["BytesScanned"] == sum(map(len, PIECES))
