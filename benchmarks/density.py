"""Many idle environments at the same time: what each holds in memory, what all of them cost in CPU, and how soon a
frozen one answers.

Run: ./dev bench density [--environments 1000]

One function is called by so many clients at once that it gets that many environments, which then freeze. CPU time is
that of the server and of everything below it. Memory is the proportional share (PSS) of each sandbox's processes, with
what they share divided among them. Waking up is an invocation of a frozen environment, beside one of an environment
that is awake.
"""

import argparse
import json
import statistics
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from benchmarks.cpu import cpu_seconds, cpu_seconds_below, processes_below, rss_bytes
from benchmarks.deployment import deployment
from benchmarks.requests import KeptConnection, Target

_WAITER = {
    "app.py": b"""\
import time

def handler(event, context):
    time.sleep(max(0, event["until"] - time.time()))
"""
}
_MADE_PER_SECOND_LEAST = 12
_ANSWER_SECONDS = 110.0
_IDLE_SECONDS = 5.0
_AWAKE_SECONDS = 0.05
_FROZEN_AFTER_SECONDS = 0.5
"""Pauses: an environment is frozen when it was idle for 0.1 s."""
_SAMPLES = 30
_CPU_MOST = 0.05
_WAKE_MOST_MS = 1.0


def fill(target: Target, wanted: int) -> float:
    """Returns when there are `wanted` environments, all idle; how long they took to be made, in seconds."""
    busy_seconds = wanted / _MADE_PER_SECOND_LEAST
    began = time.monotonic()
    waiting = replace(target, event=json.dumps({"until": time.time() + busy_seconds}).encode())
    request = waiting.signed_request()

    def invoke(connection: KeptConnection) -> None:
        head, body = connection.send(request)
        if b"x-amz-function-error" in head.lower():
            raise ConnectionError(body.decode())

    connections = [KeptConnection(waiting, timeout_seconds=_ANSWER_SECONDS) for _ in range(wanted)]
    with ThreadPoolExecutor(wanted) as clients:
        list(clients.map(invoke, connections))
    for connection in connections:
        connection.close()
    return time.monotonic() - began


def pss_bytes(pid: int) -> int:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) << 10
    return 0


def wake_up_ms(target: Target, pause_seconds: float) -> float:
    """Median of invocations, each after a pause."""
    at_once = replace(target, event=b'{"until": 0}')
    connection = KeptConnection(at_once)
    request = at_once.signed_request()
    taken = []
    for _ in range(_SAMPLES):
        time.sleep(pause_seconds)
        began = time.perf_counter()
        connection.send(request)
        taken.append((time.perf_counter() - began) * 1000)
    connection.close()
    return statistics.median(taken)


def say(holds: bool, text: str) -> bool:
    print(f"  {'ok' if holds else 'MISS'}: {text}")
    return holds


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--environments", type=int, default=1000)
    wanted = parser.parse_args().environments
    with deployment("--idle-expiry-seconds", "900", "--account-concurrency", str(wanted + 100)) as deployed:
        runtime = f"python3.{sys.version_info.minor}"
        target = deployed.create("dense", _WAITER, runtime, memory_mb=256, Timeout=300)
        server = deployed.server.pid
        before = rss_bytes(server)
        fill(target, wanted)
        time.sleep(4 * _FROZEN_AFTER_SECONDS)
        environments = deployed.count_log_streams("dense")
        started = time.monotonic(), cpu_seconds(server) + cpu_seconds_below(server)
        time.sleep(_IDLE_SECONDS)
        used = cpu_seconds(server) + cpu_seconds_below(server) - started[1]
        cpu = used / (time.monotonic() - started[0])
        inside = [pid for pid, fields in processes_below(server).items() if fields[1] != str(server)]
        pss = sum(map(pss_bytes, inside)) / environments
        grown = (rss_bytes(server) - before) / environments
        awake, frozen = wake_up_ms(target, _AWAKE_SECONDS), wake_up_ms(target, _FROZEN_AFTER_SECONDS)
    print(f"{environments:,} idle environments of a {runtime} function, {len(inside):,} processes")
    print(f"  memory of each: {pss / (1 << 20):.1f} MiB inside (PSS), {grown / 1024:.0f} KiB in the server")
    print(f"  an invocation takes {awake:.2f} ms awake, {frozen:.2f} ms from frozen")
    return (
        0
        if all(
            [
                say(environments >= wanted, f"{environments} environments (wanted: {wanted})"),
                say(cpu <= _CPU_MOST, f"{cpu:.1%} of a CPU while idle (wanted: at most {_CPU_MOST:.0%})"),
                say(frozen - awake <= _WAKE_MOST_MS, f"waking up costs {frozen - awake:.2f} ms"),
            ]
        )
        else 1
    )


if __name__ == "__main__":
    sys.exit(main())
