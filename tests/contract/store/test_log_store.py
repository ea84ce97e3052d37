from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lambent.store.ports.errors import AlreadyExistsError, NotFoundError
from lambent.store.ports.logs import LogEvent, LogGroup

WHERE = ("123456789012", "eu-west-1")
NOW_MS = 1_700_000_000_000
DAY_MS = 86_400_000


def group_of(name: str, **settings: object) -> LogGroup:
    return LogGroup(account_id=WHERE[0], region=WHERE[1], name=name, created_ms=1, **settings)  # type: ignore[arg-type]


def events(*timestamps: int, text: str = "m") -> list[LogEvent]:
    return [LogEvent(timestamp, NOW_MS, f"{text}{timestamp}") for timestamp in timestamps]


async def read(stores, group: str = "g", **settings: object) -> list[LogEvent]:
    everything: dict[str, object] = {
        "streams": None,
        "start_ms": None,
        "end_ms": None,
        "after": None,
        "before": None,
        "descending": False,
        "limit": 10_000,
    }
    return list(await stores.logs.read(*WHERE, group, **(everything | settings)))


async def test_groups(stores):
    group = group_of("g", retention_days=7, kms_key_id="k", tags={"a": "b"})
    await stores.logs.insert_group(group)
    assert await stores.logs.get_group(*WHERE, "g") == group
    with pytest.raises(AlreadyExistsError):
        await stores.logs.insert_group(group)
    await stores.logs.replace_group(replace(group, retention_days=None, tags={}))
    assert await stores.logs.get_group(*WHERE, "g") == replace(group, retention_days=None, tags={})
    with pytest.raises(NotFoundError):
        await stores.logs.replace_group(group_of("none"))
    with pytest.raises(NotFoundError):
        await stores.logs.delete_group(*WHERE, "none")
    assert await stores.logs.get_group(*WHERE, "none") is None


async def test_groups_are_paged_by_name_with_prefix_and_pattern(stores):
    for name in ("/aws/lambda/b", "/aws/lambda/a", "/aws/lambda/ab", "/aws/x", "other_%"):
        await stores.logs.insert_group(group_of(name))

    async def names(
        prefix: str = "", pattern: str = "", after: str | None = None, limit: int = 9
    ) -> list[str]:
        page = await stores.logs.page_groups(*WHERE, prefix=prefix, pattern=pattern, after=after, limit=limit)
        return [group.name for group in page]

    assert await names("/aws/lambda/") == ["/aws/lambda/a", "/aws/lambda/ab", "/aws/lambda/b"]
    assert await names("/aws/lambda/", after="/aws/lambda/a", limit=1) == ["/aws/lambda/ab"]
    assert await names(pattern="lambda/b") == ["/aws/lambda/b"]
    assert await names(pattern="LAMBDA") == []
    assert await names(pattern="_%") == ["other_%"]
    assert await names("zzz") == []


async def test_streams(stores):
    with pytest.raises(NotFoundError):
        await stores.logs.insert_stream(*WHERE, "g", "s", 5)
    await stores.logs.insert_group(group_of("g"))
    await stores.logs.insert_stream(*WHERE, "g", "s", 5)
    with pytest.raises(AlreadyExistsError):
        await stores.logs.insert_stream(*WHERE, "g", "s", 6)
    stream = await stores.logs.get_stream(*WHERE, "g", "s")
    assert (stream.name, stream.group, stream.created_ms, stream.first_event_ms) == ("s", "g", 5, None)
    await stores.logs.append(*WHERE, "g", "s", events(30, 10), create=False)
    await stores.logs.append(*WHERE, "g", "s", events(20), create=False)
    stream = await stores.logs.get_stream(*WHERE, "g", "s")
    assert (stream.first_event_ms, stream.last_event_ms, stream.last_ingestion_ms) == (10, 30, NOW_MS)
    assert stream.stored_bytes == 3 * (26 + 3)
    assert (await stores.logs.get_group(*WHERE, "g")).stored_bytes == 3 * (26 + 3)
    assert await stores.logs.get_stream(*WHERE, "g", "t") is None


