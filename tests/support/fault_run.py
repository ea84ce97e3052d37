"""Events through nodes to which faults are done by a seeded schedule; each of the events accounted for.

Every event carries a number, and what became of it goes to a queue: what is in neither the queue of results nor the
queue of events was lost. Each run of the function says its own random name, so that it can be told what came twice: a
run, the telling of it, or only the message.
"""

import http.client
import itertools
import json
import math
import random
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cut_network import CutNetwork
from fault_calls import CallReport, Calls
from fault_graph import FAILURES, Graph, WayReport
from fault_layer import FaultLayer
from fault_ways import Way
from faults import Faults
from lambent_server import Lambent
from postgres_server import PostgresServer
from small_disk import SmallDisk
from two_nodes import answering, start_nodes, status, way_between

FUNCTION = "faults"
FAILS_EVERY = 50
"""So many events apart, one fails whenever it is run, and is to be told of as a failure."""
_CODE = f"""
import uuid
def handler(event, context):
    if event["n"] % {FAILS_EVERY} == {FAILS_EVERY - 1}:
        raise ValueError(event["n"])
    return [event["n"], uuid.uuid4().hex]
"""
_NAMES = ("a", "b", "c", "d", "e")
_FRONT = "front"
_CALLERS = 2
_SENDERS = 2
_TAKERS = 2
_THREADS_MOST = 64
_DISK_MEGABYTES = 768
_DRAIN_SECONDS = 180.0
_SETTLE_SECONDS = 20.0
_SAY_SECONDS = 5.0


@dataclass
class Report:
    """`accepted` were answered with 202; `unsure` were refused or got no answer, and may run or not. `conditions` are
    what was told of each event last; `twice` says what came more than once,
    `unexpected` of which type the errors were of events that were not to fail."""

    seed: int
    nodes: int
    database: str
    accepted: set[int] = field(default_factory=set)
    unsure: set[int] = field(default_factory=set)
    refusals: Counter[str] = field(default_factory=Counter)
    conditions: dict[int, str] = field(default_factory=dict)
    twice: Counter[str] = field(default_factory=Counter)
    unexpected: Counter[str] = field(default_factory=Counter)
    queued: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    layer: Counter[str] = field(default_factory=Counter)
    calls: CallReport | None = None
    ways: Mapping[str, WayReport] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def executed(self) -> int:
        return sum(self.conditions.get(number) == "Success" for number in self.accepted)

    @property
    def given_up(self) -> Counter[str]:
        """Of events that were accepted: what their destination was told instead of a result."""
        told = Counter(self.conditions[number] for number in self.accepted & set(self.conditions))
        del told["Success"]
        return told

    @property
    def lost(self) -> list[int]:
        missing = sorted(self.accepted - set(self.conditions))
        return missing if len(missing) > self.queued else []

    def as_document(self) -> dict[str, Any]:
        return {
            "seed": self.seed,
            "nodes": self.nodes,
            "database": self.database,
            "seconds": round(self.seconds, 1),
            "accepted": len(self.accepted),
            "executed": self.executed,
            "told as failures": dict(self.given_up),
            "still queued": self.queued,
            "lost": self.lost,
            "refused or unanswered": len(self.unsure),
            "of those executed": len(self.unsure & set(self.conditions)),
            "refusals": dict(self.refusals),
            "twice": dict(self.twice),
            "unexpected": dict(self.unexpected),
            "faults": dict(self.faults),
            "injected": {name: count for name, count in self.layer.items() if count},
            "calls": self.calls.as_document() if self.calls is not None else None,
            "ways": {name: way.as_document() for name, way in self.ways.items()},
        }


