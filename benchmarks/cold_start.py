"""Cold starts of hello functions, request to response through HTTP, beside a bare start of the same interpreter.

Run: ./dev bench cold_start [--samples 40]

Each cold start is the first invocation of a version that nothing has run before, over a kept connection, with a
request signed beforehand. In between, the bare interpreter is spawned and waited for.
"""

import argparse
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.deployment import NODE_HELLO, PYTHON_HELLO, Deployment, deployment
from benchmarks.requests import KeptConnection
from lambent.config import search_path
from lambent.runtimes.install import RuntimeInstall
from lambent.runtimes.registry import RuntimeRegistry

_RESTOCK_SECONDS = 0.3
"""Between two samples: what a blank takes to be made, several times over, so that one is there."""
_LOGS_SECONDS = 2.0
_TIMES_FLOOR_MOST = 3.0
_FLOOR_ARGUMENTS = {"python": ("-I", "-S", "-c", "pass"), "nodejs": ("-e", "0")}


@dataclass(slots=True, kw_only=True)
class Samples:
    """Milliseconds."""

    cold: list[float] = field(default_factory=list)
    floor: list[float] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        return statistics.median(self.cold) / statistics.median(self.floor)


def measure(deployed: Deployment, install: RuntimeInstall, samples: int) -> Samples:
    family = "python" if install.identifier.startswith("python") else "nodejs"
    files = PYTHON_HELLO if family == "python" else NODE_HELLO
    assert install.interpreter is not None
    floor = [str(install.interpreter), *_FLOOR_ARGUMENTS[family]]
    name = f"cold-{family}"
    target = deployed.create(name, files, install.identifier)
    connection = KeptConnection(target)
    connection.send(
        target.signed_request()
    )  # what the server does for the first time ever is not a cold start
    taken = Samples()
    for number in range(samples):
        deployed.functions.update_function_configuration(FunctionName=name, Description=f"sample {number}")
        deployed.functions.get_waiter("function_updated_v2").wait(
            FunctionName=name, WaiterConfig={"Delay": 1}
        )
        time.sleep(_RESTOCK_SECONDS)
        taken.floor.append(_milliseconds_of(floor))
        request = target.signed_request()
        began = time.perf_counter()
        connection.send(request)
        taken.cold.append((time.perf_counter() - began) * 1000)
    connection.close()
    time.sleep(_LOGS_SECONDS)
    streams = deployed.count_log_streams(name)
    assert streams == samples + 1, f"{samples} cold starts made {streams} environments"
    return taken


def _milliseconds_of(command: list[str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    return (time.perf_counter() - began) * 1000


def find_installs() -> list[RuntimeInstall]:
    """Python as new as ours, and the newest Node.js, by what the server itself would run."""
    registry = RuntimeRegistry(search_path=search_path(), home=Path.home())
    nodejs = sorted(name for name in registry.installed_identifiers() if name.startswith("nodejs"))
    wanted = [f"python3.{sys.version_info.minor}", *nodejs[-1:]]
    return [install for name in wanted if (install := registry.get(name)) is not None]


def show(title: str, samples: Samples) -> bool:
    print(f"\n{title}")
    for name, values in (("cold start", samples.cold), ("bare interpreter", samples.floor)):
        ordered = sorted(values)
        p90 = ordered[int(len(ordered) * 0.9)]
        print(
            f"  {name:<18} {ordered[0]:7.1f} lowest {statistics.median(ordered):7.1f} median {p90:7.1f} p90 ms"
        )
    holds = samples.ratio <= _TIMES_FLOOR_MOST
    verdict = "ok" if holds else "MISS"
    print(f"  {verdict}: {samples.ratio:.2f} x the bare interpreter (wanted: at most {_TIMES_FLOOR_MOST:g})")
    return holds


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--samples", type=int, default=40)
    arguments = parser.parse_args()
    installs = find_installs()
    held = True
    for stock in ("2", "0"):
        with deployment("--blanks-per-runtime", stock) as deployed:
            for install in installs:
                samples = measure(deployed, install, arguments.samples)
                title = f"{install.identifier}, {stock} blanks in stock"
                # Without stock there is no target: it is what one pays who asks more often than blanks are made.
                held &= show(title, samples) or stock == "0"
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
