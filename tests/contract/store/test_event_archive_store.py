from lambent.model.event_archive import ArchivedEvent


def archived(event: bytes, time: float, *, archive: str = "a", at: float = 100.0) -> ArchivedEvent:
    return ArchivedEvent(archive_id=archive, time=time, archived_at=at, event=event)


async def page(stores, start=0.0, end=100.0, after=None, limit=10, archive="a"):
    return await stores.event_archives.page(archive, start=start, end=end, after=after, limit=limit)


async def test_events_come_in_the_order_of_their_times_page_by_page(stores):
    await stores.event_archives.append([archived(b"3", 3.0), archived(b"1", 1.0), archived(b"1b", 1.0)])
    await stores.event_archives.append([archived(b"other", 1.0, archive="b")])
    first = await page(stores, limit=2)
    assert [event.event for event in first] == [b"1", b"1b"]
    last = first[-1]
    assert [event.event for event in await page(stores, after=(last.time, last.number))] == [b"3"]


async def test_a_page_begins_at_its_start_and_ends_before_its_end(stores):
    await stores.event_archives.append([archived(b"%d" % n, float(n)) for n in range(5)])
    assert [event.event for event in await page(stores, start=1.0, end=3.0)] == [b"1", b"2"]


async def test_the_size_of_an_archive(stores):
    assert await stores.event_archives.size("a") == (0, 0)
    await stores.event_archives.append([archived(b"12345", 1.0), archived(b"1234567", 2.0)])
    assert await stores.event_archives.size("a") == (2, 12)


async def test_what_is_too_old_and_what_no_archive_has_is_swept_bit_by_bit(stores):
    await stores.event_archives.append([archived(b"old", 1.0, at=10.0), archived(b"kept", 2.0, at=20.0)])
    await stores.event_archives.append([archived(b"gone", 3.0, archive="deleted")])
    assert await stores.event_archives.sweep({"a": 20.0}, limit=1) == 1
    assert await stores.event_archives.sweep({"a": 20.0}, limit=10) == 1
    assert await stores.event_archives.sweep({"a": 20.0}, limit=10) == 0
    assert [event.event for event in await page(stores)] == [b"kept"]
