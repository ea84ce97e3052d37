"""A search that takes long, and the callers who wait meanwhile."""

import asyncio

import pytest

from lambent.base.clock import ManualClock
from lambent.model.caller import Caller
from lambent.services.logs.exceptions import InvalidParameterException
from lambent.services.logs.feed import LocalFeed
from lambent.services.logs.metric_filters.sample import test_metric_filter as metric_filter
from lambent.services.logs.turns import Turns
from lambent.store.ports.logs import LogEvent

CALLER = Caller(
    account_id="123456789012", region="us-east-1", principal_arn="p", user_id="u", access_key_id="AKIA"
)


async def rounds_while(turns: Turns, clock: ManualClock, seconds: float) -> int:
    """How often the loop goes round while 100 events are matched that take so long each."""
    rounds = 0

    async def others() -> None:
        nonlocal rounds
        while True:
            await asyncio.sleep(0)
            rounds += 1

    task = asyncio.create_task(others())
    for _ in range(100):
        clock.advance(seconds)
        await turns.share()
    task.cancel()
    return rounds


async def test_others_have_their_turn_while_events_are_matched() -> None:
    clock = ManualClock()
    assert await rounds_while(Turns(clock), clock, 0.004) >= 30


async def test_what_takes_no_time_is_not_interrupted() -> None:
    clock = ManualClock()
    assert await rounds_while(Turns(clock), clock, 0.00001) == 0


async def test_a_metric_filter_is_tried_on_no_more_than_events() -> None:
    messages = ["short", "x" * 1_048_577]
    with pytest.raises(InvalidParameterException, match="Log event 2 is longer"):
        await metric_filter(CALLER, {"filterPattern": "%a.{0,200}b%", "logEventMessages": messages})


def test_a_live_tail_that_nobody_reads_keeps_so_much_and_no_more() -> None:
    feed = LocalFeed()
    subscription = feed.subscribe("1", "us-east-1", ["g"])
    for number in range(40):
        feed.publish("1", "us-east-1", "g", "s", [LogEvent(number, number, "x" * 1_000_000, "s")])
    kept = [entry.event.timestamp_ms for entry in subscription.take()]
    assert kept == list(range(24, 40))
    assert not subscription.take()
    feed.publish("1", "us-east-1", "g", "s", [LogEvent(1, 1, "again", "s")])
    assert len(subscription.take()) == 1