async def test_streams_are_paged_both_ways_by_name_and_by_last_event(stores):
    for name, last in (("a", 30), ("b", 10), ("c", 30), ("d", 20)):
        await stores.logs.append(*WHERE, "g", name, events(last), create=True)
    await stores.logs.insert_stream(*WHERE, "g", "empty", 1)

    async def names(*, by_last_event: bool, descending: bool, prefix: str = "") -> list[str]:
        found: list[str] = []
        after = None
        while page := await stores.logs.page_streams(
            *WHERE,
            "g",
            prefix=prefix,
            by_last_event=by_last_event,
            descending=descending,
            after=after,
            limit=2,
        ):
            found += [stream.name for stream in page]
            after = (page[-1].last_event_ms or 0, page[-1].name)
        return found

    assert await names(by_last_event=False, descending=False) == ["a", "b", "c", "d", "empty"]
    assert await names(by_last_event=False, descending=True) == ["empty", "d", "c", "b", "a"]
    assert await names(by_last_event=True, descending=False) == ["empty", "b", "d", "a", "c"]
    assert await names(by_last_event=True, descending=True) == ["c", "a", "d", "b", "empty"]
    assert await names(by_last_event=False, descending=True, prefix="e") == ["empty"]


async def test_appending_needs_group_and_stream_unless_told_to_create(stores):
    with pytest.raises(NotFoundError):
        await stores.logs.append(*WHERE, "g", "s", events(1), create=False)
    await stores.logs.insert_group(group_of("g"))
    with pytest.raises(NotFoundError):
        await stores.logs.append(*WHERE, "g", "s", events(1), create=False)
    assert await read(stores) == []
    await stores.logs.append(*WHERE, "g", "s", events(1), create=True)
    await stores.logs.append_many([(*WHERE, "g", "s", events(2)), (*WHERE, "h", "t", events(3))])
    assert [event.message for event in await read(stores)] == ["m1", "m2"]
    assert [(event.message, event.stream) for event in await read(stores, "h")] == [("m3", "t")]
    assert (await stores.logs.get_group(*WHERE, "h")).created_ms == int(stores.clock.now() * 1000)


async def test_events_come_by_time_then_by_arrival_whatever_batch_they_came_in(stores):
    await stores.logs.append(*WHERE, "g", "a", events(10, 50, 20), create=True)
    await stores.logs.append(*WHERE, "g", "b", events(15, 50, text="x"), create=True)
    found = await read(stores)
    assert [event.message for event in found] == ["m10", "x15", "m20", "m50", "x50"]
    assert len({event.id for event in found}) == 5
    assert await read(stores, descending=True) == found[::-1]
    assert await read(stores, start_ms=15, end_ms=50) == found[1:3]
    assert await read(stores, streams=["b", "b", "no such"]) == [found[1], found[4]]
    assert await read(stores, "no such group") == []
    assert await read(stores, streams=[]) == []


async def test_what_was_logged_is_read_back_exactly(stores):
    messages = ["", "Grüße 🎉\n\ttwo lines\n", "x" * 300_000, "nul \0 inside"]
    logged = [LogEvent(n, 100 + n, message) for n, message in enumerate(messages)]
    await stores.logs.append(*WHERE, "g", "s", logged, create=True)
    assert [(event.ingestion_ms, event.message) for event in await read(stores)] == [
        (100 + n, message) for n, message in enumerate(messages)
    ]


async def test_half_a_character_does_not_lose_the_others(stores):
    await stores.logs.append(
        *WHERE, "g", "s", [LogEvent(1, 1, "good"), LogEvent(2, 1, "bad \ud800")], create=True
    )
    assert [event.message for event in await read(stores)] == ["good", "bad ?"]


async def test_times_beyond_all_time_are_no_error(stores):
    await stores.logs.append(*WHERE, "g", "s", events(1), create=True)
    assert len(await read(stores, start_ms=-(2**63), end_ms=2**63 - 1)) == 1
    assert await read(stores, start_ms=2**63 - 1) == []


spread = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "c"]),
        # Near together, so that times collide, and beyond what one batch may span.
        st.lists(st.integers(0, 30) | st.integers(0, 2_000_000), min_size=1, max_size=6),
    ),
    max_size=12,
)


