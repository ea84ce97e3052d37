"""What nodes cost: warm invocations on a server alone, on a node of a cluster, and passed on from one node to another.

Run: ./dev bench node_calls [--rounds 3] [--seconds 2]
"""

import argparse
import shutil
import statistics
import sys
import tempfile
from collections import defaultdict
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.cpu import cpu_seconds
from benchmarks.deployment import PYTHON_HELLO, Deployment
from benchmarks.requests import Target
from benchmarks.wrk import WrkMissingError, load, require_wrk
from lambent.cli.server_process import ServerProcess

ALONE, NODE, PASSED_ON = "server alone", "node that runs it itself", "passed on to another node"
CLIENTS = (1, 8)
_NODE_MOST = 1.1
"""CPU of a node for what it runs itself, beside that of a server alone."""
_TWO_LEAST = 1.6
_WARM_UP_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Contender:
    target: Target
    pids: tuple[int, ...]
    """Of the servers that take part."""


@dataclass(slots=True)
class Measured:
    per_second: list[float] = field(default_factory=list)
    server_us: list[float] = field(default_factory=list)
    failed: int = 0


def start(stack: ExitStack, data_dir: Path, *arguments: str) -> ServerProcess:
    server = ServerProcess.start(data_dir, 0, "--state-transition-seconds", "0", *arguments)
    stack.callback(server.stop)
    return server


def contenders(stack: ExitStack, directory: Path) -> dict[str, Contender]:
    alone = start(stack, directory / "alone")
    shared = ("--database", f"sqlite:///{directory / 'shared.db'}", "--shared-dir", str(directory / "shared"))
    front = start(stack, directory / "front", *shared, "--roles", "api,poller")
    (directory / "worker").mkdir(mode=0o700)
    shutil.copy2(directory / "front" / "master-key", directory / "worker" / "master-key")
    worker = start(stack, directory / "worker", *shared, "--roles", "api,worker")
    hello = Deployment(worker, directory / "worker").create("hello", PYTHON_HELLO, "python3.11")
    passed_on = Target(
        endpoint=front.endpoint,
        function="hello",
        access_key_id=front.access_key_id,
        secret_access_key=front.secret_access_key,
    )
    return {
        ALONE: Contender(
            Deployment(alone, directory / "alone").create("hello", PYTHON_HELLO, "python3.11"), (alone.pid,)
        ),
        NODE: Contender(hello, (worker.pid,)),
        PASSED_ON: Contender(passed_on, (front.pid, worker.pid)),
    }


def measure(
    taking_part: dict[str, Contender], rounds: int, seconds: float
) -> dict[tuple[str, int], Measured]:
    results: dict[tuple[str, int], Measured] = defaultdict(Measured)
    for clients in CLIENTS:
        for contender in taking_part.values():
            load(contender.target, clients, _WARM_UP_SECONDS)
        for _ in range(rounds):
            for name, contender in taking_part.items():
                before = sum(map(cpu_seconds, contender.pids))
                run = load(contender.target, clients, seconds)
                used = sum(map(cpu_seconds, contender.pids)) - before
                measured = results[name, clients]
                measured.per_second.append(run.per_second)
                measured.server_us.append(used / run.requests * 1e6)
                measured.failed += run.failed
    return results


def report(results: dict[tuple[str, int], Measured]) -> bool:
    """Whether the target is met."""
    met = True
    for (name, clients), measured in results.items():
        alone = results[ALONE, clients]
        cpu = statistics.median(measured.server_us)
        times = cpu / statistics.median(alone.server_us)
        rate = statistics.median(measured.per_second)
        print(
            f"{clients:3} clients  {name:27}  {rate:7.0f}/s  {cpu:5.0f} us CPU of servers each"
            f"  {times:4.2f} x alone  {measured.failed} failed"
        )
        met = met and not measured.failed and not (name == NODE and times > _NODE_MOST)
        if name == NODE and clients == CLIENTS[-1]:
            print(
                f"{'':13}two such nodes with CPUs of their own: {2 / times:.2f} x one server (at least {_TWO_LEAST})"
            )
    return met


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--seconds", type=float, default=2.0)
    given = options.parse_args()
    try:
        require_wrk()
    except WrkMissingError as error:
        print(error, file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="lambent-benchmark-") as directory, ExitStack() as stack:
        results = measure(contenders(stack, Path(directory)), given.rounds, given.seconds)
    return 0 if report(results) else 1


if __name__ == "__main__":
    sys.exit(main())
