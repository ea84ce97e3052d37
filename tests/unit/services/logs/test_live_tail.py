"""Live Tail: what a session shows, and that nothing is left of it."""

from collections.abc import AsyncIterator
from typing import Any, cast

import pytest

from lambent.base.clock import ManualClock
from lambent.model.caller import Caller
from lambent.services.logs.exceptions import (
    InvalidParameterException,
    LimitExceededException,
    SessionTimeoutException,
)
from lambent.services.logs.feed import LocalFeed
from lambent.services.logs.groups import Groups
from lambent.services.logs.live_tail import LiveTailOperations
from lambent.store.ports.logs import LogEvent, LogGroup, LogStore

CALLER = Caller(
    account_id="123456789012",
    region="eu-west-1",
    principal_arn="arn:aws:iam::123456789012:root",
    user_id="123456789012",
    access_key_id="AKIAEXAMPLE",
    request_id="request-1",
)
ARN = "arn:aws:logs:eu-west-1:123456789012:log-group:"


class EveryGroup:
    async def get_group(self, account_id: str, region: str, name: str) -> LogGroup:
        return LogGroup(account_id=account_id, region=region, name=name, created_ms=0)


class Tail:
    """A session under a clock that goes on only while the service sleeps."""

    def __init__(self) -> None:
        self.feed = LocalFeed()
        self.clock = ManualClock()
        groups = Groups(cast(LogStore, EveryGroup()))
        self._operations = LiveTailOperations(self.feed, groups, self.clock, self._sleep)

    async def start(self, *groups: str, **parameters: Any) -> AsyncIterator[Any]:
        identifiers = [ARN + group for group in groups]
        answer = await self._operations.start_live_tail(
            CALLER, {"logGroupIdentifiers": identifiers, **parameters}
        )
        return cast(AsyncIterator[Any], answer["responseStream"])

    def log(self, group: str, stream: str, *messages: str, region: str = "eu-west-1") -> None:
        events = [LogEvent(1, 2, message, stream) for message in messages]
        self.feed.publish("123456789012", region, group, stream, events)

    async def _sleep(self, seconds: float) -> None:
        self.clock.advance(seconds)


@pytest.fixture
def tail() -> Tail:
    return Tail()


async def results(session: AsyncIterator[Any]) -> list[Any]:
    return cast(list[Any], (await anext(session))["sessionUpdate"]["sessionResults"])


async def test_a_session_shows_what_comes_in_second_by_second(tail: Tail) -> None:
    session = await tail.start("one", "two")
    assert (await anext(session))["sessionStart"]["logGroupIdentifiers"] == [ARN + "one", ARN + "two"]
    tail.log("one", "s", "first")
    tail.log("two", "s", "second")
    tail.log("three", "s", "of another group")
    tail.log("one", "s", "of another region", region="us-east-1")
    shown = await results(session)
    assert [entry["message"] for entry in shown] == ["first", "second"]
    assert shown[0] == {
        "logStreamName": "s",
        "logGroupIdentifier": ARN + "one",
        "message": "first",
        "timestamp": 1,
        "ingestionTime": 2,
    }
    assert await results(session) == []


@pytest.mark.parametrize(
    ("parameters", "shown"),
    [
        ({"logStreamNames": ["a"]}, ["ERROR a", "fine a"]),
        ({"logStreamNamePrefixes": ["b", "c"]}, ["ERROR bee"]),
        ({"logEventFilterPattern": "ERROR"}, ["ERROR a", "ERROR bee"]),
    ],
)
async def test_a_session_shows_what_was_asked_for(
    tail: Tail, parameters: dict[str, Any], shown: list[str]
) -> None:
    session = await tail.start("one", **parameters)
    await anext(session)
    tail.log("one", "a", "ERROR a", "fine a")
    tail.log("one", "bee", "ERROR bee")
    assert [entry["message"] for entry in await results(session)] == shown


async def test_a_flood_is_sampled_and_what_is_not_taken_is_dropped(tail: Tail) -> None:
    session = await tail.start("one")
    await anext(session)
    tail.log("one", "s", *map(str, range(6000)))
    update = (await anext(session))["sessionUpdate"]
    assert update["sessionMetadata"] == {"sampled": True}
    messages = [int(entry["message"]) for entry in update["sessionResults"]]
    assert len(messages) == 500
    assert messages[0] == 1000
    assert messages == sorted(set(messages))


async def test_a_session_times_out_after_three_hours(tail: Tail) -> None:
    session = await tail.start("one")
    started = tail.clock.monotonic()
    with pytest.raises(SessionTimeoutException):
        async for _ in session:
            pass
    assert tail.clock.monotonic() - started == 3 * 3600


async def test_an_account_has_fifteen_sessions_and_gets_them_back(tail: Tail) -> None:
    sessions = [await tail.start("one") for _ in range(15)]
    for session in sessions:
        await anext(session)
    with pytest.raises(LimitExceededException):
        await tail.start("one")
    await cast(Any, sessions[0]).aclose()
    await anext(await tail.start("one"))


@pytest.mark.parametrize(
    ("groups", "parameters"),
    [
        (["one"], {"logStreamNames": ["a"], "logStreamNamePrefixes": ["b"]}),
        (["one", "two"], {"logStreamNames": ["a"]}),
        (["one"], {"logEventFilterPattern": "a:b"}),
    ],
)
async def test_a_session_is_refused(tail: Tail, groups: list[str], parameters: dict[str, Any]) -> None:
    with pytest.raises(InvalidParameterException):
        await tail.start(*groups, **parameters)
