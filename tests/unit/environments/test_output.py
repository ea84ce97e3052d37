import asyncio
import os
import struct

import pytest

from lambent.environments.output import Output


@pytest.fixture
async def output():
    output = Output()
    output.events = []
    output.emit = lambda message, at_ms: output.events.append((message, at_ms))
    yield output
    output.close_write_ends()
    output.close()


def record(text: bytes, at_us: int) -> bytes:
    return struct.pack(">IIQ", 0xA55A0003, len(text), at_us) + text


async def test_raw_output_is_one_event_a_line(output):
    os.write(output.raw_write, b"one\ntwo\nthr")
    await asyncio.sleep(0.01)
    assert output.events == [("one\n", None), ("two\n", None)]
    os.write(output.raw_write, b"ee\n")
    await asyncio.sleep(0.01)
    assert output.events[2:] == [("three\n", None)]


async def test_an_unfinished_line_comes_with_the_flush(output):
    os.write(output.raw_write, b"no newline")
    await asyncio.sleep(0.01)
    output.flush()
    assert output.events == [("no newline", None)]


async def test_a_framed_record_is_one_event_newlines_and_all(output):
    frame = record(b"two\nlines", 1_700_000_000_123_456)
    os.write(output.framed_write, frame[:10])
    await asyncio.sleep(0.01)
    os.write(output.framed_write, frame[10:] + record(b"next", 1))
    await asyncio.sleep(0.01)
    assert output.events == [("two\nlines", 1_700_000_000_123), ("next", 0)]


async def test_what_is_no_frame_is_shown_as_text(output):
    os.write(output.framed_write, b"user code wrote this")
    await asyncio.sleep(0.01)
    assert output.events == [("user code wrote this", None)]


async def test_a_line_longer_than_an_event_is_cut(output):
    os.write(output.raw_write, b"")
    text = b"x" * 300_000 + b"\n"
    write = asyncio.get_running_loop().run_in_executor(None, _write_all, output.raw_write, text)
    await write
    await asyncio.sleep(0.02)
    output.flush()
    assert "".join(message for message, _ in output.events).encode() == text
    assert all(len(message) <= 262_144 for message, _ in output.events)


async def test_bytes_that_are_not_utf8_do_not_stop_the_log(output):
    os.write(output.raw_write, b"\xff\xfe\n")
    await asyncio.sleep(0.01)
    assert output.events == [("��\n", None)]


async def test_a_paused_output_makes_its_writer_wait(output):
    output.pause()
    os.write(output.raw_write, b"later\n")
    await asyncio.sleep(0.01)
    assert output.events == []
    output.resume()
    await asyncio.sleep(0.01)
    assert output.events == [("later\n", None)]


def _write_all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]
