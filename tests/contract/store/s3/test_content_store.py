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


async def put(shelf, body, digest: Seen | None = None, seal=None) -> str:
    return await shelf.keep(await shelf.contents.receive(body, digest or Seen(), seal))


async def read(shelf, *segments: Segment) -> bytes:
    return b"".join([piece async for piece in shelf.contents.read(segments)])


@pytest.mark.parametrize("streamed", [True, False])
@pytest.mark.parametrize("size", [300_000, 500_000, 500_001, 1_280_000])
async def test_what_is_received_is_read_again(shelf, streamed, size):
    body = (bytes(range(256)) * 5000)[:size]
    seen = Seen()
    name = await put(shelf, pieces(body[:200_000], b"", body[200_000:]) if streamed else body, seen)
    assert seen.data == body
    assert await read(shelf, Segment(content=name, offset=0, length=len(body))) == body
    assert await read(shelf, Segment(content=name, offset=3, length=5)) == body[3:8]
    both = (Segment(content=name, offset=1, length=2), Segment(content=name, offset=9, length=1))
    assert await read(shelf, *both) == body[1:3] + body[9:10]


async def test_an_empty_body_is_a_content(shelf):
    assert await put(shelf, b"") != await put(shelf, pieces())


@pytest.mark.parametrize("streamed", [True, False])
async def test_of_a_refused_body_nothing_is_left(shelf, tmp_path, streamed):
    with pytest.raises(ValueError, match="not what it should be"):
        await put(shelf, pieces(b"x" * 600_000, b"y") if streamed else b"x", Seen(refuse=True))
    shelf.close()
    assert [path.name for path in (tmp_path / "s3").rglob("*") if path.is_file()] == ["opened"]


async def test_of_a_body_that_breaks_off_nothing_is_left(shelf, tmp_path):
    waiting = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        yield b"x" * 600_000
        waiting.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(put(shelf, endless()))
    await waiting.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    shelf.close()
    assert [path.name for path in (tmp_path / "s3").rglob("*") if path.is_file()] == ["opened"]


async def test_a_shared_content_outlives_its_source(shelf):
    name = await put(shelf, b"bytes")
    shared = await shelf.keep(await shelf.contents.share(name))
    assert list(await shelf.contents.remove([name])) == [name]
    assert await read(shelf, Segment(content=shared, offset=0, length=5)) == b"bytes"
    with pytest.raises(ContentMissingError):
        await shelf.contents.share(name)
    with pytest.raises(ContentMissingError):
        await read(shelf, Segment(content=name, offset=0, length=5))


async def test_what_is_being_read_is_not_removed(shelf):
    large = await put(shelf, pieces(b"z" * 1_200_000))
    whole = await put(shelf, b"w" * 9)
    segments = [
        Segment(content=large, offset=0, length=1_200_000),
        Segment(content=whole, offset=0, length=9),
    ]
    reader = shelf.contents.read(segments)
    read_first = await anext(reader)
    assert list(await shelf.contents.remove([large, whole])) == []
    rest = b"".join([piece async for piece in reader])
    assert read_first + rest == b"z" * 1_200_000 + b"w" * 9
    assert sorted(await shelf.contents.remove([large, whole])) == sorted([large, whole])


@pytest.mark.parametrize("streamed", [True, False])
async def test_what_is_sealed_is_stored_sealed(shelf, streamed):
    seen = Seen()
    name = await put(shelf, pieces(b"abc", b"d") if streamed else b"abcd", seen, bytes.upper)
    assert seen.data == b"abcd"
    assert await read(shelf, Segment(content=name, offset=0, length=4)) == b"ABCD"


async def test_what_came_after_the_start_is_no_stray(shelf):
    await put(shelf, b"new")
    assert [name async for names in shelf.contents.old_names() for name in names] == []


async def test_what_is_closed_says_so(shelf):
    shelf.close()
    with pytest.raises(StoreClosedError):
        await put(shelf, pieces(b"x" * 600_000))
    shelf.close()