@given(spread, st.integers(1, 4), st.booleans(), st.sampled_from([None, ["a"], ["c", "a"]]))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_pages_together_are_all_events_in_order(database_stores, appended, limit, descending, streams):
    run, stores = database_stores

    async def check() -> None:
        for stream, timestamps in appended:
            await stores.logs.append(*WHERE, "g", stream, events(*timestamps), create=True)
        everything = await read(stores, streams=streams)
        count = sum(len(times) for stream, times in appended if streams is None or stream in streams)
        assert len(everything) == count
        assert everything == sorted(everything, key=lambda event: (event.timestamp_ms, event.id))
        paged: list[LogEvent] = []
        position = None
        side = "before" if descending else "after"
        while page := await read(
            stores, streams=streams, descending=descending, limit=limit, **{side: position}
        ):
            paged += page
            position = (page[-1].timestamp_ms, page[-1].id)
        assert paged == (everything[::-1] if descending else everything)
        if appended:
            await stores.logs.delete_group(*WHERE, "g")
        await stores.logs.expire(0)

    run(check())


@pytest.fixture
def database_stores(stores):
    """For hypothesis, which runs no coroutines: one event loop for all examples."""
    import asyncio

    with asyncio.Runner() as runner:
        yield runner.run, stores


async def test_many_events_at_one_time_are_paged_by_id(stores):
    await stores.logs.append(*WHERE, "g", "s", events(*[7] * 3000), create=True)
    first = await read(stores, limit=2000)
    then = await read(stores, after=(7, first[-1].id), limit=2000)
    assert len({event.id for event in (*first, *then)}) == 3000


async def test_deleting_a_stream_or_a_group_takes_its_events(stores):
    for stream in ("s", "t"):
        await stores.logs.append(*WHERE, "g", stream, events(1), create=True)
    await stores.logs.delete_stream(*WHERE, "g", "s")
    with pytest.raises(NotFoundError):
        await stores.logs.delete_stream(*WHERE, "g", "s")
    with pytest.raises(NotFoundError):
        await stores.logs.delete_stream(*WHERE, "none", "s")
    assert [event.stream for event in await read(stores)] == ["t"]
    assert (await stores.logs.get_group(*WHERE, "g")).stored_bytes == 26 + 2
    await stores.logs.insert_stream(*WHERE, "g", "s", 1)
    assert await read(stores, streams=["s"]) == []
    await stores.logs.delete_group(*WHERE, "g")
    await stores.logs.insert_group(group_of("g"))
    assert await read(stores) == []
    assert await stores.logs.get_stream(*WHERE, "g", "t") is None
    assert await stores.logs.expire(0) == 2
    assert await stores.logs.expire(0) == 0


async def test_retention_hides_each_old_event_and_deletes_batches_whose_newest_is_old(stores):
    now_ms = int(stores.clock.now() * 1000)
    old, older = now_ms - 2 * DAY_MS, now_ms - 9 * DAY_MS
    await stores.logs.append(*WHERE, "g", "s", events(older, old), create=True)
    await stores.logs.append(*WHERE, "kept", "s", events(older), create=True)
    # One batch that is half expired.
    await stores.logs.append(
        *WHERE, "g", "s", events(now_ms - DAY_MS - 10, now_ms - DAY_MS + 10), create=True
    )
    assert await stores.logs.expire(now_ms) == 0
    group = await stores.logs.get_group(*WHERE, "g")
    await stores.logs.replace_group(replace(group, retention_days=1))
    assert [event.timestamp_ms for event in await read(stores)] == [now_ms - DAY_MS + 10]
    assert await stores.logs.expire(now_ms) == 2
    assert [event.timestamp_ms for event in await read(stores)] == [now_ms - DAY_MS + 10]
    stream = await stores.logs.get_stream(*WHERE, "g", "s")
    assert stream.first_event_ms == now_ms - DAY_MS - 10
    assert stream.stored_bytes == (await stores.logs.get_group(*WHERE, "g")).stored_bytes == 2 * (26 + 14)
    assert len(await read(stores, "kept")) == 1
