"""Subscription filters: what may be put, how they are listed, and what becomes of the events that match."""

import gzip
import json
from base64 import b64decode
from collections.abc import Iterable, Sequence
from typing import Any, cast

import pytest
from memory_records import MemoryDeliveries, MemoryRecords

from lambent.base.clock import ManualClock
from lambent.model.caller import Caller, Parameters
from lambent.model.delivery import Delivery
from lambent.model.error import AccessDeniedException, ServiceException
from lambent.model.lambda_errors import TooManyRequestsException
from lambent.services.logs.exceptions import (
    InvalidParameterException,
    LimitExceededException,
    ResourceNotFoundException,
)
from lambent.services.logs.groups import Groups
from lambent.services.logs.known_filters import GroupKey
from lambent.services.logs.subscriptions.courier import LogCourier
from lambent.services.logs.subscriptions.forwarding import Forwarding
from lambent.services.logs.subscriptions.known import KnownSubscriptions
from lambent.services.logs.subscriptions.operations import SubscriptionOperations
from lambent.store.ports.errors import StoreUnavailableError
from lambent.store.ports.logs import LogEvent, LogGroup, LogStore
from lambent.store.ports.target_deliveries import TargetDeliveryStore
from lambent.targets.failure import DeliveryFailedError

CALLER = Caller(
    account_id="123456789012",
    region="eu-west-1",
    principal_arn="arn:aws:iam::123456789012:root",
    user_id="123456789012",
    access_key_id="AKIAEXAMPLE",
)
FUNCTION = "arn:aws:lambda:eu-west-1:123456789012:function:f"
GROUP = "arn:aws:logs:eu-west-1:123456789012:log-group:/g:*"


class OneGroup:
    async def get_group(self, account_id: str, region: str, name: str) -> LogGroup | None:
        return (
            LogGroup(account_id=account_id, region=region, name=name, created_ms=0) if name == "/g" else None
        )


class Functions:
    """A client, before which a function lets in those services that it is told to."""

    def __init__(self) -> None:
        self.letting_in = {"logs.amazonaws.com"}
        self.asked: list[Parameters] = []

    async def __call__(
        self, service: str, operation: str, caller: Caller, parameters: Parameters
    ) -> Parameters:
        assert (service, operation, caller.source_arn) == ("lambda", "Invoke", GROUP)
        if caller.service not in self.letting_in:
            raise AccessDeniedException("no")
        self.asked.append(parameters)
        return {}


class Logs:
    def __init__(self) -> None:
        self.functions, self.deliveries, self.clock = Functions(), MemoryDeliveries(), ManualClock()
        self.known = KnownSubscriptions(MemoryRecords(MemoryDeliveries()))
        groups = Groups(cast(LogStore, OneGroup()))
        self.operations = SubscriptionOperations(self.known, groups, self.functions, self.clock)
        self.forwarding = Forwarding(self.known, cast(TargetDeliveryStore, self.deliveries), self.clock)

    async def put(self, name: str = "f", **changed: Any) -> None:
        given = {
            "logGroupName": "/g",
            "filterName": name,
            "filterPattern": "ERROR",
            "destinationArn": FUNCTION,
        }
        await self.operations.put_subscription_filter(CALLER, given | changed)

    async def described(self, **given: Any) -> Parameters:
        return await self.operations.describe_subscription_filters(CALLER, {"logGroupName": "/g", **given})

    async def append(self, *messages: str) -> list[dict[str, Any]]:
        """What is to be delivered of these."""
        events = [LogEvent(1_700_000_000_000 + number, 0, text) for number, text in enumerate(messages)]
        before = len(self.deliveries.enqueued)
        await self.forwarding.forward([(CALLER.account_id, CALLER.region, "/g", "s", events)])
        return [unpacked(delivery) for delivery in self.deliveries.enqueued[before:]]


def unpacked(delivery: Delivery) -> dict[str, Any]:
    data = json.loads(delivery.payload)["awslogs"]["data"]
    return cast(dict[str, Any], json.loads(gzip.decompress(b64decode(data))))


@pytest.fixture
def logs() -> Logs:
    return Logs()


async def test_a_filter_is_described_as_it_was_put(logs: Logs) -> None:
    await logs.put()
    assert await logs.described() == {
        "subscriptionFilters": [
            {
                "filterName": "f",
                "logGroupName": "/g",
                "filterPattern": "ERROR",
                "destinationArn": FUNCTION,
                "distribution": "ByLogStream",
                "creationTime": int(logs.clock.now() * 1000),
                "applyOnTransformedLogs": False,
            }
        ]
    }
    await logs.put("g", filterPattern="")
    first = await logs.described(limit=1)
    rest = await logs.described(nextToken=first["nextToken"])
    assert [f["filterName"] for page in (first, rest) for f in page["subscriptionFilters"]] == ["f", "g"]
    assert len((await logs.described(filterNamePrefix="g"))["subscriptionFilters"]) == 1


