"""How fast events are accepted, which means: are on disk. Beside the same rows inserted by bare sqlite3.

Run: ./dev bench event_acceptance [--rounds 3] [--seconds 3] [--clients 64]
"""

import argparse
import statistics
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from benchmarks.cpu import cpu_seconds
from benchmarks.deployment import Deployment, deployment
from benchmarks.store import bare_group_commit
from benchmarks.wrk import load, require_wrk

EVENT = b'{"name": "' + b"x" * 1010 + b'"}'
_SLOW = {"app.py": b"import time\ndef handler(event, context): time.sleep(0.5)\n"}
_TELL = {"app.py": b"import time\ndef handler(event, context): print('ran', event, time.time())\n"}
_RATIO_LEAST = 0.5
_LATENCY_MS_MOST = 10.0
_SAMPLES = 30


def acceptance(deployed: Deployment, rounds: int, seconds: float, clients: int) -> float:
    """The median ratio of events accepted to rows inserted, a second. Both take turns."""
    runtime = f"python3.{sys.version_info.minor}"
    target = replace(deployed.create("slow", _SLOW, runtime), event=EVENT, invocation_type="Event")
    deployed.functions.put_function_concurrency(FunctionName="slow", ReservedConcurrentExecutions=1)
    load(target, clients, 1)
    ratios = []
    for _ in range(rounds):
        before = cpu_seconds(deployed.server.process.pid)
        run = load(target, clients, seconds)
        cpu_us = (cpu_seconds(deployed.server.process.pid) - before) / run.requests * 1e6
        assert run.failed == 0, f"{run.failed} of {run.requests} were refused"
        with tempfile.TemporaryDirectory(dir=deployed.data_dir) as directory:
            bare = bare_group_commit(Path(directory) / "bare.db", clients)
        ratios.append(run.per_second / bare)
        print(
            f"accepted {run.per_second:,.0f}/s, {cpu_us:.0f} µs of server CPU each; "
            f"bare inserts {bare:,.0f}/s; {ratios[-1]:.2f}"
        )
    return statistics.median(ratios)


def latency_ms(deployed: Deployment) -> float:
    """The median from sending an event to the first line of its handler, nothing else running."""
    deployed.create("tell", _TELL, f"python3.{sys.version_info.minor}")
    sent = {}
    for number in range(-3, _SAMPLES):
        sent[str(number)] = time.time()
        deployed.functions.invoke(FunctionName="tell", InvocationType="Event", Payload=str(number).encode())
        time.sleep(0.05)
    time.sleep(1)
    logs = deployed.client("logs")
    pages = logs.get_paginator("filter_log_events").paginate(
        logGroupName="/aws/lambda/tell", filterPattern="ran"
    )
    lines = [event["message"].split() for page in pages for event in page["events"]]
    taken = [(float(at) - sent[number]) * 1000 for _, number, at in lines if int(number) >= 0]
    assert len(taken) == _SAMPLES
    return statistics.median(taken)


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--seconds", type=float, default=3.0)
    arguments.add_argument("--clients", type=int, default=64)
    given = arguments.parse_args()
    require_wrk()
    with deployment() as deployed:
        taken_ms = latency_ms(deployed)
        print(f"from the request to the handler, idle: {taken_ms:.1f} ms (at most {_LATENCY_MS_MOST:g})")
        ratio = acceptance(deployed, given.rounds, given.seconds, given.clients)
        print(f"events accepted beside bare inserts: {ratio:.2f} (at least {_RATIO_LEAST:g})")
    return 0 if ratio >= _RATIO_LEAST and taken_ms <= _LATENCY_MS_MOST else 1


if __name__ == "__main__":
    sys.exit(main())