class FaultRun:
    """`pause` is how many seconds lie between two faults, about, `longest` for how many seconds one lasts at most. At
    least so many events are accepted (or as many as are in so many `seconds`), and more until each kind of `kinds`
    (else all that can be had) was done once. With `calls` there is one node more, which runs nothing, and is called
    synchronously, too. `ways` through the services are gone meanwhile; with no `events` for so many `seconds`."""

    def __init__(
        self,
        directory: Path,
        *,
        events: int,
        seed: int,
        nodes: int = 2,
        postgres: PostgresServer | None = None,
        disk: bool = False,
        layer: bool = True,
        calls: bool = False,
        ways: Sequence[Way] = (),
        kinds: Sequence[str] = (),
        pause: float = 3.0,
        longest: float = 15.0,
        seconds: float = math.inf,
        say: Callable[[str], None] = print,
    ) -> None:
        self._events = events
        self._random = random.Random(seed)
        self._pause = pause
        self._sending_until = time.monotonic() + seconds
        self._say = say
        self._undo = ExitStack()
        self.report = Report(seed, nodes, "SQLite" if postgres is None else "PostgreSQL")
        self._seen: set[str] = set()
        self._told: set[tuple[str, str]] = set()
        self._ran: dict[int, str] = {}
        self._numbers = itertools.count()
        self._faults_done = False
        self._ended = False
        self._drained = False
        self._now = "nothing"
        try:
            names = (*_NAMES[:nodes], *([_FRONT] if calls else ()))
            self._prepare(directory, names, postgres, disk=disk, layer=layer, longest=longest)
        except BaseException:
            self._undo.close()
            raise
        self._calls = Calls(self._nodes, _FRONT, lambda: self._now) if calls else None
        self._graph = Graph(self._nodes, ways)
        self._undo.callback(self._graph.close)
        self.report.ways = self._graph.reports
        known = self._faults.kinds()
        self._kinds = {name: known[name] for name in kinds or known}

    def _prepare(
        self,
        directory: Path,
        names: Sequence[str],
        postgres: PostgresServer | None,
        *,
        disk: bool,
        layer: bool,
        longest: float,
    ) -> None:
        place = directory / "host"
        place.mkdir(mode=0o700)
        small = None
        if disk:
            small = SmallDisk(place, directory / "disk.img", megabytes=_DISK_MEGABYTES)
            self._undo.callback(small.close)
        layers: dict[str, FaultLayer] = {}
        networks: dict[str, CutNetwork] = {}
        databases: dict[str, str] = {}
        shared = FaultLayer(place, directory / "layer") if layer and postgres is None else None
        if postgres is not None:
            url = postgres.new_database()
        for name in names:
            if shared is not None:
                layers[name] = shared
            elif layer:
                layers[name] = FaultLayer(place / name, directory / f"layer-{name}")
            if postgres is not None:
                networks[name] = CutNetwork(postgres.socket)
                self._undo.callback(networks[name].close)
                databases[name] = postgres.at_port(url, networks[name].port)
        self._layers = list(dict.fromkeys(layers.values()))
        for each in self._layers:
            self._undo.callback(each.close)
        arguments = dict.fromkeys(names, ("--dev",))
        between: dict[str, CutNetwork] = {}
        if _FRONT in names:
            arguments[_FRONT] += ("--roles", "api")
            for name in names[:-1]:
                between[name], settings = way_between()
                self._undo.callback(between[name].close)
                arguments[name] += settings
        self._nodes = start_nodes(
            place,
            *names,
            databases=databases,
            arguments=arguments,
            before={name: each.before for name, each in layers.items()},
            membership_seconds=8.0,
        )
        self._undo.callback(self._stop_nodes)
        self._faults = Faults(
            nodes=self._nodes,
            random=self._random,
            longest=longest,
            layers=layers,
            networks=networks,
            between=between,
            disk=small,
            postgres=postgres,
        )

    def run(self) -> Report:
        began = time.monotonic()
        if self._events:
            self._deploy(next(iter(self._nodes.values())))
        if self._calls is not None:
            self._calls.deploy()
            self.report.calls = self._calls.report
        if self.report.ways:
            self._graph.deploy()
        with ThreadPoolExecutor(_THREADS_MOST) as threads:
            faults = threads.submit(self._fault)
            taking = [threads.submit(take) for take in self._takers()]
            saying = threads.submit(self._progress, began)
            sending = [threads.submit(send) for send in self._senders()]
            try:
                for each in (*sending, faults):
                    each.result()
                if self.report.ways:
                    self._graph.calm()
                self._ended = True
                for each in taking:
                    each.result()
            finally:
                self._ended = self._drained = True
            saying.result()
            # Within: a database that the thread of faults has started ends with that thread.
            if self._calls is not None:
                self._calls.finish()
            self._graph.finish()
            self.report.queued = self._queued() if self._events else 0
        for layer in self._layers:
            self.report.layer.update(layer.counts)
        self.report.seconds = time.monotonic() - began
        return self.report

    def close(self) -> None:
        self._undo.close()

    def keep_logs(self, beside: Path) -> None:
        """Of the nodes, in files of names that begin as this one's."""
        for name, node in self._nodes.items():
            beside.with_name(f"{beside.stem}-{name}.log").write_text(node.log)

    def _senders(self) -> list[Callable[[], None]]:
        senders = self._graph.senders(lambda: self._faults_done)
        if self._events:
            senders += [self._send] * _SENDERS
        if self._calls is not None:
            calls = self._calls
            senders += [lambda: calls.run(lambda: self._faults_done)] * _CALLERS
        return senders

    def _takers(self) -> list[Callable[[], None]]:
        takers = self._graph.takers(lambda: self._ended)
        return takers + [self._take] * _TAKERS if self._events else takers

    def _stop_nodes(self) -> None:
        for node in self._nodes.values():
            node.stop()

    def _deploy(self, node: Lambent) -> None:
        self._url = node.client("sqs").create_queue(QueueName="results")["QueueUrl"]
        allow = {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}],
        }
        role = node.make_role("sender")
        node.iam.put_role_policy(RoleName="sender", PolicyName="p", PolicyDocument=json.dumps(allow))
        node.deploy({"index.py": _CODE}, FunctionName=FUNCTION, Role=role)
        to = {"Destination": f"arn:aws:sqs:us-east-1:{node.account_id}:results"}
        node.lambda_.put_function_event_invoke_config(
            FunctionName=FUNCTION, DestinationConfig={"OnSuccess": to, "OnFailure": to}
        )

    def _some(self) -> Lambent:
        return answering(self._nodes.values())

    # Events and what becomes of them

    def _send(self) -> None:
        connection: http.client.HTTPConnection | None = None
        for number in self._numbers:
            if self._faults_done and self._sent():
                return
            try:
                if connection is None:
                    connection = http.client.HTTPConnection(
                        urlsplit(self._some().endpoint).netloc, timeout=20
                    )
                refusal = _invoke(connection, number)
            except FAILURES as error:
                refusal = type(error).__name__
            if refusal is None:
                self.report.accepted.add(number)
                continue
            self.report.unsure.add(number)
            self.report.refusals[refusal] += 1
            connection = None

    def _take(self) -> None:
        deadline = None
        sqs: Any = None
        while not self._complete() and (deadline is None or time.monotonic() < deadline):
            if self._ended and deadline is None:
                deadline = time.monotonic() + _DRAIN_SECONDS
            try:
                if sqs is None:
                    sqs = self._some().client("sqs")
                got = sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10, WaitTimeSeconds=1)
                found = got.get("Messages", ())
                for message in found:
                    self._note(message["MessageId"], json.loads(message["Body"]))
                if found:
                    entries = [
                        {"Id": str(n), "ReceiptHandle": one["ReceiptHandle"]} for n, one in enumerate(found)
                    ]
                    sqs.delete_message_batch(QueueUrl=self._url, Entries=entries)
                else:  # perhaps another has some: what is sent by a clock ahead, others see later
                    sqs = None
            except FAILURES:
                sqs = None

    def _note(self, message_id: str, record: dict[str, Any]) -> None:
        number = record["requestPayload"]["n"]
        condition = record["requestContext"]["condition"]
        run = record["responsePayload"][1] if condition == "Success" else condition
        if condition != "Success" and number % FAILS_EVERY != FAILS_EVERY - 1:
            error = record.get("responsePayload") or {}
            self.report.unexpected[f"{condition}: {error.get('errorType', 'no error')}"] += 1
        if message_id in self._seen:
            self.report.twice["message received again"] += 1
        elif (number, run) in self._told:
            self.report.twice["told again of one run"] += 1
        elif number in self._ran:
            self.report.twice["run again"] += 1
        self._seen.add(message_id)
        self._told.add((number, run))
        self._ran[number] = run
        self.report.conditions[number] = condition

    def _complete(self) -> bool:
        return self._ended and self.report.accepted <= set(self.report.conditions)

    def _progress(self, began: float) -> None:
        said = began
        while not self._drained:
            time.sleep(0.2)
            now = time.monotonic()
            if now - said < _SAY_SECONDS:
                continue
            said = now
            report = self.report
            accepted, done = len(report.accepted), len(report.conditions)
            self._say(
                f"{now - began:5.0f} s  {accepted} accepted ({accepted / (now - began):.0f}/s), {done} done, "
                f"{len(report.unsure)} refused, {report.faults.total()} faults, now: {self._now}"
            )
            if report.ways:
                self._say("        ways: {} acknowledged, {} arrived".format(*self._graph.counts))

    def _fault(self) -> None:
        """One at a time, so that another node goes on: each kind once, in an order by chance, then any."""
        try:
            self._do_faults()
        except BaseException:
            self._sending_until = 0.0  # without faults the rest says nothing
            raise
        finally:
            self._faults_done = True

    def _do_faults(self) -> None:
        todo = self._random.sample(sorted(self._kinds), len(self._kinds))
        while todo or not self._sent():
            time.sleep(self._pause * self._random.uniform(0.5, 1.5))
            kind = todo.pop() if todo else self._random.choice(sorted(self._kinds))
            self.report.faults[kind] += 1
            self._now = kind
            self._kinds[kind]()
            self._now = "nothing"
        self._faults.end()

    def _queued(self) -> int:
        """What was told may be settled a moment later."""
        deadline = time.monotonic() + _SETTLE_SECONDS
        while (queued := int(status(self._some())["queues"]["event invocations"])) and (
            time.monotonic() < deadline
        ):
            time.sleep(0.1)
        return queued

    def _sent(self) -> bool:
        enough = 0 < self._events <= len(self.report.accepted)
        return enough or time.monotonic() > self._sending_until


def _invoke(connection: http.client.HTTPConnection, number: int) -> str | None:
    """Why the event was refused, or None."""
    connection.request(
        "POST",
        f"/2015-03-31/functions/{FUNCTION}/invocations",
        json.dumps({"n": number}),
        {"X-Amz-Invocation-Type": "Event"},
    )
    answer = connection.getresponse()
    answer.read()
    if answer.status == 202:
        return None
    return f"{answer.status} {answer.headers.get('x-amzn-errortype', '').split(':')[0]}"
