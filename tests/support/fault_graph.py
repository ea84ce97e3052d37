"""Producers of all services while faults are done: what was acknowledged arrives, is stored, and is in order where
that is promised."""

import http.client
import itertools
import json
import random
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from fault_ways import Way, deploy, group_of, number_of, queue_url, replay_archive, tokens_of
from lambent_server import Lambent
from two_nodes import answering

FAILURES = (ClientError, BotoCoreError, OSError, http.client.HTTPException)
_PATIENCE = Config(read_timeout=20, connect_timeout=5)
_WITH_ONE_NODE_SECONDS = 10.0
_SUBSCRIBER_FAILS = 0.3
_DRAIN_SECONDS = 180.0
_PAUSE_SECONDS = 0.5


@dataclass
class WayReport:
    """Tokens. `unsure` were refused or got no answer. `arrived` counts how often each came: messages of their own, not
    those that were received again. `wrong` is what else should not be."""

    name: str
    ordered: bool
    offered: int = 0
    acknowledged: set[str] = field(default_factory=set)
    unsure: set[str] = field(default_factory=set)
    arrived: Counter[str] = field(default_factory=Counter)
    received_again: int = 0
    out_of_order: list[str] = field(default_factory=list)
    refusals: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    @property
    def lost(self) -> list[str]:
        return sorted(self.acknowledged - set(self.arrived), key=number_of)

    @property
    def twice(self) -> list[str]:
        return [token for token, count in self.arrived.items() if count > 1]

    @property
    def bad(self) -> bool:
        return bool(self.lost or self.out_of_order or self.wrong or (self.ordered and self.twice))

    def as_document(self) -> dict[str, Any]:
        return {
            "offered": self.offered,
            "acknowledged": len(self.acknowledged),
            "arrived": len(self.acknowledged & set(self.arrived)),
            "twice": len(self.twice),
            "received again": self.received_again,
            "lost": self.lost,
            "ordered": self.ordered,
            "out of order": self.out_of_order,
            "wrong": self.wrong,
            "unsure": len(self.unsure),
            "of those arrived": len(self.unsure & set(self.arrived)),
            "refusals": dict(self.refusals),
            "bad": self.bad,
        }


