from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lambent.model.bucket import Bucket
from lambent.model.stored_object import Notice, ObjectLock, ObjectProperties, ObjectVersion, WriteCondition
from lambent.store.ports.errors import (
    AlreadyExistsError,
    LockedError,
    MissingKeyError,
    NotFoundError,
    StaleRevisionError,
)
from lambent.store.ports.objects import BucketUsage, ListingQuery

NOTICE = Notice(
    account_id="111122223333", region="us-east-1", bucket_arn="arn:b", destination="arn:d", body="{}"
)


def version_of(key: str, id: str = "null", **members: object) -> ObjectVersion:
    return ObjectVersion(
        bucket="shelf",
        key=key,
        version_id=id,
        modified_at=1.25,
        etag=f"etag of {id}",
        content=f"{key} {id}",
        **members,  # type: ignore[arg-type]
    )


async def test_a_null_version_takes_the_place_of_the_one_before(stores, bucket):
    await stores.objects.put(version_of("k"))
    second = replace(version_of("k"), content="second", size=2)
    await stores.objects.put(second)
    assert await stores.objects.get("shelf", "k") == second
    assert await stores.objects.get("shelf", "k", "null") == second
    assert await stores.garbage.garbage(9) == ["k null"]


async def test_a_version_that_is_held_stays(stores, bucket):
    retained = version_of("k", "v1", lock=ObjectLock(mode="GOVERNANCE", retain_until=1e12))
    held = version_of("k", "v2", lock=ObjectLock(legal_hold=True))
    over = version_of("k", "v3", lock=ObjectLock(mode="COMPLIANCE", retain_until=1.0))
    for version in (retained, held, over):
        await stores.objects.put(version)
    for id, bypass in (("v1", False), ("v2", True)):
        with pytest.raises(LockedError):
            await stores.objects.delete("shelf", "k", id, bypass=bypass, notices=[NOTICE])
    assert await stores.objects.delete("shelf", "k", "v3") == over
    assert await stores.objects.delete("shelf", "k", "v1", bypass=True) == retained
    assert await stores.objects.get("shelf", "k") == held


async def test_versions_stay_and_the_newest_is_the_latest(stores, bucket):
    first, second = version_of("k", "v1"), version_of("k", "v2")
    for version in (version_of("k"), first, second):
        await stores.objects.put(version)
    assert await stores.objects.get("shelf", "k") == second
    assert await stores.objects.get("shelf", "k", "v1") == first
    assert await stores.objects.delete("shelf", "k", "v2") == second
    assert await stores.objects.get("shelf", "k") == first
    (entry,) = (await stores.objects.list_current(ListingQuery(bucket="shelf"))).entries
    assert entry.version == first
    await stores.objects.put(replace(version_of("k"), content="again"))
    found = await stores.objects.list_versions(ListingQuery(bucket="shelf"))
    assert [(entry.version.version_id, entry.latest) for entry in found.entries] == [
        ("null", True),
        ("v1", False),
    ]


async def test_a_delete_marker_hides_a_key_until_it_is_removed(stores, bucket):
    await stores.objects.put(version_of("k", "v1"))
    marker = replace(version_of("k", "m1"), delete_marker=True, content=None)
    await stores.objects.put(marker)
    assert (await stores.objects.get("shelf", "k")).delete_marker
    assert not (await stores.objects.list_current(ListingQuery(bucket="shelf"))).entries
    await stores.objects.delete("shelf", "k", "m1")
    assert len((await stores.objects.list_current(ListingQuery(bucket="shelf"))).entries) == 1


async def test_conditions_are_of_the_current_version(stores, bucket):
    absent = WriteCondition(absent=True)
    with pytest.raises(MissingKeyError):
        await stores.objects.put(version_of("k"), condition=WriteCondition(etag="e"))
    await stores.objects.put(version_of("k", "v1"), condition=absent)
    with pytest.raises(AlreadyExistsError):
        await stores.objects.put(version_of("k", "v2"), condition=absent)
    with pytest.raises(StaleRevisionError):
        await stores.objects.put(version_of("k", "v2"), condition=WriteCondition(etag="other"))
    await stores.objects.put(version_of("k", "v2"), condition=WriteCondition(etag="etag of v1"))
    await stores.objects.put(replace(version_of("k", "m"), delete_marker=True, content=None))
    await stores.objects.put(version_of("k", "v3"), condition=absent)
    with pytest.raises(StaleRevisionError):
        await stores.objects.delete("shelf", "k", "v3", etag="other")
    with pytest.raises(MissingKeyError):
        await stores.objects.delete("shelf", "k", "never", etag="other")


