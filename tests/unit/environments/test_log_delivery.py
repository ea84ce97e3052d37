import asyncio
import os

import pytest

from lambent.environments import log_delivery as module
from lambent.environments.output import Output
from lambent.environments.recorder import Recorder
from lambent.store.ports.errors import StoreFullError


def stream(bench, name="s"):
    return bench.logs.stream("1", "eu-west-1", "/aws/lambda/f", name)


async def test_what_was_written_is_stored_in_order_one_batch_a_stream(bench):
    batches = []

    async def append_many(several):
        batches.extend(several)

    bench.store.append_many = append_many
    first, second = stream(bench, "a"), stream(bench, "b")
    first.write("1", 10)
    second.write("2", 20)
    first.write("3", 5)
    await bench.logs.flush()
    assert [(batch[:4], [(e.timestamp_ms, e.message) for e in batch[4]]) for batch in batches] == [
        (("1", "eu-west-1", "/aws/lambda/f", "a"), [(10, "1"), (5, "3")]),
        (("1", "eu-west-1", "/aws/lambda/f", "b"), [(20, "2")]),
    ]
    assert bench.logs.buffered_bytes == 0


@pytest.mark.parametrize("refusal", [StoreFullError("full"), RuntimeError("a bug")])
async def test_what_the_store_refuses_is_kept_and_stored_later_in_order(bench, refusal, caplog):
    one, other = stream(bench), stream(bench, "t")
    bench.store.refusal = refusal
    one.write("1", 0)
    assert not await bench.logs.flush()
    one.write("2", 0)
    other.write("x", 0)
    assert not await bench.logs.flush()
    one.write("3", 0)
    assert "could not be stored" in caplog.text
    bench.store.refusal = None
    assert await bench.logs.flush()
    assert [message for message in bench.store.messages if message != "x"] == ["1", "2", "3"]
    assert bench.store.messages.count("x") == 1
    assert (bench.logs.buffered_bytes, bench.logs.dirty) == (0, [])


async def test_a_store_that_fails_does_not_end_the_delivery(bench):
    one = stream(bench)
    bench.store.refusal = RuntimeError("a bug")
    one.write("1", 0)
    running = asyncio.create_task(bench.logs.run())
    await asyncio.sleep(0.03)
    bench.store.refusal = None
    await bench.until(lambda: bench.store.messages == ["1"])
    running.cancel()


async def test_a_flush_that_is_cancelled_loses_nothing_and_stores_nothing_twice(bench):
    one = stream(bench)
    one.write("1", 0)
    bench.store.gate = asyncio.Event()
    flushing = asyncio.create_task(bench.logs.flush())
    await asyncio.sleep(0.01)
    flushing.cancel()
    one.write("2", 0)
    last = asyncio.create_task(bench.logs.flush())
    await asyncio.sleep(0.01)
    bench.store.gate.set()
    await last
    assert bench.store.messages == ["1", "2"]


async def test_outputs_are_held_back_while_too_much_waits_and_let_on_when_it_is_stored(bench, monkeypatch):
    monkeypatch.setattr(module, "_BUFFER_BYTES_MOST", 1000)
    calls = []

    class Held:
        def pause(self):
            calls.append("pause")

        def resume(self):
            calls.append("resume")

    output = Held()
    one = stream(bench)
    bench.logs.hold_back(output)
    assert calls == []
    one.write("x" * 1000, 0)
    bench.logs.hold_back(output)
    assert calls == ["pause"]
    bench.store.refusal = StoreFullError("full")
    await bench.logs.flush()
    assert calls == ["pause"]
    bench.store.refusal = None
    await bench.logs.flush()
    assert calls == ["pause", "resume"]


async def test_a_hundred_megabytes_of_prints_take_no_more_memory_than_the_buffer(bench, monkeypatch):
    monkeypatch.setattr(module, "_BUFFER_BYTES_MOST", 1 << 20)
    stored = most = 0

    async def slow(batches):
        nonlocal stored
        await asyncio.sleep(0.001)
        stored += sum(len(event.message) for *_, events in batches for event in events)

    bench.store.append_many = slow
    output = Output()
    recorder = Recorder(stream(bench), bench.clock)
    output.emit = recorder.emit

    def after_read(read):
        nonlocal most
        most = max(most, bench.logs.buffered_bytes)
        bench.logs.hold_back(read)

    output.after_read = after_read
    bench.logs._interval = 10.0  # the pressure alone wakes it
    running = asyncio.create_task(bench.logs.run())
    line = b"x" * 16_383 + b"\n"
    total = 100 << 20
    writing = asyncio.get_running_loop().run_in_executor(
        None, _write, output.raw_write, line, total // len(line)
    )
    await writing
    output.close_write_ends()
    output.drain()
    await bench.logs.flush()
    output.close()
    running.cancel()
    assert stored == total
    assert most < 2 << 20


def _write(descriptor, line, count):
    for _ in range(count):
        rest = line
        while rest:
            rest = rest[os.write(descriptor, rest) :]


async def test_what_is_written_before_an_invocation_ends_is_read_although_the_output_is_held_back(bench):
    output = Output()
    events = []
    output.emit = lambda message, at_ms: events.append(message)
    output.pause()
    os.write(output.raw_write, b"before\n")
    output.flush()
    assert events == ["before\n"]
    output.close_write_ends()
    output.close()


async def test_where_nothing_is_taken_at_all_new_events_are_dropped_and_counted(bench, monkeypatch, caplog):
    monkeypatch.setattr(module, "_DROP_ABOVE_BYTES", 1000)
    one = stream(bench)
    one.write("x" * 1000, 0)
    one.write("lost", 0)
    one.write("lost too", 0)
    await bench.logs.flush()
    assert bench.store.messages == ["x" * 1000]
    assert "2 log events were dropped" in caplog.text
    one.write("again", 0)
    await bench.logs.flush()
    assert bench.store.messages[-1] == "again"


# Recorder


async def test_the_tail_is_the_last_four_kilobytes_since_it_began(bench):
    recorder = Recorder(stream(bench), bench.clock)
    recorder.emit("before\n")
    recorder.begin_tail()
    recorder.emit("no newline")
    recorder.emit("")
    recorder.emit("y" * 5000 + "\n")
    assert recorder.end_tail() == b"y" * 4095 + b"\n"
    assert recorder.end_tail() == b""
    recorder.begin_tail()
    recorder.emit("one")
    recorder.emit("two\n")
    assert recorder.end_tail() == b"one\ntwo\n"


async def test_a_tail_holds_little_however_much_is_printed(bench):
    recorder = Recorder(stream(bench), bench.clock)
    recorder.begin_tail()
    for _ in range(1000):
        recorder.emit("z" * 1000)
        assert len(recorder._tail) <= 16 * 4096 + 1001
