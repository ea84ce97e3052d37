from dataclasses import replace

import pytest
from memory_mappings import MemoryEventSourceMappingStore

from lambent.model.event_source_mapping import EventSourceMapping
from lambent.store.ports.errors import AlreadyExistsError, NotFoundError, StaleRevisionError
from lambent.store.sql.event_source_mappings import SqlEventSourceMappingStore

ACCOUNT, REGION = "123456789012", "us-east-1"
QUEUE = "arn:aws:sqs:us-east-1:123456789012:q"


@pytest.fixture(params=["sqlite", "postgres", "memory"])
def store(request, new_database):
    if request.param == "memory":
        return MemoryEventSourceMappingStore()
    return SqlEventSourceMappingStore(new_database(request.param))


def mapping_of(uuid: str, function: str = "f", **changes: object) -> EventSourceMapping:
    defaults = {
        "account_id": ACCOUNT,
        "region": REGION,
        "uuid": uuid,
        "function_name": function,
        "kind": "sqs",
        "source_arn": QUEUE,
        "settings": {"BatchSize": 10, "FilterCriteria": {"Filters": [{"Pattern": "{}"}]}},
        "state": "Creating",
        "last_modified": 1.5,
        "revision_id": "r1",
        "tags": {"k": "v"},
    }
    return EventSourceMapping(**(defaults | changes))  # type: ignore[arg-type]


async def test_what_was_inserted_is_found(store):
    mapping = mapping_of("u1", qualifier="prod")
    await store.insert(mapping)
    assert await store.get(ACCOUNT, REGION, "u1") == mapping
    assert await store.get(ACCOUNT, "eu-west-1", "u1") is None
    assert await store.find(mapping_of("other", qualifier="prod")) == mapping
    assert await store.find(mapping_of("other")) is None
    assert await store.all() == [mapping]


async def test_a_function_has_one_mapping_for_a_source(store):
    await store.insert(mapping_of("u1"))
    with pytest.raises(AlreadyExistsError):
        await store.insert(mapping_of("u2"))
    await store.insert(mapping_of("u2", qualifier="prod"))
    await store.insert(mapping_of("u3", function="g"))
    await store.insert(mapping_of("u4", source_arn=QUEUE + "2"))
    with pytest.raises(AlreadyExistsError):
        await store.replace(mapping_of("u3"), expected_revision_id="r1")
    assert (await store.get(ACCOUNT, REGION, "u3")).function_name == "g"


async def test_topics_tell_sources_apart(store):
    for uuid, topic in (("u1", "a"), ("u2", "b")):
        await store.insert(mapping_of(uuid, settings={"Topics": [topic]}))
    with pytest.raises(AlreadyExistsError):
        await store.insert(mapping_of("u3", settings={"Topics": ["a"]}))


async def test_replacing_compares_revisions(store):
    mapping = mapping_of("u1")
    await store.insert(mapping)
    changed = replace(mapping, state="Enabled", function_name="g", revision_id="r2")
    await store.replace(changed, expected_revision_id="r1")
    assert await store.get(ACCOUNT, REGION, "u1") == changed
    with pytest.raises(StaleRevisionError):
        await store.replace(mapping, expected_revision_id="r1")
    with pytest.raises(NotFoundError):
        await store.replace(mapping_of("u2"), expected_revision_id="r1")


async def test_deleting(store):
    mapping = mapping_of("u1")
    await store.insert(mapping)
    await store.delete(mapping)
    await store.delete(mapping)
    assert await store.get(ACCOUNT, REGION, "u1") is None
    await store.insert(mapping_of("u2"))


async def test_pages(store):
    for uuid, function, source in (("u1", "f", "a"), ("u2", "g", "a"), ("u3", "f", "b"), ("u4", "g", "b")):
        await store.insert(
            mapping_of(uuid, function=function, source_arn=f"arn:aws:sqs:us-east-1:1:{source}")
        )
    await store.insert(mapping_of("u5", region="eu-west-1"))

    async def uuids(after=None, limit=9, source_arn=None, function_arn=None):
        filters = {"source_arn": source_arn, "function_arn": function_arn}
        found = await store.page(ACCOUNT, REGION, **filters, after=after, limit=limit)
        return [mapping.uuid for mapping in found]

    assert await uuids() == ["u1", "u2", "u3", "u4"]
    assert await uuids(after="u1", limit=2) == ["u2", "u3"]
    assert await uuids(source_arn="arn:aws:sqs:us-east-1:1:b") == ["u3", "u4"]
    assert await uuids(function_arn=mapping_of("x").function_arn, source_arn="arn:aws:sqs:us-east-1:1:b") == [
        "u3"
    ]
    assert await uuids(function_arn=mapping_of("x").function_arn + ":1") == []
