"""Many functions whose environments come and go all the time: does the server leave anything behind, does it grow?

Run: ./dev bench churn [--seconds 60] [--functions 100]

Bursts of 1 to 10 invocations at a time go to one function after another; environments end when idle for a second, so
that each burst meets a function that has none, or too few. Then everything idle ends, and what the server holds is
compared with what it held before. Then the server ends, and nothing may be left.
"""

import argparse
import itertools
import os
import random
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.cpu import rss_bytes
from benchmarks.deployment import deployment
from benchmarks.held import Held, Holdings
from benchmarks.requests import KeptConnection, Target

_SLEEPER = b"""\
import time

def handler(event, context):
    time.sleep(0.02)
    return {"hello": event["name"]}
"""
_AT_A_TIME_MOST = 10
_BURSTS_AT_A_TIME = 3
_IDLE_SECONDS = 1.0
_SETTLE_SECONDS_MOST = 30.0
_GROWTH_FROM_SECONDS = 15.0
_GROWTH_MOST = 0.10
_SIGN_AGAIN_SECONDS = 120.0


@dataclass(slots=True)
class Churned:
    invocations: int = 0
    failures: list[str] = field(default_factory=list)
    rss: list[tuple[float, int]] = field(default_factory=list)
    """Seconds since the beginning, bytes."""


class Churn:
    def __init__(self, targets: list[Target], server_pid: int) -> None:
        self._targets = itertools.cycle(targets)
        self._server_pid = server_pid
        self._lock = threading.Lock()
        self._requests: dict[str, tuple[float, bytes]] = {}
        self.churned = Churned()

    def run(self, seconds: float) -> Churned:
        began = time.monotonic()
        with (
            ThreadPoolExecutor(_BURSTS_AT_A_TIME) as bursts,
            ThreadPoolExecutor(_BURSTS_AT_A_TIME * _AT_A_TIME_MOST) as clients,
        ):
            running = [
                bursts.submit(self._bursts, clients, began + seconds) for _ in range(_BURSTS_AT_A_TIME)
            ]
            while not all(one.done() for one in running):
                self.churned.rss.append((time.monotonic() - began, rss_bytes(self._server_pid)))
                time.sleep(0.5)
            for one in running:
                one.result()
        return self.churned

    def _bursts(self, clients: ThreadPoolExecutor, until: float) -> None:
        while time.monotonic() < until:
            with self._lock:
                target = next(self._targets)
            burst = random.randint(1, _AT_A_TIME_MOST)
            list(clients.map(self._invoke, [target] * burst))

    def _invoke(self, target: Target) -> None:
        failure = None
        try:
            connection = KeptConnection(target)
            head, body = connection.send(self._request(target))
            connection.close()
            if b"x-amz-function-error" in head.lower():
                failure = body.decode()
        except OSError as error:
            failure = str(error)
        with self._lock:
            self.churned.invocations += 1
            if failure is not None:
                self.churned.failures.append(failure)

    def _request(self, target: Target) -> bytes:
        signed_at, request = self._requests.get(target.function, (float("-inf"), b""))
        if time.monotonic() - signed_at > _SIGN_AGAIN_SECONDS:
            request = target.signed_request()
            self._requests[target.function] = (time.monotonic(), request)
        return request


def settle(holdings: Holdings, before: Held | None) -> Held:
    """Waits until what is held changes no more, or is what it was."""
    deadline = time.monotonic() + _SETTLE_SECONDS_MOST
    time.sleep(2 * _IDLE_SECONDS + 1)
    held = holdings.count()
    while time.monotonic() < deadline:
        time.sleep(1)
        now = holdings.count()
        if now == held and (before is None or now == before):
            break
        held = now
    return held


def growth(rss: list[tuple[float, int]]) -> float:
    """From what it was after the first quarter of a minute, to the median of the last ten readings."""
    then = next((size for at, size in rss if at >= _GROWTH_FROM_SECONDS), rss[0][1])
    last = sorted(size for _, size in rss[-10:])
    return last[len(last) // 2] / then - 1


def say(holds: bool, text: str) -> bool:
    print(f"{'  ok' if holds else 'MISS'}  {text}")
    return holds


def run(functions: int, seconds: float, temporary: Path) -> bool:
    arguments = ("--idle-expiry-seconds", str(_IDLE_SECONDS), "--log-level", "warning")
    with deployment(*arguments) as deployed:
        runtime = f"python3.{sys.version_info.minor}"
        targets = [
            deployed.create(f"churn-{number}", {"app.py": _SLEEPER}, runtime, memory_mb=256)
            for number in range(functions)
        ]
        pid = deployed.server.pid
        Churn(targets[:3], pid).run(2.0)  # what the server makes once, and keeps, is there
        holdings = Holdings(pid, deployed.data_dir, temporary)
        before = settle(holdings, None)
        churned = Churn(targets, pid).run(seconds)
        after = settle(holdings, before)
        environments = sum(deployed.count_log_streams(target.function) for target in targets)
        log = (deployed.data_dir / "server.log").read_text()
        deployed.server.stop()
        left = holdings.count_after_end()
    rss = [size for _, size in churned.rss]
    made = f"{environments:,} environments of {functions} functions"
    print(f"{churned.invocations:,} invocations in {made} in {seconds:g} s")
    print(f"held before: {before}\nheld after:  {after}\nleft at end: {left}")
    print(f"server's memory: {rss[0] >> 20} MiB at first, {max(rss) >> 20} most, {rss[-1] >> 20} at the end")
    if log:
        print(f"the server's log:\n{log[-2000:]}")
    return all(
        [
            say(not churned.failures, f"{len(churned.failures)} failed: {churned.failures[:3]}"),
            say(after == before, f"more than before, idle again: {after.differences(before) or 'nothing'}"),
            say(
                not any(left.differences(_NOTHING).values()),
                f"left when ended: {left.differences(_NOTHING) or 'nothing'}",
            ),
            say(
                growth(churned.rss) <= _GROWTH_MOST,
                f"memory since the first 15 s: {growth(churned.rss):+.1%}",
            ),
        ]
    )


_NOTHING = Held(processes=0, mounts=0, cgroups=0, loop_devices=0, descriptors=0, files=0)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--functions", type=int, default=100)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="lambent-benchmark-temporary-") as temporary:
        os.environ["TMPDIR"] = temporary  # the server's: whatever it leaves there is its own
        return 0 if run(arguments.functions, arguments.seconds, Path(temporary)) else 1


if __name__ == "__main__":
    sys.exit(main())
