"""PutEvents against a bus of 300 rules, beside MiniStack's, and what matching alone costs.

Run: python benchmarks/put_events.py [--seconds 3] [--rounds 3] [--without ministack] [--peers DIR]

Every event matches one rule of the 300, by source, detail-type and a value of its detail; the rule's target is a queue,
whose sends are part of the load. Ten events to a request, 8 clients. Ours verifies signatures and syncs what it has
accepted to disk before it answers.
"""

import argparse
import itertools
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from benchmarks.contenders import Contender
from benchmarks.peers import PeerMissingError, Peers
from benchmarks.requests import REGION, KeptConnection
from lambent.cli.server_process import ServerProcess
from lambent.model.event_pattern import parse_pattern, read_event
from lambent.services.events.rule_index import RuleIndex

RULES = 300
CLIENTS = 8
ENTRIES = 10
EVENTS_LEAST = 1000
"""Per second: what issue 5 asks for."""


def pattern(number: int) -> str:
    return json.dumps(
        {
            "source": [f"service-{number % 10}"],
            "detail-type": [f"type-{number % 30}"],
            "detail": {"kind": [f"kind-{number}"], "total": [{"numeric": [">", 10]}]},
        }
    )


def entry(number: int) -> dict[str, str]:
    number %= RULES
    detail = {"kind": f"kind-{number}", "total": 11, "text": "x" * 200}
    return {
        "Source": f"service-{number % 10}",
        "DetailType": f"type-{number % 30}",
        "Detail": json.dumps(detail),
    }


def prepare(contender: Contender) -> None:
    sqs, events = contender.client("sqs"), contender.client("events")
    url = sqs.create_queue(QueueName="benchmark")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    allow = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    for number in range(RULES):
        events.put_rule(Name=f"rule-{number}", EventPattern=pattern(number))
        events.put_targets(Rule=f"rule-{number}", Targets=[{"Id": "queue", "Arn": arn}])


def run(contender: Contender, seconds: float) -> float:
    """Events accepted per second."""
    requests = [
        contender.request(
            "events", "PutEvents", {"Entries": [entry(first + number) for number in range(ENTRIES)]}
        )
        for first in range(0, RULES, ENTRIES)
    ]
    places = [itertools.count(client * 4) for client in range(CLIENTS)]

    def put(client: int, connection: KeptConnection) -> int:
        _, body = connection.send(requests[next(places[client]) % len(requests)])
        assert b'"FailedEntryCount":0' in body.replace(b" ", b""), body
        return ENTRIES

    return contender.rate(CLIENTS, seconds, put)


def matching(find: Callable[[Any], object]) -> float:
    """Microseconds of CPU for an event against all rules."""
    events = [
        {
            "source": one["Source"],
            "detail-type": one["DetailType"],
            "detail": json.loads(one["Detail"]),
            "account": "123456789012",
            "region": REGION,
        }
        for one in map(entry, range(RULES))
    ]
    began = time.process_time()
    for event in events:
        assert find(read_event(event))
    return (time.process_time() - began) / len(events) * 1e6


@contextmanager
def ours(directory: Path) -> Iterator[Contender]:
    server = ServerProcess.start(directory, 0)
    try:
        yield Contender(server.endpoint, server.access_key_id, server.secret_access_key)
    finally:
        server.stop()
        server.process.wait()


def main(arguments: argparse.Namespace) -> int:
    patterns = [parse_pattern(pattern(number)) for number in range(RULES)]
    index = RuleIndex((each, number) for number, each in enumerate(patterns))
    indexed = matching(index.matching)
    each_asked = matching(lambda fields: [one for one in patterns if one.matches_fields(fields)])
    print(f"matching one event, µs CPU: by the index {indexed:.1f}, asking all {RULES} {each_asked:.1f}")
    with ExitStack() as stack:
        work = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        contenders = {"lambent": stack.enter_context(ours(work / "data"))}
        if "ministack" not in arguments.without:
            try:
                targets = stack.enter_context(Peers(arguments.peers, work).ministack())
                contenders["MiniStack"] = Contender(targets["MiniStack"].endpoint)
            except PeerMissingError as error:
                print(f"without MiniStack: {error}")
        for contender in contenders.values():
            prepare(contender)
        rates: dict[str, list[float]] = {name: [] for name in contenders}
        for _ in range(arguments.rounds):
            for name, contender in contenders.items():
                rates[name].append(run(contender, arguments.seconds))
    medians = {name: statistics.median(found) for name, found in rates.items()}
    for name, median in medians.items():
        print(f"{name}: {median:,.0f} events/s, lambent has {medians['lambent'] / median:.1f} times as many")
    return 0 if medians["lambent"] >= EVENTS_LEAST else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--without", action="append", default=[])
    parser.add_argument("--peers", type=Path, default=Path.home() / ".cache/lambent-bench")
    sys.exit(main(parser.parse_args()))
