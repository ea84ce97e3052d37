"""Saved queries."""

import pytest
from memory_records import MemoryDeliveries, MemoryRecords

from lambent.base.clock import ManualClock
from lambent.model.caller import Caller
from lambent.services.logs.exceptions import InvalidParameterException, ResourceNotFoundException
from lambent.services.logs.insights.definitions import DefinitionOperations

CALLER = Caller(
    account_id="123456789012",
    region="eu-west-1",
    partition="aws",
    principal_arn="arn:aws:iam::123456789012:root",
    user_id="123456789012",
    access_key_id="AKIAEXAMPLE",
)


@pytest.fixture
def operations() -> DefinitionOperations:
    return DefinitionOperations(MemoryRecords(MemoryDeliveries()), ManualClock(1.0))


async def test_an_update_keeps_nothing_of_what_was(operations: DefinitionOperations) -> None:
    made = await operations.put_query_definition(
        CALLER, {"name": "n", "queryString": "fields a", "logGroupNames": ["/g"]}
    )
    await operations.put_query_definition(CALLER, {**made, "name": "m", "queryString": "fields b"})
    assert await operations.describe_query_definitions(CALLER, {}) == {
        "queryDefinitions": [
            {**made, "queryLanguage": "CWLI", "name": "m", "queryString": "fields b", "lastModified": 1000}
        ]
    }


async def test_they_are_listed_by_name_in_pages(operations: DefinitionOperations) -> None:
    for name in ("b/1", "a/2", "a/1", "a/1"):
        await operations.put_query_definition(CALLER, {"name": name, "queryString": "fields a"})
    page = await operations.describe_query_definitions(CALLER, {"maxResults": 3})
    assert [one["name"] for one in page["queryDefinitions"]] == ["a/1", "a/1", "a/2"]
    rest = await operations.describe_query_definitions(CALLER, {"nextToken": page["nextToken"]})
    assert [one["name"] for one in rest["queryDefinitions"]] == ["b/1"]
    assert "nextToken" not in rest
    found = await operations.describe_query_definitions(CALLER, {"queryDefinitionNamePrefix": "b"})
    assert [one["name"] for one in found["queryDefinitions"]] == ["b/1"]


async def test_what_is_not_there_is_neither_changed_nor_deleted(operations: DefinitionOperations) -> None:
    with pytest.raises(ResourceNotFoundException):
        await operations.put_query_definition(
            CALLER, {"queryDefinitionId": "x", "name": "n", "queryString": "fields a"}
        )
    with pytest.raises(ResourceNotFoundException):
        await operations.delete_query_definition(CALLER, {"queryDefinitionId": "x"})
    with pytest.raises(InvalidParameterException, match="Logs Insights QL"):
        await operations.put_query_definition(
            CALLER, {"name": "n", "queryString": "select", "queryLanguage": "SQL"}
        )