async def test_properties_are_replaced_by_comparison(stores, bucket):
    version = version_of("k")
    await stores.objects.put(version)
    tagged = replace(version, properties=ObjectProperties(tags={"a": "b"}))
    await stores.objects.replace(tagged, previous=version, notices=[NOTICE])
    assert await stores.objects.get("shelf", "k") == tagged
    with pytest.raises(StaleRevisionError):
        await stores.objects.replace(version, previous=version)
    with pytest.raises(NotFoundError):
        await stores.objects.replace(version_of("x"), previous=version_of("x"))


async def test_notices_are_written_with_the_change_and_only_with_it(stores, bucket):
    await stores.objects.put(version_of("k"), notices=[NOTICE])
    with pytest.raises(AlreadyExistsError):
        await stores.objects.put(
            version_of("k"), condition=WriteCondition(absent=True), notices=[NOTICE, NOTICE]
        )
    assert await stores.objects.delete("shelf", "x", "null", notices=[NOTICE]) is None
    now = stores.clock.now()
    (queued,) = await stores.notices.due(now, 9)
    assert queued.notice == NOTICE
    await stores.notices.postpone(queued.id, now + 5)
    assert await stores.notices.due(now, 9) == []
    assert await stores.notices.next_due() == now + 5
    (again,) = await stores.notices.due(now + 5, 9)
    assert again.attempts == 1
    assert await stores.notices.hasten(now=now + 1, latest=now + 5) == 0
    assert await stores.notices.hasten(now=now + 1, latest=now + 4) == 1
    assert await stores.notices.next_due() == now + 1
    await stores.notices.complete([again.id])
    assert await stores.notices.next_due() is None


async def test_garbage_is_what_nothing_refers_to(stores, bucket):
    await stores.objects.put(version_of("k"))
    await stores.objects.delete("shelf", "k", "null")
    await stores.objects.put(version_of("j"))
    await stores.objects.put(version_of("i"))
    await stores.objects.delete("shelf", "i", "null")
    assert sorted(await stores.garbage.garbage(9)) == ["i null", "k null"]
    assert await stores.garbage.unreferenced(["k null", "j null", "unknown"]) == ["unknown"]
    await stores.garbage.forget(["k null"])
    assert await stores.garbage.garbage(9) == ["i null"]


KEYS = ("a", "a/", "a/b", "a/b/c", "a/d", "b", "b/é", "b/￿", "b/\U0001f600", "c//d")


async def listed(stores, **query: object) -> tuple[list[str], list[str], str | None]:
    found = await stores.objects.list_current(ListingQuery(bucket="shelf", **query))  # type: ignore[arg-type]
    return [entry.version.key for entry in found.entries], list(found.prefixes), found.last


async def test_listings_roll_up_and_go_on_where_they_ended(stores, bucket):
    for key in KEYS:
        await stores.objects.put(version_of(key))
    assert await listed(stores) == (sorted(KEYS, key=str.encode), [], None)
    assert await listed(stores, delimiter="/") == (["a", "b"], ["a/", "b/", "c/"], None)
    assert await listed(stores, delimiter="/", prefix="a/") == (["a/", "a/b", "a/d"], ["a/b/"], None)
    assert await listed(stores, delimiter="/", limit=2) == (["a"], ["a/"], "a/")
    assert await listed(stores, delimiter="/", after="a/", limit=2) == (["b"], ["b/"], "b/")
    assert await listed(stores, delimiter="/", after="b/") == ([], ["c/"], None)
    assert await listed(stores, after="a/b", limit=2) == (["a/b/c", "a/d"], [], "a/d")
    assert await listed(stores, prefix="b/\U0001f600") == (["b/\U0001f600"], [], None)
    assert await listed(stores, prefix="zz") == ([], [], None)


