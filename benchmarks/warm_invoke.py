"""Warm synchronous invocations of a hello function, beside what else invokes functions on one's own machine.

Run: ./dev bench warm_invoke [--rounds 3] [--seconds 3] [--peers DIR] [--without PEER ...]
"""

import argparse
import statistics
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.cpu import cpu_seconds, cpu_seconds_below, fixed_work_us, processes_below
from benchmarks.deployment import PYTHON_HELLO, Deployment, deployment
from benchmarks.peers import PeerMissingError, Peers
from benchmarks.requests import Target
from benchmarks.wrk import Load, WrkMissingError, load, require_wrk

OURS = "lambent"
SMALL = "lambent, 128 MB"
OFFICIAL = "lambent + awslambdaric"
CLIENTS = (1, 8, 64)
ONE_AT_A_TIME = "runtime emulator"
_WARM_UP_RUNS_MOST = 30
_WANTED = (
    # contender, peer, clients, at least so many times as fast
    (OURS, "serverless-offline python", 8, 3.0),
    (OURS, "serverless-offline node", 8, 10.0),
    (OURS, "runtime emulator", 1, 2.5),
    (OURS, "MiniStack", 8, 15.0),
    (OFFICIAL, "serverless-offline python", 8, 1.0),
    (OFFICIAL, "serverless-offline node", 8, 1.0),
    (OFFICIAL, "runtime emulator", 1, 1.0),
    (OFFICIAL, "MiniStack", 8, 1.0),
)
_SERVER_MICROSECONDS_MOST = 110.0
_FALL_MOST = 0.25


@dataclass(slots=True)
class Measured:
    """Of one contender with one number of clients, a value per round. CPU in microseconds per invocation."""

    per_second: list[float] = field(default_factory=list)
    p99_ms: list[float] = field(default_factory=list)
    server_us: list[float] = field(default_factory=list)
    sandbox_us: list[float] = field(default_factory=list)
    noise: list[float] = field(default_factory=list)
    """How many times as long a fixed piece of work took after a sleep."""
    failed: int = 0

    def add(self, run: Load) -> None:
        self.per_second.append(run.per_second)
        self.p99_ms.append(run.p99_us / 1000)
        self.failed += run.failed

    @property
    def rate(self) -> float:
        return statistics.median(self.per_second)


Results = dict[tuple[str, int], Measured]


def measure(
    targets: dict[str, Target], server_pid: int, rounds: int, seconds: float, clients: tuple[int, ...]
) -> Results:
    """Round after round, every contender once in each."""
    results: Results = defaultdict(Measured)
    for count in clients:
        taking_part = {n: t for n, t in targets.items() if n != ONE_AT_A_TIME or count == 1}
        for target in taking_part.values():
            warm_up(target, count, server_pid)
        for _ in range(rounds):
            for name, target in taking_part.items():
                measured = results[name, count]
                server, sandboxes = cpu_seconds(server_pid), cpu_seconds_below(server_pid)
                run = load(target, count, seconds)
                measured.add(run)
                measured.noise.append(fixed_work_us(after_sleep=True) / fixed_work_us(after_sleep=False))
                if name.startswith(OURS):
                    assert run.requests, f"{name} answered nothing in {seconds:g} s to {count} clients"
                    measured.server_us.append((cpu_seconds(server_pid) - server) / run.requests * 1e6)
                    measured.sandbox_us.append(
                        (cpu_seconds_below(server_pid) - sandboxes) / run.requests * 1e6
                    )
    return results


def warm_up(target: Target, clients: int, server_pid: int) -> None:
    """Until every client has been answered several times and our server starts no more environments; not for ever."""
    processes = -1
    for _ in range(_WARM_UP_RUNS_MOST):
        run = load(target, clients, 1)
        before, processes = processes, len(processes_below(server_pid))
        if run.requests > 10 * clients and processes == before:
            return


def deploy(deployed: Deployment, peers: Peers) -> dict[str, Target]:
    runtime = f"python3.{sys.version_info.minor}"
    targets = {
        OURS: deployed.create("hello", PYTHON_HELLO, runtime),
        SMALL: deployed.create("small", PYTHON_HELLO, runtime, memory_mb=128),
    }
    try:
        targets[OFFICIAL] = deployed.create("official", peers.awslambdaric_files(), "provided.al2023")
    except PeerMissingError as error:
        print(f"without {OFFICIAL}: {error}")
    return targets


