from dataclasses import replace

import pytest

from lambent.model.stored_object import ObjectProperties, ObjectVersion, Part, Upload, WriteCondition
from lambent.store.ports.errors import AlreadyExistsError, NotFoundError, OvertakenError, StaleRevisionError
from lambent.store.ports.objects import ListingQuery


def upload_of(id: str, key: str = "k") -> Upload:
    return Upload(id=id, bucket="shelf", key=key, initiated_at=1.0, properties=ObjectProperties())


def part_of(number: int, content: str, size: int = 10) -> Part:
    return Part(number=number, content=content, size=size, etag="e", modified_at=1.0)


def version_of(upload: str) -> ObjectVersion:
    return ObjectVersion(bucket="shelf", key="k", modified_at=1.0, parts_of=upload, size=20)


async def test_an_upload_is_found_by_bucket_key_and_id(stores, bucket):
    await stores.uploads.insert(upload_of("u"))
    assert await stores.uploads.get("shelf", "k", "u") == upload_of("u")
    assert await stores.uploads.get("shelf", "other", "u") is None
    with pytest.raises(NotFoundError):
        await stores.uploads.insert(replace(upload_of("v"), bucket="ghost"))


async def test_parts_replace_each_other_by_number(stores, bucket):
    await stores.uploads.insert(upload_of("u"))
    for part in (part_of(2, "c2"), part_of(1, "c1"), part_of(2, "c3")):
        await stores.uploads.put_part("u", part)
    assert [part.content for part in await stores.uploads.parts("u")] == ["c1", "c3"]
    assert [part.number for part in await stores.uploads.parts("u", after=1, limit=1)] == [2]
    assert await stores.garbage.garbage(9) == ["c2"]
    with pytest.raises(NotFoundError):
        await stores.uploads.put_part("ghost", part_of(1, "c"))


async def test_completing_makes_an_object_of_the_parts_and_drops_the_others(stores, bucket):
    await stores.uploads.insert(upload_of("u"))
    for number in (1, 2, 3):
        await stores.uploads.put_part("u", part_of(number, f"c{number}"))
    parts = [part_of(1, "c1"), replace(part_of(3, "c3"), position=10)]
    with pytest.raises(StaleRevisionError):
        await stores.uploads.complete("u", [part_of(1, "changed")], version_of("u"))
    await stores.uploads.complete("u", parts, version_of("u"))
    assert await stores.uploads.parts("u") == parts
    assert [part.number for part in await stores.uploads.parts_at("u", 5, 9)] == [1]
    assert [part.number for part in await stores.uploads.parts_at("u", 9, 10)] == [1, 3]
    assert await stores.garbage.garbage(9) == ["c2"]
    with pytest.raises(NotFoundError):
        await stores.uploads.complete("u", parts, version_of("u"))
    assert not await stores.uploads.abort("u")
    await stores.objects.delete("shelf", "k", "null")
    assert sorted(await stores.garbage.garbage(9)) == ["c1", "c2", "c3"]


async def test_a_refused_completion_leaves_the_upload(stores, bucket):
    await stores.objects.put(ObjectVersion(bucket="shelf", key="k", modified_at=1.0, content="c"))
    await stores.uploads.insert(upload_of("u"))
    await stores.uploads.put_part("u", part_of(1, "c1"))
    with pytest.raises(AlreadyExistsError):
        await stores.uploads.complete(
            "u", [part_of(1, "c1")], version_of("u"), condition=WriteCondition(absent=True)
        )
    assert await stores.uploads.get("shelf", "k", "u") is not None
    assert await stores.uploads.abort("u")
    assert await stores.garbage.garbage(9) == ["c1"]


@pytest.mark.parametrize("marked", [False, True])
async def test_a_key_that_was_deleted_meanwhile_is_not_absent(stores, bucket, marked):
    await stores.objects.put(ObjectVersion(bucket="shelf", key="k", modified_at=1.0))
    await stores.uploads.insert(upload_of("u"))
    await stores.uploads.put_part("u", part_of(1, "c1"))
    completed = ("u", [part_of(1, "c1")], version_of("u"))
    with pytest.raises(AlreadyExistsError):
        await stores.uploads.complete(*completed, condition=WriteCondition(absent=True))
    if marked:
        await stores.objects.put(ObjectVersion(bucket="shelf", key="k", modified_at=2.0, delete_marker=True))
    else:
        await stores.objects.delete("shelf", "k", "null")
    with pytest.raises(OvertakenError):
        await stores.uploads.complete(*completed, condition=WriteCondition(absent=True))
    await stores.uploads.insert(upload_of("v"))
    await stores.uploads.put_part("v", part_of(1, "c2"))
    await stores.uploads.complete(
        "v", [part_of(1, "c2")], version_of("v"), condition=WriteCondition(absent=True)
    )
    await stores.uploads.complete(*completed)


async def test_uploads_are_listed_by_key_then_age(stores, bucket):
    for id, key in (("u1", "b"), ("u2", "a/x"), ("u3", "b"), ("u4", "c")):
        await stores.uploads.insert(upload_of(id, key))
    page = await stores.uploads.list(ListingQuery(bucket="shelf", limit=2))
    assert [upload.id for upload in page.uploads] == ["u2", "u1"]
    assert (page.last, page.last_id) == ("b", "u1")
    rest = await stores.uploads.list(ListingQuery(bucket="shelf", after="b", after_version_id="u1"))
    assert [upload.id for upload in rest.uploads] == ["u3", "u4"]
    rolled = await stores.uploads.list(ListingQuery(bucket="shelf", delimiter="/"))
    assert list(rolled.prefixes) == ["a/"]
