"""S3: the bytes of its objects, but for small ones, are files below the data directory, all else is in the database."""

import asyncio

from lambent.api.dev_credentials import DevCredentials
from lambent.server.part import Core, Door, Part
from lambent.services import s3
from lambent.services.s3.door import S3Door
from lambent.store.object_contents import ObjectContents
from lambent.store.object_files import ObjectFiles
from lambent.store.sql.buckets import SqlBucketStore
from lambent.store.sql.notices import SqlNoticeStore
from lambent.store.sql.objects import SqlObjectStore
from lambent.store.sql.small_contents import SqlSmallContents
from lambent.store.sql.uploads import SqlUploadStore


def part(core: Core) -> Part:
    files = ObjectFiles(core.shared_dir / "s3", core.node_id if core.settings.shared_dir else "")
    objects = SqlObjectStore(core.database, core.clock)
    stores = s3.Stores(
        buckets=SqlBucketStore(core.database),
        objects=objects,
        garbage=objects,
        uploads=SqlUploadStore(core.database, core.clock),
        notices=SqlNoticeStore(core.database),
        contents=ObjectContents(files, SqlSmallContents(core.database, core.clock)),
    )
    made = s3.service(stores, core.clock, core.client, core.metrics)

    async def open_files() -> None:
        await asyncio.to_thread(files.open)
        await made.buckets.load()

    async def close_files() -> None:
        await made.logs.flush()
        await asyncio.to_thread(files.close)

    credentials = DevCredentials(core.credentials) if core.settings.dev else core.credentials
    door = S3Door(made.buckets, core.client, credentials, core.clock, dev=core.settings.dev)
    return Part(
        service=made.service,
        open=open_files,
        behind={"put access logs into buckets": made.logs.run},
        once=made.once,
        changed={"buckets": lambda key: made.buckets.load()},
        reload=made.buckets.load,
        wakes=made.wakes,
        doors=(Door(opens=door.opens, handler=door.handle),),
        dress=door.dress,
        close=close_files,
    )
