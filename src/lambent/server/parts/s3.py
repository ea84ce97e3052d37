"""S3: its objects' bytes are files below the data directory, all else is in the database."""

import asyncio

from lambent.server.part import Core, Part
from lambent.services import s3
from lambent.store.object_files import ObjectFiles
from lambent.store.sqlite.buckets import SqliteBucketStore
from lambent.store.sqlite.notices import SqliteNoticeStore
from lambent.store.sqlite.objects import SqliteObjectStore
from lambent.store.sqlite.uploads import SqliteUploadStore


def part(core: Core) -> Part:
    files = ObjectFiles(core.data_dir / "s3")
    objects = SqliteObjectStore(core.database, core.clock)
    stores = s3.Stores(
        buckets=SqliteBucketStore(core.database),
        objects=objects,
        garbage=objects,
        uploads=SqliteUploadStore(core.database, core.clock),
        notices=SqliteNoticeStore(core.database),
        contents=files,
    )
    made = s3.service(stores, core.clock, core.client, core.metrics)

    async def open_files() -> None:
        await asyncio.to_thread(files.open)
        await made.buckets.load()

    async def close_files() -> None:
        await asyncio.to_thread(files.close)

    return Part(service=made.service, open=open_files, behind=made.behind, close=close_files)