async def test_what_is_refused(logs: Logs) -> None:
    refused: list[tuple[dict[str, Any], str]] = [
        ({"filterPattern": "[a"}, "must end with"),
        (
            {"destinationArn": "arn:aws:kinesis:eu-west-1:123456789012:stream/s"},
            "destinationArn for vendor kinesis cannot be used without roleArn",
        ),
        (
            {"destinationArn": "arn:aws:logs:eu-west-1:123456789012:destination:d"},
            "delivers log events to Lambda",
        ),
        ({"destinationArn": FUNCTION.replace("eu-west-1", "eu-west-2")}, "different region"),
        ({"applyOnTransformedLogs": True}, "does not offer"),
    ]
    for given, message in refused:
        with pytest.raises(InvalidParameterException, match=message):
            await logs.put(**given)
    with pytest.raises(ResourceNotFoundException, match="log group does not exist"):
        await logs.put(logGroupName="/nowhere")
    others = FUNCTION.replace("123456789012", "210987654321")
    with pytest.raises(
        ServiceException, match="Cross-account lambda invocation passing is not allowed"
    ) as error:
        await logs.put(logGroupName="/nowhere", destinationArn=others)
    assert error.value.code == "AccessDeniedException"
    await logs.put("a")
    await logs.put("b")
    with pytest.raises(LimitExceededException, match="Resource limit exceeded"):
        await logs.put("c")
    await logs.put("b", filterPattern="WARN")
    with pytest.raises(ResourceNotFoundException, match="subscription filter does not exist"):
        await logs.operations.delete_subscription_filter(CALLER, {"logGroupName": "/g", "filterName": "c"})


async def test_the_function_must_let_cloudwatch_logs_in_by_either_name(logs: Logs) -> None:
    logs.functions.letting_in = set()
    with pytest.raises(InvalidParameterException, match="Could not execute the lambda function"):
        await logs.put()
    logs.functions.letting_in = {"logs.eu-west-1.amazonaws.com"}
    await logs.put()
    assert logs.functions.asked == [{"FunctionName": FUNCTION, "InvocationType": "DryRun"}]


async def test_events_that_match_are_delivered_as_aws_packs_them(logs: Logs) -> None:
    assert await logs.append("ERROR before there was a filter") == []
    woken: list[bool] = []
    logs.forwarding.wake = lambda: woken.append(True)
    await logs.put()
    [told] = await logs.append("ERROR 1", "fine", "ERROR é")
    events = told.pop("logEvents")
    assert told == {
        "messageType": "DATA_MESSAGE",
        "owner": "123456789012",
        "logGroup": "/g",
        "logStream": "s",
        "subscriptionFilters": ["f"],
    }
    assert [(e["timestamp"], e["message"]) for e in events] == [
        (1_700_000_000_000, "ERROR 1"),
        (1_700_000_000_002, "ERROR é"),
    ]
    assert all(len(e["id"]) == 56 and e["id"].isdigit() for e in events)
    assert woken == [True]
    assert await logs.append("fine") == []
    await logs.known.delete_group((CALLER.account_id, CALLER.region, "/g"))
    assert await logs.append("ERROR") == []


async def test_many_large_events_are_delivered_in_several_parts(logs: Logs) -> None:
    await logs.put(filterPattern="")
    told = await logs.append(*("x" * 200_000 for _ in range(7)))
    assert [len(one["logEvents"]) for one in told] == [3, 3, 1]


async def test_a_delivery_invokes_the_function_and_says_why_it_could_not(logs: Logs) -> None:
    await logs.put()
    await logs.append("ERROR")
    [delivery] = logs.deliveries.enqueued
    courier = LogCourier(logs.functions)
    await courier.deliver(delivery)
    assert logs.functions.asked[-1] == {
        "FunctionName": FUNCTION,
        "InvocationType": "Event",
        "Payload": delivery.payload,
    }
    logs.functions.letting_in = set()
    with pytest.raises(DeliveryFailedError, match="no"):
        await courier.deliver(delivery)

    async def throttled(*_: Any) -> Parameters:
        raise TooManyRequestsException("Rate Exceeded.")

    with pytest.raises(DeliveryFailedError, match="Rate Exceeded"):
        await LogCourier(throttled).deliver(delivery)


async def test_events_that_cannot_be_matched_keep_no_others_from_being_forwarded(logs: Logs) -> None:
    await logs.put()

    class OneIsBroken:
        def of_group(self, key: GroupKey) -> Iterable[tuple[str, Any]]:
            if key[2] == "/broken":
                raise RecursionError
            return logs.known.of_group(key)

    forwarding = Forwarding(
        cast(KnownSubscriptions, OneIsBroken()), cast(TargetDeliveryStore, logs.deliveries), logs.clock
    )
    events = [LogEvent(0, 0, "ERROR")]
    where = CALLER.account_id, CALLER.region
    await forwarding.forward([(*where, "/broken", "s", events), (*where, "/g", "s", events)])
    assert [unpacked(one)["logGroup"] for one in logs.deliveries.enqueued] == ["/g"]


async def test_what_a_store_does_not_take_is_offered_to_it_again(logs: Logs) -> None:
    await logs.put()
    refusals = 3

    class Refusing(MemoryDeliveries):
        async def enqueue(self, deliveries: Sequence[Delivery]) -> None:
            nonlocal refusals
            if refusals > 0:
                refusals -= 1
                raise StoreUnavailableError("the database cannot be reached")
            await super().enqueue(deliveries)

    async def sleep(seconds: float) -> None:
        logs.clock.advance(seconds)

    deliveries = Refusing()
    forwarding = Forwarding(logs.known, cast(TargetDeliveryStore, deliveries), logs.clock, sleep=sleep)
    batch = (CALLER.account_id, CALLER.region, "/g", "s", [LogEvent(0, 0, "ERROR")])
    await forwarding.forward([batch])
    assert len(deliveries.enqueued) == 1
    refusals = 1_000
    await forwarding.forward([batch])  # not for ever: whoever wrote the events waits
    assert len(deliveries.enqueued) == 1