class Graph:
    """`nodes` are asked in turn; `ways` are gone by a thread each, and so are the queues that they lead to."""

    def __init__(self, nodes: Mapping[str, Lambent], ways: Sequence[Way]) -> None:
        self._nodes = nodes
        self._ways = ways
        self._known: dict[tuple[str, str], Any] = {}
        self._clients_lock = threading.Lock()
        self._lock = threading.Lock()
        self._seen: set[tuple[str, str]] = set()
        self._newest: dict[tuple[str, str], int] = defaultdict(lambda: -1)
        self._calm = False
        self._subscriber = _Subscriber(self)
        self.reports = {way.name: WayReport(way.name, way.ordered) for way in ways}

    def deploy(self) -> None:
        node = next(iter(self._nodes.values()))
        self._account_id = node.account_id
        deploy(node, self._subscriber.url)

    def senders(self, ended: Callable[[], bool]) -> list[Callable[[], None]]:
        return [lambda way=way: self._send(way, ended) for way in self._ways]  # type: ignore[misc]

    def takers(self, ended: Callable[[], bool]) -> list[Callable[[], None]]:
        """Return when all that was acknowledged is there, or too much time has passed since `ended`."""
        queues = sorted({way.queue for way in self._ways if way.queue is not None})
        return [lambda queue=queue: self._take(queue, ended) for queue in queues]  # type: ignore[misc]

    def calm(self) -> None:
        """When all is sent, and no more faults are done."""
        self._calm = True
        if "events_archive" in self.reports:
            self._insist(replay_archive)

    def finish(self) -> None:
        """Looks for what is only stored, and at what was made."""
        for way in self._ways:
            report = self.reports[way.name]
            if way.look is not None:
                report.arrived = self._insist(way.look)
            if way.check is not None:
                for token in sorted(report.acknowledged, key=number_of):
                    self._check(way.check, token, report)

    def close(self) -> None:
        self._subscriber.close()

    @property
    def counts(self) -> tuple[int, int]:
        """How many tokens were acknowledged, and how many have arrived."""
        reports = list(self.reports.values())
        return sum(len(one.acknowledged) for one in reports), sum(len(one.arrived) for one in reports)

    def note(self, id: str, text: str) -> None:
        """A message that arrived. `id` is its own, the same when it comes again."""
        with self._lock:
            for token in tokens_of(text):
                report = self.reports[token.split("-")[1]]
                if (id, token) in self._seen:
                    report.received_again += 1
                    continue
                self._seen.add((id, token))
                report.arrived[token] += 1
                if report.ordered and report.arrived[token] == 1:
                    place = (report.name, group_of(token))
                    if number_of(token) < self._newest[place]:
                        report.out_of_order.append(token)
                    self._newest[place] = max(self._newest[place], number_of(token))

    def _send(self, way: Way, ended: Callable[[], bool]) -> None:
        report, clients, numbers = self.reports[way.name], _Clients(self), itertools.count()
        waiting: list[str] = []
        while not ended():
            tokens = waiting
            if not tokens:
                tokens = [f"n-{way.name}-{next(numbers)}-n" for _ in range(way.at_once)]
                report.offered += len(tokens)
            try:
                acknowledged = set(way.send(clients, tokens))
            except FAILURES as error:
                report.refusals[_name_of(error)] += 1
                acknowledged = set()
                clients.forget()
            report.acknowledged |= acknowledged
            left = [token for token in tokens if token not in acknowledged]
            report.unsure = (report.unsure | set(left)) - acknowledged
            waiting = left if way.ordered else []
            time.sleep(way.pause * random.uniform(0.5, 1.5))

    def _take(self, queue: str, ended: Callable[[], bool]) -> None:
        clients, deadline = _Clients(self), None
        while not (ended() and self._complete(queue)):
            if ended():
                deadline = deadline or time.monotonic() + _DRAIN_SECONDS
                if time.monotonic() > deadline:
                    return
            with suppress(*FAILURES):
                self._take_some(clients, queue)
                continue
            clients.forget()

    def _take_some(self, clients: "_Clients", queue: str) -> None:
        sqs, url = clients("sqs"), queue_url(clients, queue)
        found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1).get("Messages")
        if not found:  # perhaps another has some: what is sent by a clock ahead, others see later
            clients.forget()
            return
        for message in found:
            self.note(message["MessageId"], message["Body"])
        entries = [{"Id": str(n), "ReceiptHandle": one["ReceiptHandle"]} for n, one in enumerate(found)]
        sqs.delete_message_batch(QueueUrl=url, Entries=entries)

    def _complete(self, queue: str) -> bool:
        """The last one waits for what is sent to endpoints, too."""
        reports = [self.reports[way.name] for way in self._ways if way.look is None]
        of = [one for one in reports if self._queue_of(one.name) in (queue, None)]
        return all(one.acknowledged <= set(one.arrived) for one in of)

    def _queue_of(self, name: str) -> str | None:
        return next(way.queue for way in self._ways if way.name == name)

    def _check(self, check: Callable[..., str | None], token: str, report: WayReport) -> None:
        try:
            wrong = self._insist(lambda clients: check(clients, token))
        except FAILURES as error:
            wrong = f"{token}: {_name_of(error)}"
        if wrong is not None:
            report.wrong.append(wrong)

    def _insist(self, ask: Callable[["_Clients"], Any]) -> Any:
        """No fault is done any more."""
        for _ in range(4):
            with suppress(*FAILURES):
                return ask(_Clients(self))
            time.sleep(_PAUSE_SECONDS)
        return ask(_Clients(self))

    def some(self) -> Lambent:
        return answering(self._nodes.values())

    @property
    def account_id(self) -> str:
        return self._account_id

    @property
    def fails_now(self) -> bool:
        return not self._calm and random.random() < _SUBSCRIBER_FAILS

    def client(self, node: Lambent, service: str) -> Any:
        """Made once for each life of a node: making one takes long."""
        with self._clients_lock:
            known = self._known.get((node.endpoint, service))
            if known is None:
                known = self._known[node.endpoint, service] = node.client(service, config=_PATIENCE)
            return known


class _Clients:
    """fault_ways.Clients: for some seconds those of one node, then of another."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._node: Lambent | None = None
        self._until = 0.0

    @property
    def account_id(self) -> str:
        return self._graph.account_id

    def __call__(self, service: str) -> Any:
        if self._node is None or time.monotonic() > self._until:
            self._node = self._graph.some()
            self._until = time.monotonic() + _WITH_ONE_NODE_SECONDS
        return self._graph.client(self._node, service)

    def forget(self) -> None:
        self._node = None


class _Subscriber:
    """An HTTP endpoint that confirms, and fails now and then."""

    def __init__(self, graph: Graph) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if graph.fails_now:
                    self.send_error(503)
                    return
                message = json.loads(body)
                if message["Type"] == "SubscriptionConfirmation":
                    graph.some().client("sns").confirm_subscription(
                        TopicArn=message["TopicArn"], Token=message["Token"]
                    )
                else:
                    # Nothing tells a message that comes twice from one that is delivered twice.
                    graph.note(f"{message['MessageId']} {time.monotonic()}", message["Message"])
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def _name_of(error: Exception) -> str:
    if isinstance(error, ClientError):
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        return f"{status} {error.response['Error']['Code']}"
    return type(error).__name__
