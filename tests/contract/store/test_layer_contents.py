"""The contract of LayerContents, for every implementation of it."""

import asyncio
import hashlib
import time
from pathlib import Path

import pytest

from lambent.store.layer_files import LayerFiles
from lambent.store.ports.errors import ContentMissingError
from lambent.store.ports.layer_contents import LayerContents

DATA = bytes(range(256)) * 40
DIGEST = f"sha256:{hashlib.sha256(DATA).hexdigest()}"
OTHER = "sha256:" + "0" * 64


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "layers"


@pytest.fixture
def contents(directory: Path) -> LayerContents:
    files = LayerFiles(directory)
    files.open()
    return files


async def receive(contents: LayerContents, data: bytes = DATA, upload_id: str = "u") -> bool:
    await contents.begin(upload_id)
    await contents.append(upload_id, data[:100])
    await contents.append(upload_id, data[100:])
    return await contents.finish(upload_id, f"sha256:{hashlib.sha256(data).hexdigest()}")


async def read(contents: LayerContents, offset: int = 0, length: int = len(DATA)) -> bytes:
    return b"".join([piece async for piece in await contents.read(DIGEST, offset, length)])


async def test_what_is_received_is_read(contents: LayerContents) -> None:
    assert await contents.size(DIGEST) is None
    assert await receive(contents)
    assert await contents.size(DIGEST) == len(DATA)
    assert await read(contents) == DATA
    assert await read(contents, 10, 20) == DATA[10:30]


async def test_what_has_another_digest_can_go_on(contents: LayerContents) -> None:
    await contents.begin("u")
    await contents.append("u", DATA[:500])
    assert not await contents.finish("u", DIGEST)
    assert await contents.size(DIGEST) is None
    await contents.append("u", DATA[500:])
    assert await contents.finish("u", DIGEST)


async def test_the_same_content_may_come_twice(contents: LayerContents) -> None:
    assert await receive(contents, upload_id="a")
    assert await receive(contents, upload_id="b")
    assert await read(contents) == DATA


async def test_what_was_never_begun_or_was_given_up(contents: LayerContents) -> None:
    with pytest.raises(ContentMissingError):
        await contents.append("none", b"x")
    await contents.begin("u")
    await contents.discard("u")
    await contents.discard("u")
    with pytest.raises(ContentMissingError):
        await contents.finish("u", DIGEST)
    with pytest.raises(ContentMissingError):
        await contents.read(OTHER, 0, 1)


async def test_contents_are_named_and_removed(contents: LayerContents) -> None:
    await receive(contents)
    assert await contents.names(older_than=time.time() + 10) == [DIGEST]
    assert await contents.names(older_than=time.time() - 10) == []
    await contents.remove([DIGEST], older_than=time.time() - 10)
    assert await contents.size(DIGEST) is not None
    await contents.remove([DIGEST, OTHER], older_than=time.time() + 10)
    assert await contents.size(DIGEST) is None


async def test_a_restart_keeps_what_is_whole_alone(contents: LayerContents, directory: Path) -> None:
    await receive(contents)
    await contents.begin("half")
    await contents.append("half", b"x")
    again = LayerFiles(directory)
    again.open()
    assert await again.size(DIGEST) == len(DATA)
    with pytest.raises(ContentMissingError):
        await again.append("half", b"y")
    assert not list((directory / "incoming").iterdir())


async def test_a_caller_that_leaves_does_not_disturb_the_next(contents: LayerContents) -> None:
    await contents.begin("u")
    leaving = asyncio.create_task(contents.append("u", DATA))
    await asyncio.sleep(0)
    leaving.cancel()
    await asyncio.wait([leaving])
    # Whether it was written or not, whoever asks after it finds the hash and the file to agree.
    if not await contents.finish("u", DIGEST):
        await contents.append("u", DATA)
        assert await contents.finish("u", DIGEST)
    assert await read(contents) == DATA
