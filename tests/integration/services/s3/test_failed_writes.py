"""What is left of a PutObject whose record could not be stored, or may have been."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from contextlib import suppress
from errno import EIO
from pathlib import Path
from typing import Any

import pytest

from lambent.services.s3 import S3Service
from lambent.store.ports.errors import OutcomeUnknownError, StoreUnavailableError
from lambent.store.sql.objects import SqlObjectStore
from lambent.store.sqlite import wal_sync

Call = Callable[..., Awaitable[dict[str, Any]]]
FIRST, SECOND = b"first" * 10_000, b"second" * 10_000
"""Too large to be written with their records: they have files."""


async def read(call: Call) -> bytes:
    body: bytes = (await call("GetObject", Key="k"))["Body"]
    return body


def files(directory: Path) -> list[Path]:
    return [path for path in (directory / "s3" / "objects").rglob("*") if path.is_file()]


async def test_an_object_whose_write_was_made_without_a_word_of_it_can_be_read(
    made: S3Service, call: Call, objects: SqlObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await call("PutObject", Key="k", Body=FIRST)
    put = objects.put

    async def unheard(*arguments: Any, **named: Any) -> None:
        await put(*arguments, **named)
        raise OutcomeUnknownError("nobody knows whether it was made")

    monkeypatch.setattr(objects, "put", unheard)
    with pytest.raises(OutcomeUnknownError):
        await call("PutObject", Key="k", Body=SECOND)
    await made.garbage.collect()
    assert await read(call) == SECOND


async def test_what_was_replaced_goes_when_that_is_on_disk(
    made: S3Service, call: Call, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    await call("PutObject", Key="k", Body=FIRST)

    def fail(*_: Any, **__: Any) -> None:
        raise OSError(EIO, "Input/output error")

    with monkeypatch.context() as disk:
        disk.setattr(os, "fdatasync", fail)
        disk.setattr(wal_sync, "rewrite", fail)
        with pytest.raises(OutcomeUnknownError):
            await call("PutObject", Key="k", Body=SECOND)
        with pytest.raises(StoreUnavailableError):
            await made.garbage.collect()
        assert len(await asyncio.to_thread(files, tmp_path)) == 2

    for _ in range(500):  # until the log was written again
        with suppress(StoreUnavailableError):
            await made.garbage.collect()
            break
        await asyncio.sleep(0.02)
    assert len(await asyncio.to_thread(files, tmp_path)) == 1
    assert await read(call) == SECOND


async def test_a_write_that_was_refused_leaves_the_object_before_it_and_no_file(
    made: S3Service, call: Call, objects: SqlObjectStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    await call("PutObject", Key="k", Body=FIRST)

    async def refused(*_: Any, **__: Any) -> None:
        raise StoreUnavailableError("the database cannot be reached")

    monkeypatch.setattr(objects, "put", refused)
    with pytest.raises(StoreUnavailableError):
        await call("PutObject", Key="k", Body=SECOND)
    await made.garbage.collect()
    assert await read(call) == FIRST
    assert len(await asyncio.to_thread(files, tmp_path)) == 1
