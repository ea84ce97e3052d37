"""`./dev faults`: events through nodes that are killed, stopped, cut off and whose disks and clocks fail; each of the
events accounted for."""

import argparse
import json
import math
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))


def main() -> int:
    parser = argparse.ArgumentParser(prog="./dev faults", description=__doc__)
    parser.add_argument("--events", type=int, default=10_000)
    parser.add_argument("--nodes", type=int, default=2, choices=range(1, 6))
    parser.add_argument(
        "--seed", type=int, default=int.from_bytes(os.urandom(3)), help="of the schedule of faults"
    )
    parser.add_argument("--pause", type=float, default=3.0, help="seconds between two faults, about")
    parser.add_argument("--longest", type=float, default=15.0, help="seconds that a fault lasts at most")
    parser.add_argument("--minutes", type=float, default=math.inf, help="no event is sent after so many")
    parser.add_argument(
        "--postgres",
        action="store_true",
        help="on a PostgreSQL of its own, which fails, too; default: a SQLite file that all nodes share",
    )
    parser.add_argument(
        "--graph",
        action="store_true",
        help="instead of events of a function: all services, for so many --minutes",
    )
    parser.add_argument("--only", action="append", default=[], help="this kind of fault, and no other")
    parser.add_argument("--report", type=Path, default=Path("faults.md"))
    arguments = parser.parse_args()
    from fault_layer import compiler  # noqa: PLC0415 - found by the path above
    from fault_report import markdown  # noqa: PLC0415 - found by the path above
    from fault_run import FaultRun  # noqa: PLC0415 - found by the path above
    from fault_ways import WAYS  # noqa: PLC0415 - found by the path above

    assert not arguments.graph or arguments.minutes < math.inf, "--graph needs --minutes"

    print(f"seed {arguments.seed}: the same again with --seed {arguments.seed}", flush=True)
    root = os.geteuid() == 0
    if not root:
        print("no full disk without root")
    if compiler() is None:
        print("no failing disk, power cut and clock without a C compiler")
    with ExitStack() as opened:
        directory = opened.enter_context(tempfile.TemporaryDirectory(prefix="lambent-faults-"))
        postgres = None
        if arguments.postgres:
            from postgres_server import new_postgres_server, programs  # noqa: PLC0415 - needs psycopg

            found = programs()
            assert found is not None, "no PostgreSQL here: apt-get install postgresql"
            postgres = opened.enter_context(new_postgres_server(found))
        running = FaultRun(
            Path(directory),
            events=0 if arguments.graph else arguments.events,
            seed=arguments.seed,
            nodes=arguments.nodes,
            postgres=postgres,
            disk=root and postgres is None and shutil.which("mkfs.ext4") is not None,
            layer=compiler() is not None,
            calls=not arguments.graph,
            ways=WAYS if arguments.graph else (),
            kinds=arguments.only,
            pause=arguments.pause,
            longest=arguments.longest,
            seconds=arguments.minutes * 60,
            say=lambda line: print(line, flush=True),
        )
        opened.callback(running.close)
        document = running.run().as_document()
        bad = _is_bad(document)
        if bad:
            running.keep_logs(arguments.report)
    arguments.report.write_text(markdown(document))
    arguments.report.with_suffix(".json").write_text(json.dumps(document, indent=2) + "\n")
    print(markdown(document))
    print(f"report in {arguments.report}")
    return int(bad)


def _is_bad(document: Mapping[str, Any]) -> bool:
    calls = document["calls"] or {}
    ways = any(way["bad"] for way in document["ways"].values())
    return bool(ways or document["lost"] or calls.get("wrong") or calls.get("ran twice"))


if __name__ == "__main__":
    sys.exit(main())
