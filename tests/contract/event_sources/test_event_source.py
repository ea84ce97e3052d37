"""What every event source promises (lambent.event_sources.source.EventSource)."""

import asyncio
import json

import pytest

from lambent.model.error import ServiceException


async def poll(bench, most=10, wait_seconds=0.0):
    return list(await bench.source.poll(most=most, wait_seconds=wait_seconds))


async def bodies(bench, **parameters):
    return [record.data for record in await poll(bench, **parameters)]


async def test_records_are_polled_up_to_a_number(bench):
    await bench.send("a", "b", "c")
    first, rest = await bodies(bench, most=2), await bodies(bench)
    assert len(first) == 2 and sorted(first + rest) == ["a", "b", "c"]
    assert await bodies(bench) == []


async def test_a_record_is_shown_as_functions_get_it(bench):
    await bench.send('{"a": 1}')
    [record] = await poll(bench)
    assert json.loads(record.text) == record.payload
    assert record.payload[bench.source.data_member] == record.data == '{"a": 1}'
    assert json.loads(bench.source.event([record, record]))["Records"] == [record.payload] * 2


async def test_a_poll_waits_for_the_first_record_and_no_longer(bench):
    waiting = asyncio.ensure_future(bodies(bench, wait_seconds=20.0))
    await asyncio.sleep(0.01)
    assert not waiting.done()
    await bench.send("a")
    assert await asyncio.wait_for(waiting, 5) == ["a"]


async def test_what_is_settled_does_not_come_again(bench):
    await bench.send("a", "b")
    records = await poll(bench)
    await bench.source.settle(records)
    await bench.source.settle(records)
    bench.clock.advance(await bench.source.hold_seconds() + 1)
    assert await bodies(bench) == []


async def test_what_is_not_settled_comes_again(bench):
    await bench.send("a", "b")
    records = await poll(bench)
    await bench.source.settle(records[:1])
    bench.clock.advance(await bench.source.hold_seconds() - 1)
    assert await bodies(bench) == []
    bench.clock.advance(2)
    [again] = await poll(bench)
    assert (again.id, again.data) == (records[1].id, records[1].data)
    await bench.source.settle([again])
    bench.clock.advance(await bench.source.hold_seconds() + 1)
    assert await bodies(bench) == []


async def test_what_is_given_back_comes_again_at_once(bench):
    await bench.send("a", "b")
    records = await poll(bench)
    await bench.source.give_back(records[1:])
    assert await bodies(bench) == [records[1].data]


async def test_what_is_given_up_goes_away_where_there_is_no_place_for_it(bench):
    await bench.send("a", "b")
    await bench.source.give_up(await poll(bench))
    bench.clock.advance(await bench.source.hold_seconds() + 1)
    assert await bodies(bench) == []


async def test_more_than_ten_are_settled_and_given_back(bench):
    await bench.send(*(str(number) for number in range(25)))
    records = [*await poll(bench), *await poll(bench), *await poll(bench)]
    assert len(records) == 25
    await bench.source.give_back(records[12:])
    await bench.source.settle(records[:12])
    again = [*await bodies(bench), *await bodies(bench)]
    assert sorted(again) == sorted(record.data for record in records[12:])


async def test_a_poll_that_is_cancelled_while_it_waits_took_nothing(bench):
    waiting = asyncio.ensure_future(poll(bench, wait_seconds=20.0))
    await asyncio.sleep(0.01)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await bench.send("a")
    assert await bodies(bench) == ["a"]


async def test_a_source_that_is_gone_says_so(bench):
    await bench.send("a")
    records = await poll(bench)
    await bench.remove()
    bench.clock.advance(120)
    for call in (bench.source.hold_seconds(), poll(bench), bench.source.settle(records)):
        with pytest.raises(ServiceException):
            await call


async def test_a_group_is_in_order_and_one_batch_at_a_time(ordered_bench):
    await ordered_bench.send("a1", "a2", "a3", group="a")
    await ordered_bench.send("b1", group="b")
    first = await poll(ordered_bench, most=2)
    assert [(record.data, record.group) for record in first] == [("a1", "a"), ("a2", "a")]
    assert await bodies(ordered_bench) == ["b1"]
    await ordered_bench.source.settle(first)
    assert await bodies(ordered_bench) == ["a3"]


async def test_a_group_goes_on_where_it_failed(ordered_bench):
    await ordered_bench.send("a1", "a2", "a3", group="a")
    records = await poll(ordered_bench, most=2)
    await ordered_bench.source.settle(records[:1])
    assert await bodies(ordered_bench) == []
    ordered_bench.clock.advance(await ordered_bench.source.hold_seconds() + 1)
    assert await bodies(ordered_bench) == ["a2", "a3"]


async def test_what_a_group_gives_back_keeps_its_place(ordered_bench):
    await ordered_bench.send("a1", "a2", "a3", group="a")
    await ordered_bench.source.give_back(await poll(ordered_bench, most=2))
    assert await bodies(ordered_bench) == ["a1", "a2", "a3"]
