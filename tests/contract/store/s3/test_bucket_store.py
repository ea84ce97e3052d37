from dataclasses import replace

import pytest

from lambent.model.stored_object import ObjectProperties, ObjectVersion, Part, Upload
from lambent.store.ports.errors import AlreadyExistsError, NotEmptyError, NotFoundError, StaleRevisionError


async def test_names_are_unique_whoever_owns_the_bucket(stores, bucket):
    with pytest.raises(AlreadyExistsError):
        await stores.buckets.insert(replace(bucket, account_id="999999999999"))
    other = replace(bucket, name="another")
    await stores.buckets.insert(other)
    assert await stores.buckets.all() == [other, bucket]


async def test_a_bucket_is_replaced_by_comparison(stores, bucket):
    changed = replace(bucket, versioning="Enabled", configurations={"Tagging": {"TagSet": []}})
    await stores.buckets.replace(changed, previous=bucket)
    with pytest.raises(StaleRevisionError):
        await stores.buckets.replace(bucket, previous=bucket)
    assert await stores.buckets.all() == [changed]
    with pytest.raises(NotFoundError):
        await stores.buckets.replace(replace(bucket, name="ghost"), previous=bucket)


async def test_only_an_empty_bucket_is_deleted_and_takes_its_uploads_along(stores, bucket):
    version = ObjectVersion(bucket="shelf", key="k", modified_at=1.0, content="c1")
    await stores.objects.put(version)
    with pytest.raises(NotEmptyError):
        await stores.buckets.delete("shelf")
    await stores.objects.delete("shelf", "k", "null")
    upload = Upload(id="u", bucket="shelf", key="k", initiated_at=1.0, properties=ObjectProperties())
    await stores.uploads.insert(upload)
    await stores.uploads.put_part("u", Part(number=1, content="c2", size=1, etag="e", modified_at=1.0))
    await stores.buckets.delete("shelf")
    assert sorted(await stores.garbage.garbage(9)) == ["c1", "c2"]
    assert await stores.uploads.get("shelf", "k", "u") is None
    with pytest.raises(NotFoundError):
        await stores.buckets.delete("shelf")
    with pytest.raises(NotFoundError):
        await stores.objects.put(version)
