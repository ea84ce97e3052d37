"""Events through nodes that are killed, stopped and started again by a seeded schedule; each of them accounted for.

Every event carries a number, and its function's answer goes to a queue: what is in neither the queue of results nor the
queue of events was lost.
"""

import json
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError
from lambent_server import Lambent
from two_nodes import start_nodes, status

if TYPE_CHECKING:
    from postgres_server import PostgresServer

FUNCTION = "faults"
_CODE = "def handler(event, context): return event['n']\n"
_NAMES = ("a", "b", "c", "d", "e")
_DRAIN_SECONDS = 120.0
_FAILURES = (ClientError, BotoCoreError, OSError)


@dataclass
class Report:
    """`accepted` were answered with 202; `unsure` got no answer, and may run or not."""

    seed: int
    accepted: set[int] = field(default_factory=set)
    unsure: set[int] = field(default_factory=set)
    results: Counter[int] = field(default_factory=Counter)
    queued: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0

    @property
    def lost(self) -> list[int]:
        missing = sorted(self.accepted - set(self.results))
        return missing if len(missing) > self.queued else []

    def as_document(self) -> dict[str, Any]:
        return {
            "seed": self.seed,
            "seconds": round(self.seconds, 1),
            "accepted": len(self.accepted),
            "executed": len(self.accepted & set(self.results)),
            "still queued": self.queued,
            "lost": self.lost,
            "refused or unanswered": len(self.unsure),
            "of those executed": len(self.unsure & set(self.results)),
            "duplicates": sum(count - 1 for count in self.results.values()),
            "faults": dict(self.faults),
        }


class FaultRun:
    """`pause` is how many seconds lie between two faults, about, `least` how many there are at least, `longest` for how
    many seconds a node is stopped at most. `postgres` is a database that is killed, too."""

    def __init__(
        self,
        directory: Path,
        *,
        events: int,
        seed: int,
        nodes: int = 2,
        database: str | None = None,
        postgres: "PostgresServer | None" = None,
        pause: float = 3.0,
        least: int = 0,
        longest: float = 15.0,
        say: Callable[[str], None] = print,
    ) -> None:
        self._events = events
        self._random = random.Random(seed)
        self._pause = pause
        self._least = least
        self._longest = longest
        self._say = say
        self._postgres = postgres
        if postgres is not None:
            database = postgres.new_database()
        self._nodes = start_nodes(directory, *_NAMES[:nodes], database=database)
        self.report = Report(seed)
        self._ended = False

    def run(self) -> Report:
        began = time.monotonic()
        self._deploy(next(iter(self._nodes.values())))
        with ThreadPoolExecutor(3) as threads:
            faults = threads.submit(self._fault)
            taking = threads.submit(self._take)
            self._send()
            self._ended = True
            faults.result()
            taking.result()
            # Within: a database that the thread of faults has started ends with that thread.
            self.report.queued = status(self._some())["queues"]["event invocations"]
        self.report.seconds = time.monotonic() - began
        return self.report

    def close(self) -> None:
        for node in self._nodes.values():
            if node.server.process.poll() is None:
                node.server.process.send_signal(signal.SIGCONT)
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
        arn = f"arn:aws:sqs:us-east-1:{node.account_id}:results"
        node.lambda_.put_function_event_invoke_config(
            FunctionName=FUNCTION, DestinationConfig={"OnSuccess": {"Destination": arn}}
        )

    def _some(self) -> Lambent:
        """One that answers, and has a database."""
        while True:
            for node in random.sample(list(self._nodes.values()), len(self._nodes)):
                try:
                    if status(node)["database"] == "ok":
                        return node
                except OSError:
                    continue
            time.sleep(0.1)

    def _send(self) -> None:
        node = self._some()
        for number in range(self._events):
            try:
                node.lambda_.invoke(
                    FunctionName=FUNCTION, InvocationType="Event", Payload=json.dumps({"n": number})
                )
                self.report.accepted.add(number)
            except _FAILURES:
                self.report.unsure.add(number)
                node = self._some()
            if number % 1000 == 999:
                self._say(f"{number + 1} sent, {len(self.report.results)} executed")

    def _take(self) -> None:
        deadline = None
        node = self._some()
        while not self._complete() and (deadline is None or time.monotonic() < deadline):
            if self._ended and deadline is None:
                deadline = time.monotonic() + _DRAIN_SECONDS
            try:
                sqs = node.client("sqs")
                got = sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10, WaitTimeSeconds=1)
                found = got.get("Messages", ())
                for message in found:
                    self.report.results[json.loads(message["Body"])["responsePayload"]] += 1
                if found:
                    entries = [
                        {"Id": str(n), "ReceiptHandle": one["ReceiptHandle"]} for n, one in enumerate(found)
                    ]
                    sqs.delete_message_batch(QueueUrl=self._url, Entries=entries)
            except _FAILURES:
                node = self._some()

    def _complete(self) -> bool:
        return self._ended and self.report.accepted <= set(self.report.results)

    # Faults, one at a time: another node always goes on

    def _fault(self) -> None:
        kinds = [self._kill, self._stop_and_wake, self._kill_environments]
        if self._postgres is not None:
            kinds.append(self._kill_database)
        while not self._ended or self.report.faults.total() < self._least:
            time.sleep(self._pause * self._random.uniform(0.5, 1.5))
            node = self._random.choice(list(self._nodes.values()))
            kind = self._random.choice(kinds)
            self.report.faults[kind.__name__.strip("_")] += 1
            kind(node)

    def _kill(self, node: Lambent) -> None:
        node.kill()
        time.sleep(self._random.uniform(0.0, 2 * self._pause))
        node.start_again()

    def _stop_and_wake(self, node: Lambent) -> None:
        node.server.process.send_signal(signal.SIGSTOP)
        time.sleep(min(self._longest, self._random.choice([0.5, 1.0, 15.0])))
        node.server.process.send_signal(signal.SIGCONT)

    def _kill_database(self, node: Lambent) -> None:
        assert self._postgres is not None
        self._postgres.stop(signal.SIGQUIT)
        time.sleep(self._random.choice([0.0, 1.0, self._longest]))
        self._postgres.start(quick=False)

    def _kill_environments(self, node: Lambent) -> None:
        for state in Path("/proc").glob("[0-9]*/status"):
            try:
                fields = dict(line.split(":", 1) for line in state.read_text().splitlines() if ":" in line)
                uid = int(fields["Uid"].split()[0])
                if node.uid_first <= uid < node.uid_first + 1000:
                    os.kill(int(state.parent.name), signal.SIGKILL)
            except (OSError, KeyError):
                continue
