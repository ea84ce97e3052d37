"""Synchronous callers while faults are done: each gets his answer, or an error that is worth a retry, and soon; what
was answered has run once; and the limits of concurrency are whole again when all is over.

A node that runs nothing is asked more often than the others, so that most calls go from node to node.
"""

import http.client
import itertools
import json
import random
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from lambent_server import Lambent, eventually

FUNCTION = "calls"
RESERVED = 4
_CODE = """
import time, uuid
def handler(event, context):
    run = uuid.uuid4().hex
    print("ran", event["n"], run)
    time.sleep(event.get("seconds", 0))
    return [event["n"], run]
"""
_PAUSE_SECONDS = 0.05
_PATIENCE_SECONDS = 40.0
_RECOVERY_SECONDS = 60.0
_RETRYABLE = (429, 500, 502, 503)


@dataclass
class CallReport:
    """`errors` are what callers got instead of an answer, `longest` how many seconds one waited, by the fault that was
    done meanwhile. `wrong` are what should not have been: answers to other calls, errors that nobody tries again,
    waits without an end, and limits that did not come back. `ran_twice` are calls that were answered, and ran twice;
    `noted_twice` is how many lines the function's log has more than once."""

    answered: set[int] = field(default_factory=set)
    errors: Counter[str] = field(default_factory=Counter)
    longest: dict[str, float] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    ran_twice: list[int] = field(default_factory=list)
    noted_twice: int = 0

    def as_document(self) -> dict[str, Any]:
        return {
            "answered": len(self.answered),
            "errors": dict(self.errors),
            "longest seconds": {kind: round(seconds, 1) for kind, seconds in self.longest.items()},
            "wrong": self.wrong,
            "ran twice": self.ran_twice,
            "noted twice": self.noted_twice,
        }


class Calls:
    """`fronts` are those who are asked, `fault` says what is done to them at the moment."""

    def __init__(self, nodes: Mapping[str, Lambent], first: str, fault: Callable[[], str]) -> None:
        self.report = CallReport()
        self._nodes = list(nodes.values())
        self._front = nodes[first]
        self._fault = fault
        self._numbers = itertools.count()

    def deploy(self) -> None:
        self._front.python(_CODE, FunctionName=FUNCTION, Timeout=30)
        self._front.lambda_.put_function_concurrency(
            FunctionName=FUNCTION, ReservedConcurrentExecutions=RESERVED
        )

    def run(self, ended: Callable[[], bool]) -> None:
        while not ended():
            node = self._front if random.random() < 0.7 else random.choice(self._nodes)
            self._call(node, next(self._numbers))
            time.sleep(_PAUSE_SECONDS)

    def finish(self) -> None:
        """When all faults are over."""
        try:
            eventually(self._all_at_once, seconds=_RECOVERY_SECONDS)
        except AssertionError:
            self.report.wrong.append("limits: not all that is reserved can be used again")
        pages = self._front.client("logs").get_paginator("filter_log_events")
        ran: dict[int, Counter[str]] = defaultdict(Counter)
        for page in pages.paginate(logGroupName=f"/aws/lambda/{FUNCTION}", filterPattern="ran"):
            for event in page["events"]:
                _, number, run = event["message"].split()
                ran[int(number)][run] += 1
        self.report.ran_twice = sorted(n for n in self.report.answered if len(ran[n]) > 1)
        self.report.noted_twice = sum(lines - 1 for runs in ran.values() for lines in runs.values())

    def _all_at_once(self) -> bool:
        with ThreadPoolExecutor(RESERVED) as callers:
            calls = [
                callers.submit(self._call, self._front, next(self._numbers), 1.0) for _ in range(RESERVED)
            ]
            return sum(call.result() for call in calls) == RESERVED

    def _call(self, node: Lambent, number: int, seconds: float = 0.0) -> bool:
        """Whether it was answered."""
        began, fault = time.monotonic(), self._fault()
        try:
            error = _invoke(node, {"n": number, "seconds": seconds})
        except TimeoutError:
            error = "no answer"
            self.report.wrong.append(f"{number}: no answer within {_PATIENCE_SECONDS:.0f} s, {fault}")
        except (OSError, http.client.HTTPException) as broken:  # of a node that was killed
            error = type(broken).__name__
        waited = time.monotonic() - began
        fault = fault if fault != "nothing" else self._fault()
        self.report.longest[fault] = max(self.report.longest.get(fault, 0.0), waited)
        if error is None:
            self.report.answered.add(number)
            return True
        self.report.errors[f"{error} ({fault})"] += 1
        if error.startswith("wrong"):
            self.report.wrong.append(f"{number}: {error}, {fault}")
        return False


def _invoke(node: Lambent, event: Mapping[str, Any]) -> str | None:
    """What came instead of the answer, or None."""
    connection = http.client.HTTPConnection(urlsplit(node.endpoint).netloc, timeout=_PATIENCE_SECONDS)
    try:
        connection.request("POST", f"/2015-03-31/functions/{FUNCTION}/invocations", json.dumps(event))
        answer = connection.getresponse()
        body = answer.read()
    finally:
        connection.close()
    if answer.status != 200:
        name = answer.headers.get("x-amzn-errortype", "").split(":")[0]
        wrong = "" if answer.status in _RETRYABLE else "wrong: "
        return f"{wrong}{answer.status} {name}"
    found = json.loads(body)
    if answer.headers.get("x-amz-function-error"):
        return f"function error {found.get('errorType')}"
    return None if found[0] == event["n"] else f"wrong: answer {found!r}"
