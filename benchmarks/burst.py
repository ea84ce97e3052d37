"""A burst: from nothing to 200 invocations of one function at the same time, each of which takes a second.

Run: ./dev bench burst [--invocations 200] [--stock 2]

Every handler says when it began, so that the time to the last start is known. It is shown beside a floor: as many forks
of a small Python process, one after the other, each of which says that it runs. None may fail or be throttled.
"""

import argparse
import json
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from benchmarks.deployment import deployment
from benchmarks.requests import KeptConnection, Target

_SLEEPER = {
    "app.py": b"""\
import time

def handler(event, context):
    began = time.time()
    time.sleep(1)
    return {"began": began}
"""
}
_PER_SECOND_LEAST = 200.0
_SETTLE_SECONDS = 1.0
_LOGS_SECONDS = 2.0


def burst(target: Target, invocations: int) -> list[float]:
    """Seconds from the first request to each start, ascending. Raises ConnectionError where one failed."""
    connections = [KeptConnection(target) for _ in range(invocations)]
    request = target.signed_request()
    sent = time.time()

    def invoke(connection: KeptConnection) -> float:
        head, body = connection.send(request)
        if b"x-amz-function-error" in head.lower():
            raise ConnectionError(body.decode())
        return float(json.loads(body)["began"]) - sent

    with ThreadPoolExecutor(invocations) as clients:
        started = sorted(clients.map(invoke, connections))
    for connection in connections:
        connection.close()
    return started


def fork_floor(count: int) -> float:
    """Seconds that so many forks take, each child telling that it runs."""
    read, write = os.pipe()
    began = time.perf_counter()
    for _ in range(count):
        pid = os.fork()
        if pid == 0:
            os.write(write, b"1")
            os._exit(0)
        os.read(read, 1)
        os.waitpid(pid, 0)
    taken = time.perf_counter() - began
    os.close(read)
    os.close(write)
    return taken


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--invocations", type=int, default=200)
    parser.add_argument("--stock", default="2")
    arguments = parser.parse_args()
    count = arguments.invocations
    with deployment("--blanks-per-runtime", arguments.stock) as deployed:
        target = deployed.create("burst", _SLEEPER, f"python3.{sys.version_info.minor}", Timeout=60)
        time.sleep(_SETTLE_SECONDS)
        started = burst(target, count)
        time.sleep(_LOGS_SECONDS)
        streams = deployed.count_log_streams("burst")
    floor = fork_floor(count)
    last = started[-1]
    rate = count / last
    print(f"{count} invocations at once, all answered, in {streams} environments")
    print(f"  starts after {started[0]:.2f} s (first), {started[count // 2]:.2f} (median), {last:.2f} (last)")
    print(f"  {last / floor:.1f} x as many forks one after the other ({floor:.2f} s)")
    held = rate >= _PER_SECOND_LEAST
    print(f"  {'ok' if held else 'MISS'}: {rate:.0f} environments/s (wanted: {_PER_SECOND_LEAST:g})")
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
