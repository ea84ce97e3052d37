"""Delivery destinations, as AWS was recorded to answer of them."""

import pytest
from memory_records import MemoryDeliveries, MemoryRecords

from lambent.model.caller import Caller
from lambent.services.logs.deliveries import DeliveryOperations, no_source, no_source_of_service
from lambent.services.logs.exceptions import ResourceNotFoundException, ValidationException

CALLER = Caller(
    account_id="123456789012",
    region="eu-west-1",
    principal_arn="arn:aws:iam::123456789012:root",
    user_id="123456789012",
    access_key_id="AKIAEXAMPLE",
    request_id="request-1",
)
BUCKET = {"deliveryDestinationConfiguration": {"destinationResourceArn": "arn:aws:s3:::b"}}
DESCRIBED = {
    "name": "d",
    "arn": f"arn:aws:logs:{CALLER.region}:{CALLER.account_id}:delivery-destination:d",
    "deliveryDestinationType": "S3",
    **BUCKET,
}
MISSING = "Requested Delivery Destination does not exist in this account."


@pytest.fixture
def deliveries() -> DeliveryOperations:
    return DeliveryOperations(MemoryRecords(MemoryDeliveries()))


async def test_a_destination_is_kept_changed_and_deleted(deliveries: DeliveryOperations) -> None:
    put = await deliveries.put(CALLER, {"name": "d", "outputFormat": "json", "tags": {"k": "v"}, **BUCKET})
    assert put == {"deliveryDestination": {**DESCRIBED, "outputFormat": "json"}}
    logs = "arn:aws:logs:eu-west-1:111122223333:log-group:g:*"
    await deliveries.put(
        CALLER, {"name": "d", "deliveryDestinationConfiguration": {"destinationResourceArn": logs}}
    )
    found = (await deliveries.get(CALLER, {"name": "d"}))["deliveryDestination"]
    assert (found["deliveryDestinationType"], found["tags"]) == ("CWL", {"k": "v"})
    await deliveries.delete(CALLER, {"name": "d"})
    for operation in (deliveries.get, deliveries.delete):
        with pytest.raises(ResourceNotFoundException, match=MISSING):
            await operation(CALLER, {"name": "d"})


async def test_destinations_are_described_page_by_page(deliveries: DeliveryOperations) -> None:
    for name in ("c", "a", "b"):
        await deliveries.put(CALLER, {"name": name, **BUCKET})
    first = await deliveries.describe(CALLER, {"limit": 2})
    rest = await deliveries.describe(CALLER, {"limit": 2, "nextToken": first["nextToken"]})
    assert [[one["name"] for one in page["deliveryDestinations"]] for page in (first, rest)] == [
        ["a", "b"],
        ["c"],
    ]
    assert "nextToken" not in rest
    named = await deliveries.describe(CALLER, {"names": ["c", "x"]})
    assert [one["name"] for one in named["deliveryDestinations"]] == ["c"]


async def test_a_destination_has_a_policy_or_none(deliveries: DeliveryOperations) -> None:
    await deliveries.put(CALLER, {"name": "d", **BUCKET})
    of_d = {"deliveryDestinationName": "d"}
    assert await deliveries.get_policy(CALLER, of_d) == {"policy": {}}
    policy = {"policy": {"deliveryDestinationPolicy": "{}"}}
    assert await deliveries.put_policy(CALLER, {**of_d, "deliveryDestinationPolicy": "{}"}) == policy
    assert await deliveries.get_policy(CALLER, of_d) == policy
    await deliveries.delete_policy(CALLER, of_d)
    assert await deliveries.get_policy(CALLER, of_d) == {"policy": {}}
    with pytest.raises(ResourceNotFoundException, match=MISSING):
        await deliveries.put_policy(
            CALLER, {"deliveryDestinationName": "x", "deliveryDestinationPolicy": "{}"}
        )


@pytest.mark.parametrize(
    "refused",
    [
        {"deliveryDestinationType": "XRAY"},
        {**BUCKET, "deliveryDestinationType": "FH"},
        {
            "deliveryDestinationConfiguration": {
                "destinationResourceArn": "arn:aws:firehose:r:1:deliverystream/s"
            }
        },
        {**BUCKET, "roleArn": "arn:aws:iam::111122223333:role/r"},
    ],
)
async def test_what_nothing_can_be_delivered_to_is_refused(
    deliveries: DeliveryOperations, refused: dict[str, object]
) -> None:
    with pytest.raises(ValidationException):
        await deliveries.put(CALLER, {"name": "d", **refused})


async def test_nothing_is_a_source() -> None:
    with pytest.raises(ResourceNotFoundException, match="Cannot access provided service"):
        await no_source_of_service(CALLER, {"name": "s", "resourceArn": "arn:aws:s3:::b", "logType": "X"})
    with pytest.raises(ResourceNotFoundException, match="Requested Delivery Source does not exist"):
        await no_source(CALLER, {"name": "s"})
