from lambent.store.postgres.outage import Outage


def test_an_outage_is_told_when_it_begins_and_when_it_is_over(caplog):
    now = [10.0]
    outage = Outage(bridged_seconds=8, monotonic=lambda: now[0])
    outage.connected()
    for _ in range(5):
        outage.failed(OSError("refused"))
    now[0] = 72.0
    for _ in range(3):
        outage.connected()
    outage.failed(OSError("refused"))
    assert [record.getMessage() for record in caplog.records] == [
        "the database cannot be reached, what needs it waits for 8 s, and then is refused: refused",
        "the database is back after 62 s",
        "the database cannot be reached, what needs it waits for 8 s, and then is refused: refused",
    ]


def test_only_the_first_seconds_of_an_outage_are_bridged():
    now = [10.0]
    outage = Outage(bridged_seconds=8, monotonic=lambda: now[0])
    assert not outage.bridged
    outage.failed(OSError("refused"))
    now[0] = 17.9
    outage.failed(OSError("refused"))
    assert outage.bridged
    now[0] = 18.0
    assert not outage.bridged
    outage.connected()
    outage.failed(OSError("refused"))
    assert outage.bridged
