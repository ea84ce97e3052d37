"""`./dev faults`: events through nodes that are killed and stopped all the time, each of them accounted for."""

import argparse
import json
import os
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))


def main() -> int:
    parser = argparse.ArgumentParser(prog="./dev faults", description=__doc__)
    parser.add_argument("--events", type=int, default=10_000)
    parser.add_argument("--nodes", type=int, default=2, choices=range(2, 6))
    parser.add_argument(
        "--seed", type=int, default=int.from_bytes(os.urandom(3)), help="of the schedule of faults"
    )
    parser.add_argument("--pause", type=float, default=3.0, help="seconds between two faults, about")
    parser.add_argument(
        "--database", help="as for `lambent start`; default: a SQLite file that all nodes share"
    )
    parser.add_argument(
        "--postgres", action="store_true", help="on a PostgreSQL of its own, which is killed, too"
    )
    parser.add_argument("--report", type=Path, default=Path("faults.json"))
    arguments = parser.parse_args()
    from fault_run import FaultRun  # noqa: PLC0415 - found by the path above

    print(f"seed {arguments.seed}: the same again with --seed {arguments.seed}")
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
            events=arguments.events,
            seed=arguments.seed,
            nodes=arguments.nodes,
            database=arguments.database,
            postgres=postgres,
            pause=arguments.pause,
        )
        try:
            document = running.run().as_document()
        finally:
            running.close()
    arguments.report.write_text(json.dumps(document, indent=2) + "\n")
    print(json.dumps(document, indent=2))
    print(f"report in {arguments.report}")
    return 1 if document["lost"] else 0


if __name__ == "__main__":
    sys.exit(main())
