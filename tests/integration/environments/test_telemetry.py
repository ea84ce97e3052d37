"""Who is told what by the Telemetry API, and what becomes of those who are slow: over real sockets, on one loop."""

import asyncio
import json
import socket

import pytest

from lambent.environments import platform_events, telemetry
from lambent.environments.platform_events import Init, Report
from lambent.environments.telemetry import Telemetry

REPORT = Report(request_id="r-1", duration_ms=12.5, memory_size_mb=128, max_memory_used_mb=40)
START = platform_events.start("r-1", "arn:f", "$LATEST", 1.5)


class Agent:
    """An extension's server: takes batches, and answers what `answer` says, when `open` is set."""

    def __init__(self):
        self.events = []
        self.batches = 0
        self.status = 200
        self.refuse_first = 0
        self.open = asyncio.Event()
        self.open.set()
        self.changed = asyncio.Event()

    async def start(self, *, lines=False):
        self.server = await asyncio.start_server(self.take_lines if lines else self.take, "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]

    async def take_lines(self, reader, writer):
        while line := await reader.readline():
            self.add([json.loads(line)])
        writer.close()

    async def take(self, reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        body = await reader.readexactly(length)
        await self.open.wait()
        if self.refuse_first:
            self.refuse_first -= 1
            writer.close()
            return
        self.add(json.loads(body))
        writer.write(b"HTTP/1.1 %d X\r\nContent-Length: 0\r\n\r\n" % self.status)
        writer.close()

    def add(self, events):
        self.batches += 1
        self.events += events
        self.changed.set()

    async def until(self, count):
        async with asyncio.timeout(5):
            while len(self.events) < count:
                self.changed.clear()
                await self.changed.wait()
        return self.events

    @property
    def types(self):
        return [event["type"] for event in self.events]


async def connect():
    made = socket.socket()
    made.setblocking(False)
    return made


def body(agent, *types, schema="2022-12-13", protocol="HTTP", **buffering):
    http = {"protocol": "HTTP", "URI": f"http://sandbox.localdomain:{agent.port}/"}
    to = http if protocol == "HTTP" else {"protocol": "TCP", "port": agent.port}
    wanted = {
        "schemaVersion": schema,
        "types": types,
        "destination": to,
        "buffering": {"timeoutMs": 25, **buffering},
    }
    return json.dumps(wanted).encode()


@pytest.fixture
async def agent():
    agent = Agent()
    await agent.start()
    yield agent
    agent.open.set()
    agent.server.close()


@pytest.fixture
async def hub(monkeypatch):
    monkeypatch.setattr("lambent.environments.subscriber._TRY_AGAIN_SECONDS", (0.001, 0.001, 0.001))

    def note(event):
        made.take(event)

    made = Telemetry(connect, lambda: 100.0, note, structured=True)
    yield made
    made.close()


async def test_who_subscribes_is_told_of_init_from_its_start(agent, hub):
    hub.take(
        platform_events.init_start(
            Init(), 1.0, runtime_version="python:3.12.v1", runtime_version_arn=None, function={}
        )
    )
    assert hub.subscribe("agent", body(agent, "platform"), "Telemetry") == "OK"
    hub.take(platform_events.init_runtime_done(Init(), 2.0, "success"))
    assert [event["type"] for event in await agent.until(3)] == [
        "platform.initStart",
        "platform.telemetrySubscription",
        "platform.initRuntimeDone",
    ]
    assert agent.events[1]["record"] == {"name": "agent", "state": "Subscribed", "types": ["platform"]}
    assert agent.events[0]["time"] == "1970-01-01T00:00:01.000Z"


async def test_each_gets_the_kinds_that_it_asked_for(agent, hub):
    hub.subscribe("agent", body(agent, "function", "extension"), "Telemetry")
    hub.take(START)
    hub.take_output("function", "plain\n", 1_500)
    hub.take_output("function", '{"level":"INFO"}\n', None)
    hub.take_output("extension", "mine\n", None)
    assert await agent.until(3) == [
        {"time": "1970-01-01T00:00:01.500Z", "type": "function", "record": "plain\n"},
        {"time": "1970-01-01T00:01:40.000Z", "type": "function", "record": {"level": "INFO"}},
        {"time": "1970-01-01T00:01:40.000Z", "type": "extension", "record": "mine\n"},
    ]


async def test_the_oldest_schema_has_log_lines_in_json_as_text(agent, hub):
    hub.subscribe("agent", body(agent, "function", schema="2022-07-01"), "Telemetry")
    hub.take_output("function", '{"level":"INFO"}\n', None)
    assert (await agent.until(1))[0]["record"] == '{"level":"INFO"}\n'


async def test_an_invocation_in_the_words_of_both_apis(agent, hub):
    def tell():
        hub.take(START)
        hub.take(platform_events.runtime_done(REPORT, 2.0, 4))
        hub.take(platform_events.fault("r-1", "Process exited", 2.0))
        hub.take(platform_events.end("r-1", 2.0))
        hub.take(platform_events.report(REPORT, 2.0))

    hub.subscribe("agent", body(agent, "platform", schema="2025-01-29"), "Telemetry")
    tell()
    await agent.until(4)
    assert agent.types[1:] == ["platform.start", "platform.runtimeDone", "platform.report"]
    assert agent.events[2]["record"] == {
        "requestId": "r-1",
        "status": "success",
        "spans": [
            {"name": "responseLatency", "start": "1970-01-01T00:00:01.987Z", "durationMs": 12.5},
            {"name": "responseDuration", "start": "1970-01-01T00:00:02.000Z", "durationMs": 0.0},
        ],
        "metrics": {"durationMs": 12.5, "producedBytes": 4},
    }
    logs = Agent()
    await logs.start()
    hub.init_over()
    hub.subscribe("logs", body(logs, "platform", schema="2020-08-15"), "Logs")
    tell()
    await logs.until(5)
    assert logs.types == [
        "platform.logsSubscription", "platform.start", "platform.fault", "platform.end", "platform.report",
    ]  # fmt: skip
    assert logs.events[2]["record"] == "RequestId: r-1 Process exited"
    assert set(logs.events[4]["record"]) == {"requestId", "metrics"}
    logs.server.close()


async def test_the_same_again_and_the_other_api(agent, hub):
    hub.subscribe("agent", body(agent, "function"), "Telemetry")
    assert hub.subscribe("agent", body(agent, "function"), "Telemetry") == "AlreadySubscribed"
    with pytest.raises(telemetry.RefusedError, match="already subscribed to the TelemetryAPI") as refused:
        hub.subscribe("agent", body(agent, "function", schema="2021-03-18"), "Logs")
    assert refused.value.code == "AccessDenied"
    hub.take_output("function", "once\n", None)
    await hub.flush(5)
    assert len(agent.events) == 1


async def test_a_batch_is_offered_again_until_it_is_taken(agent, hub):
    agent.refuse_first = 2
    hub.subscribe("agent", body(agent, "function"), "Telemetry")
    hub.take_output("function", "at last\n", None)
    assert [event["record"] for event in await agent.until(1)] == ["at last\n"]


async def test_who_stays_behind_loses_events_and_is_told_how_many(agent, hub):
    agent.open.clear()
    hub.subscribe("agent", body(agent, "platform", "function"), "Telemetry")
    text = "x" * 50_000
    for _ in range(40):
        hub.take_output("function", text, None)
    agent.open.set()
    await hub.flush(5)
    dropped = [event["record"] for event in agent.events if event["type"] == "platform.logsDropped"]
    kept = sum(event["type"] == "function" for event in agent.events)
    assert 0 < kept < 40
    assert sum(one["droppedRecords"] for one in dropped) == 40 - kept
    assert dropped[0]["droppedBytes"] > 50_000
    assert dropped[0]["reason"].startswith("Consumer seems to have fallen behind")
    assert agent.batches > 1, "no batch is larger than was asked for"


async def test_nothing_is_delivered_while_the_environment_is_frozen(agent, hub):
    hub.subscribe("agent", body(agent, "function"), "Telemetry")
    hub.pause()
    hub.take_output("function", "later\n", None)
    await hub.flush(0.06)
    assert agent.events == []
    hub.resume()
    assert [event["record"] for event in await agent.until(1)] == ["later\n"]


async def test_over_tcp_events_come_line_by_line(hub):
    agent = Agent()
    await agent.start(lines=True)
    hub.subscribe("agent", body(agent, "function", protocol="TCP"), "Telemetry")
    hub.take_output("function", "one\n", None)
    await agent.until(1)
    hub.take_output("function", "two\n", None)
    assert [event["record"] for event in await agent.until(2)] == ["one\n", "two\n"]
    hub.close()
    agent.server.close()


async def test_subscriptions_are_counted(agent, hub):
    for number in range(10):
        hub.subscribe("agent", body(agent, "function", timeoutMs=100 + number), "Telemetry")
    with pytest.raises(telemetry.RefusedError, match="there are 10 subscriptions already"):
        hub.subscribe("another", body(agent, "function"), "Telemetry")