async def test_versions_go_on_within_a_key(stores, bucket):
    for id in ("v1", "v2", "v3"):
        await stores.objects.put(version_of("k", id))
    await stores.objects.put(version_of("l", "w1"))
    page = await stores.objects.list_versions(ListingQuery(bucket="shelf", limit=2))
    assert (page.last, page.last_version_id) == ("k", "v2")
    rest = await stores.objects.list_versions(
        ListingQuery(bucket="shelf", after=page.last, after_version_id=page.last_version_id)
    )
    assert [entry.version.version_id for entry in rest.entries] == ["v1", "w1"]
    assert rest.last is None


async def test_versions_go_on_behind_one_that_is_gone(stores, bucket):
    for id in ("v1", "null", "v2", "v3", "v4"):
        await stores.objects.put(version_of("k", id))
    await stores.objects.put(version_of("l", "w1"))
    await stores.objects.delete("shelf", "k", "v3")

    async def behind(id):
        found = await stores.objects.list_versions(
            ListingQuery(bucket="shelf", after="k", after_version_id=id)
        )
        return [entry.version.version_id for entry in found.entries]

    assert await behind("v3") == ["v2", "null", "v1", "w1"]
    await stores.objects.delete("shelf", "k", "null")
    assert await behind("v3") == ["v2", "v1", "w1"]
    await stores.objects.delete("shelf", "k", "v1")
    await stores.objects.delete("shelf", "k", "v2")
    assert await behind("v2") == ["w1"]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    keys=st.sets(st.text("ab/\ud7ff\ue000\U0010ffff", min_size=1, max_size=5), max_size=12),
    prefix=st.text("ab/", max_size=2),
    delimiter=st.sampled_from(["", "/", "b", "/a"]),
    limit=st.integers(1, 4),
)
async def test_paging_through_is_listing_all(stores, keys, prefix, delimiter, limit):
    name = f"of {len(await stores.buckets.all())}"
    await stores.buckets.insert(
        Bucket(name=name, account_id="111122223333", region="us-east-1", created_at=1.0)
    )
    for key in keys:
        await stores.objects.put(replace(version_of(key), bucket=name))
    expected_keys, expected_prefixes = [], []
    for key in sorted(keys, key=str.encode):
        if not key.startswith(prefix):
            continue
        head, found, _ = key[len(prefix) :].partition(delimiter) if delimiter else (key, "", "")
        rolled = f"{prefix}{head}{found}"
        if not found:
            expected_keys.append(key)
        elif rolled not in expected_prefixes:
            expected_prefixes.append(rolled)
    got_keys, got_prefixes, after = [], [], ""
    while True:
        page = await stores.objects.list_current(
            ListingQuery(bucket=name, prefix=prefix, delimiter=delimiter, after=after, limit=limit)
        )
        assert len(page.entries) + len(page.prefixes) <= limit
        got_keys += [entry.version.key for entry in page.entries]
        got_prefixes += page.prefixes
        if page.last is None:
            break
        assert page.last.encode() > after.encode()
        after = page.last
    assert (got_keys, got_prefixes) == (expected_keys, expected_prefixes)


async def test_what_a_bucket_holds(stores, bucket):
    assert await stores.objects.usage("shelf") == BucketUsage(count=0, size_by_class={})
    await stores.objects.put(version_of("a", "v1", size=3))
    await stores.objects.put(version_of("a", "v2", size=4))
    rare = ObjectProperties(storage_class="STANDARD_IA")
    await stores.objects.put(version_of("b", size=5, properties=rare))
    usage = await stores.objects.usage("shelf")
    assert usage == BucketUsage(count=3, size_by_class={"STANDARD": 7, "STANDARD_IA": 5})


async def test_of_a_version_that_is_not_there_it_is_told_where_that_is_asked_for(stores, bucket):
    assert await stores.objects.delete("shelf", "x", "null", notices=[NOTICE], tell_anyway=True) is None
    (queued,) = await stores.notices.due(stores.clock.now(), 9)
    assert queued.notice == NOTICE
