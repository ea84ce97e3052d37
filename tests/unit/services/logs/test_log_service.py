"""The service as a whole: what it offers, what each operation acts on, how it says that the disk is full."""

from typing import Any, cast

import pytest
from memory_records import MemoryDeliveries, MemoryRecords

from lambent.base.clock import ManualClock
from lambent.model.caller import Caller
from lambent.model.service import Client
from lambent.services.logs import service
from lambent.services.logs.authorization import resource_arn
from lambent.services.logs.exceptions import InvalidParameterException, ServiceUnavailableException
from lambent.services.logs.exports.tasks import ExportTasks
from lambent.services.logs.fed_store import FedLogStore
from lambent.services.logs.feed import LocalFeed
from lambent.services.logs.insights.queries import Queries
from lambent.services.logs.metric_filters.known import KnownMetricFilters
from lambent.services.logs.subscriptions.known import KnownSubscriptions
from lambent.services.logs.tokens import decode, encode
from lambent.store.ports.errors import StoreFullError
from lambent.store.ports.logs import LogEvent, LogGroup, LogStore

CALLER = Caller(
    account_id="123456789012",
    region="cn-north-1",
    partition="aws-cn",
    principal_arn="arn:aws-cn:iam::123456789012:root",
    user_id="123456789012",
    access_key_id="AKIAEXAMPLE",
)
ARN = "arn:aws-cn:logs:cn-north-1:123456789012:log-group:"


@pytest.mark.parametrize(
    ("operation", "parameters", "arn"),
    [
        ("CreateLogGroup", {"logGroupName": "/g"}, ARN + "/g:log-stream:"),
        ("FilterLogEvents", {"logGroupIdentifier": ARN + "/g"}, ARN + "/g:log-stream:"),
        ("PutLogEvents", {"logGroupName": "/g", "logStreamName": "s"}, ARN + "/g:log-stream:s"),
        ("GetLogEvents", {"logGroupName": "/g", "logStreamName": "s"}, ARN + "/g:log-stream:s"),
        ("DescribeLogGroups", {"logGroupNamePrefix": "/g"}, ARN + ":log-stream:"),
        ("TagResource", {"resourceArn": ARN + "/g"}, ARN + "/g"),
        ("TagResource", {"resourceArn": ARN + "/g:*"}, ARN + "/g"),
        ("UntagResource", {"resourceArn": ARN.replace("arn:aws:", "arn:aws-x:") + "/g"}, ARN + "/g"),
        ("StartLiveTail", {"logGroupIdentifiers": [ARN + "/g"]}, (ARN + "/g",)),
        (
            "StartLiveTail",
            {"logGroupIdentifiers": [ARN + "/g", ARN + "/h:*", "/g"]},
            (ARN + "/g", ARN + "/h"),
        ),
        (
            "StartQuery",
            {"logGroupIdentifiers": [ARN + "/g", "/h"]},
            (ARN + "/g:log-stream:", ARN + "/h:log-stream:"),
        ),
        ("GetQueryResults", {"queryId": "q"}, "*"),
        ("DescribeQueries", {"logGroupName": "/g"}, "*"),
        ("TestMetricFilter", {}, "*"),
        ("GetLogEvents", {"logStreamName": "s"}, "*"),
    ],
)
def test_operations_act_on(operation: str, parameters: dict[str, Any], arn: str) -> None:
    assert resource_arn(operation, CALLER, parameters) == arn


class Measured:
    def __init__(self) -> None:
        self.batches: list[Any] = []
        self.forwarded: list[Any] = []

    async def measure(self, batches: Any) -> None:
        self.batches += batches

    async def forward(self, batches: Any) -> None:
        self.forwarded += batches


class FullStore:
    """Every change fails; the feed must not hear of what was not stored."""

    def __getattr__(self, name: str) -> Any:
        async def full(*_: Any, **__: Any) -> None:
            raise StoreFullError("no space left on device")

        return full

    async def get_group(self, account_id: str, region: str, name: str) -> LogGroup:
        return LogGroup(account_id=account_id, region=region, name=name, created_ms=0)

    async def get_stream(self, *_: Any) -> str:
        return "stream"


async def test_a_full_disk_is_said_as_the_model_knows_it() -> None:
    feed = LocalFeed()
    listening = feed.subscribe(CALLER.account_id, CALLER.region, ["/g"])
    measured = Measured()
    offered = service(
        FedLogStore(cast(LogStore, FullStore()), feed, measured, measured),
        ManualClock(),
        feed,
        KnownMetricFilters(MemoryRecords(MemoryDeliveries())),
        KnownSubscriptions(MemoryRecords(MemoryDeliveries())),
        MemoryRecords(MemoryDeliveries()),
        cast(Queries, None),
        MemoryRecords(MemoryDeliveries()),
        cast(ExportTasks, None),
        MemoryRecords(MemoryDeliveries()),
        cast(Client, None),
    )
    event = {"timestamp": 1_700_000_000_000, "message": "m"}
    with pytest.raises(ServiceUnavailableException, match="no space left"):
        await offered.operations["PutLogEvents"](
            CALLER, {"logGroupName": "/g", "logStreamName": "s", "logEvents": [event]}
        )
    assert listening.take() == []
    assert measured.batches == measured.forwarded == []


async def test_what_is_appended_below_the_service_is_fed_and_measured_too() -> None:
    class Store(FullStore):
        async def append_many(self, batches: Any) -> None: ...

    feed = LocalFeed()
    listening = feed.subscribe("1", "r", ["g"])
    event = LogEvent(1, 1, "m")
    measured = Measured()
    store = FedLogStore(cast(LogStore, Store()), feed, measured, measured)
    await store.append_many([("1", "r", "g", "s", [event])])
    assert measured.batches == measured.forwarded == [("1", "r", "g", "s", [event])]
    assert [(fed.group, fed.stream, fed.event) for fed in listening.take()] == [("g", "s", event)]
    listening.close()
    listening.close()
    await store.append_many([("1", "r", "g", "s", [event])])
    assert listening.take() == []


@pytest.mark.parametrize("token", ["", "x", "é", "e30", "WzEsMl0", "bnVsbA"])
def test_a_token_of_nobodys_making_is_refused(token: str) -> None:
    with pytest.raises(InvalidParameterException, match="nextToken"):
        decode(token, tuple[int, str])


def test_a_token_says_what_was_put_in() -> None:
    assert decode(encode((5, "é/x")), tuple[int, str]) == (5, "é/x")