@contextmanager
def start_peers(peers: Peers, without: list[str]) -> Iterator[dict[str, Target]]:
    starts = {
        "serverless-offline": peers.serverless_offline,
        "runtime-emulator": peers.runtime_emulator,
        "ministack": peers.ministack,
    }
    targets: dict[str, Target] = {}
    with ExitStack() as stack:
        for name, start in starts.items():
            if name in without:
                continue
            try:
                targets |= stack.enter_context(start())
            except PeerMissingError as error:
                print(f"without {name}: {error}")
        yield targets


def show(results: Results) -> None:
    print(
        f"\n{'invocations per second, median (lowest to highest)':<52}{'p99 ms':>8}{'server µs':>11}{'sandbox µs':>12}"
    )
    for (name, clients), measured in results.items():
        rates = f"{measured.rate:>8,.0f} ({min(measured.per_second):,.0f} to {max(measured.per_second):,.0f})"
        cpu = "".join(
            f"{statistics.median(values):>11.0f}"
            for values in (measured.server_us, measured.sandbox_us)
            if values
        )
        failed = f"  {measured.failed} FAILED" if measured.failed else ""
        print(f"{name:<26}{clients:>3} {rates:<28}{statistics.median(measured.p99_ms):>6.1f}{cpu}{failed}")


def show_noise(results: Results) -> None:
    """What to divide CPU times by before comparing them with another machine's, roughly."""
    factors = sorted(factor for measured in results.values() for factor in measured.noise)
    span = f"{factors[0]:.1f} to {factors[-1]:.1f}"
    print(
        f"\nnoise: after a sleep, the same work takes {statistics.median(factors):.1f} times as long here ({span})"
    )


def judge(results: Results) -> bool:
    """Prints each figure beside what is wanted of it; whether all hold."""
    print()
    held = [
        _line(
            f"{ours} / {peer}, {clients} clients",
            results[ours, clients].rate / max(1.0, results[peer, clients].rate),
            least,
        )
        for ours, peer, clients, least in _WANTED
        if (ours, clients) in results and (peer, clients) in results
    ]
    if (OURS, 8) in results:
        ours = results[OURS, 8]
        held.append(
            _line(
                "server µs an invocation, 8 clients",
                statistics.median(ours.server_us),
                None,
                _SERVER_MICROSECONDS_MOST,
            )
        )
        if (OURS, 64) in results:
            held.append(_line("64 clients / 8 clients", results[OURS, 64].rate / ours.rate, 1 - _FALL_MOST))
    failed = sum(measured.failed for (name, _), measured in results.items() if name.startswith(OURS))
    held.append(_line("failed invocations", failed, None, 0))
    return all(held)


def _line(what: str, value: float, least: float | None, most: float | None = None) -> bool:
    holds = (least is None or value >= least) and (most is None or value <= most)
    wanted = f"at least {least:g}" if least is not None else f"at most {most:g}"
    print(f"{'  ok' if holds else 'MISS'}  {what}: {value:.2f} (wanted: {wanted})")
    return holds


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3.0, help="of each run")
    parser.add_argument("--clients", type=int, nargs="+", default=list(CLIENTS))
    parser.add_argument(
        "--peers", type=Path, default=Path.home() / ".cache/lambent-bench", help="where to install them"
    )
    parser.add_argument(
        "--without", nargs="*", default=[], choices=["serverless-offline", "runtime-emulator", "ministack"]
    )
    arguments = parser.parse_args()
    try:
        require_wrk()
    except WrkMissingError as error:
        parser.error(str(error))
    with tempfile.TemporaryDirectory(prefix="lambent-benchmark-peers-") as work:
        peers = Peers(arguments.peers, Path(work))
        with start_peers(peers, arguments.without) as others, deployment() as deployed:
            targets = deploy(deployed, peers) | others
            results = measure(
                targets, deployed.server.pid, arguments.rounds, arguments.seconds, tuple(arguments.clients)
            )
    show(results)
    show_noise(results)
    return 0 if judge(results) else 1


if __name__ == "__main__":
    sys.exit(main())
