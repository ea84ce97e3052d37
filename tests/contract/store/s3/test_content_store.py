import asyncio
from collections.abc import AsyncIterator

import pytest

from lambent.store.ports.contents import Segment
from lambent.store.ports.errors import ContentMissingError, StoreClosedError


class Seen:
    def __init__(self, refuse: bool = False) -> None:
        self.data = b""
        self._refuse = refuse

    def update(self, data: bytes) -> None:
        self.data += data

    def finish(self) -> None:
        if self._refuse:
            raise ValueError("not what it should be")


async def pieces(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def read(contents, *segments: Segment) -> bytes:
    return b"".join([piece async for piece in contents.read(segments)])


@pytest.mark.parametrize("streamed", [True, False])
async def test_what_is_received_is_read_again(contents, streamed):
    body = bytes(range(256)) * 5000
    seen = Seen()
    name = await contents.receive(pieces(body[:700_000], b"", body[700_000:]) if streamed else body, seen)
    assert seen.data == body
    assert await read(contents, Segment(content=name, offset=0, length=len(body))) == body
    assert await read(contents, Segment(content=name, offset=3, length=5)) == body[3:8]
    both = (Segment(content=name, offset=1, length=2), Segment(content=name, offset=9, length=1))
    assert await read(contents, *both) == body[1:3] + body[9:10]


async def test_an_empty_body_is_a_content(contents):
    assert await contents.receive(b"", Seen()) != await contents.receive(pieces(), Seen())


@pytest.mark.parametrize("streamed", [True, False])
async def test_of_a_refused_body_nothing_is_left(contents, tmp_path, streamed):
    with pytest.raises(ValueError, match="not what it should be"):
        await contents.receive(pieces(b"x" * 600_000, b"y") if streamed else b"x", Seen(refuse=True))
    contents.close()
    assert [path.name for path in (tmp_path / "s3").rglob("*") if path.is_file()] == ["opened"]


async def test_of_a_body_that_breaks_off_nothing_is_left(contents, tmp_path):
    waiting = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        yield b"x" * 600_000
        waiting.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(contents.receive(endless(), Seen()))
    await waiting.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    contents.close()
    assert [path.name for path in (tmp_path / "s3").rglob("*") if path.is_file()] == ["opened"]


async def test_a_shared_content_outlives_its_source(contents):
    name = await contents.receive(b"bytes", Seen())
    shared = await contents.share(name)
    assert list(await contents.remove([name])) == [name]
    assert await read(contents, Segment(content=shared, offset=0, length=5)) == b"bytes"
    with pytest.raises(ContentMissingError):
        await contents.share(name)
    with pytest.raises(ContentMissingError):
        await read(contents, Segment(content=name, offset=0, length=5))


async def test_what_is_being_read_is_not_removed(contents):
    name = await contents.receive(b"z" * 1_200_000, Seen())
    reader = contents.read([Segment(content=name, offset=0, length=1_200_000)])
    size = len(await anext(reader))
    assert list(await contents.remove([name])) == []
    size += sum([len(piece) async for piece in reader])
    assert size == 1_200_000
    assert list(await contents.remove([name])) == [name]


async def test_what_came_after_the_start_is_no_stray(contents):
    await contents.receive(b"new", Seen())
    assert [name async for names in contents.old_names() for name in names] == []


async def test_what_is_closed_says_so(contents):
    contents.close()
    with pytest.raises(StoreClosedError):
        await contents.receive(b"x", Seen())
    contents.close()
