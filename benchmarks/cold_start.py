"""Cold starts of hello functions, request to response through HTTP, beside a bare start of the same interpreter.

Run: ./dev bench cold_start [--samples 40] [--only python nodejs …]

Each cold start is the first invocation of a version that nothing has run before, over a kept connection, with a
request signed beforehand. In between, the floor is spawned and waited for: the bare interpreter, and for a function
that builds a boto3 client a new interpreter that does the same. AWS's figure, of a public daily benchmark in summer
2026, is its median Init Duration, without placement and download.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.deployment import NODE_HELLO, PYTHON_HELLO, Deployment, deployment
from benchmarks.requests import KeptConnection
from lambent.config import search_path
from lambent.runtimes.java_client import find_client
from lambent.runtimes.registry import RuntimeRegistry

_RESTOCK_SECONDS = 0.3
_RESTOCK_JAVA_SECONDS = 2.0
"""Between two samples: what a blank takes to be made, several times over, so that one is there."""
_LOGS_SECONDS = 2.0
_BOTO3 = b"""\
import boto3
client = boto3.client("sqs", region_name="us-east-1")

def handler(event, context):
    return {"hello": event["name"]}
"""
_GO = """\
package main

import (
\t"net/http"
\t"os"
\t"strings"
)

func main() {
\tapi := "http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API") + "/2018-06-01/runtime/invocation/"
\tfor {
\t\tnext, err := http.Get(api + "next")
\t\tif err != nil {
\t\t\tpanic(err)
\t\t}
\t\tid := next.Header.Get("Lambda-Runtime-Aws-Request-Id")
\t\tnext.Body.Close()
\t\tanswer, err := http.Post(api+id+"/response", "application/json", strings.NewReader(`{"hello": "go"}`))
\t\tif err != nil {
\t\t\tpanic(err)
\t\t}
\t\tanswer.Body.Close()
\t}
}
"""
"""Like aws-lambda-go in what it does, without fetching anything."""
_RUBY = b"""\
def handler(event:, context:)
  { hello: event["name"] }
end
"""
_JAVA = """\
package app;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestHandler;
import java.util.Collections;
import java.util.Map;

public class handler implements RequestHandler<Map<String, Object>, Map<String, Object>> {
    public Map<String, Object> handleRequest(Map<String, Object> event, Context context) {
        return Collections.singletonMap("hello", event.get("name"));
    }
}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """`floor` is a command; the wanted figures are milliseconds, and times the floor."""

    name: str
    runtime: str
    files: Mapping[str, bytes]
    floor: tuple[str, ...] = ()
    aws_ms: int | None = None
    median_most: float | None = None
    p99_most: float | None = None
    ratio_most: float | None = None
    restock_seconds: float = _RESTOCK_SECONDS


@dataclass(slots=True, kw_only=True)
class Samples:
    """Milliseconds."""

    cold: list[float] = field(default_factory=list)
    floor: list[float] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        return statistics.median(self.cold) / statistics.median(self.floor) if self.floor else 0.0


def measure(deployed: Deployment, contender: Contender, samples: int) -> Samples:
    name = f"cold-{contender.name}"
    target = deployed.create(name, contender.files, contender.runtime)
    connection = KeptConnection(target)
    connection.send(
        target.signed_request()
    )  # what the server does for the first time ever is not a cold start
    taken = Samples()
    for number in range(samples):
        deployed.functions.update_function_configuration(FunctionName=name, Description=f"sample {number}")
        deployed.wait_updated(name)
        time.sleep(contender.restock_seconds)
        if contender.floor:
            taken.floor.append(_milliseconds_of(contender.floor))
        request = target.signed_request()
        began = time.perf_counter()
        connection.send(request)
        taken.cold.append((time.perf_counter() - began) * 1000)
    connection.close()
    time.sleep(_LOGS_SECONDS)
    streams = deployed.count_log_streams(name)
    assert streams == samples + 1, f"{samples} cold starts made {streams} environments"
    return taken


def _milliseconds_of(command: tuple[str, ...]) -> float:
    began = time.perf_counter()
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return (time.perf_counter() - began) * 1000


def contenders() -> Iterator[Contender]:
    """Those that this host can run: Python as new as ours, the newest Node.js, Ruby, Java, and a Go binary as a custom
    runtime."""
    registry = RuntimeRegistry(search_path=search_path(), home=Path.home())
    installed = registry.installed_identifiers()
    python = registry.get(f"python3.{sys.version_info.minor}")
    if python is not None and python.interpreter is not None:
        interpreter = str(python.interpreter)
        bare = (interpreter, "-I", "-S", "-c", "pass")
        yield Contender(
            name="python", runtime=python.identifier, files=PYTHON_HELLO, floor=bare, aws_ms=84,
            median_most=5, p99_most=15, ratio_most=0.5,
        )  # fmt: skip
        fresh = (sys.executable, "-c", _BOTO3.decode())
        yield Contender(
            name="boto3", runtime=python.identifier, files={"app.py": _BOTO3}, floor=fresh, ratio_most=0.15
        )
    nodejs = sorted(name for name in installed if name.startswith("nodejs"))
    node = registry.get(nodejs[-1]) if nodejs else None
    if node is not None and node.interpreter is not None:
        bare = (str(node.interpreter), "-e", "0")
        yield Contender(
            name="nodejs", runtime=node.identifier, files=NODE_HELLO, floor=bare, aws_ms=140,
            median_most=5, ratio_most=0.3,
        )  # fmt: skip
    yield from _ruby(registry)
    yield from _java(registry)
    if (go := shutil.which("go") or shutil.which("go", path="/usr/local/go/bin")) is not None:
        yield Contender(
            name="go",
            runtime="provided.al2023",
            files={"bootstrap": _compiled(go)},
            aws_ms=50,
            median_most=10,
        )


def _ruby(registry: RuntimeRegistry) -> Iterator[Contender]:
    names = [name for name in registry.installed_identifiers() if name.startswith("ruby")]
    install = registry.get(names[-1]) if names else None
    if install is not None and install.interpreter is not None:
        bare = (str(install.interpreter), "-e", "0")
        yield Contender(
            name="ruby", runtime=install.identifier, files={"app.rb": _RUBY}, floor=bare, aws_ms=224,
            median_most=15,
        )  # fmt: skip


def _java(registry: RuntimeRegistry) -> Iterator[Contender]:
    """Where there is a compiler, and AWS's runtime interface client in Maven's repository."""
    names = [name for name in registry.installed_identifiers() if name.startswith("java")]
    install, client = registry.get(names[-1]) if names else None, find_client(Path.home())
    compiler = shutil.which("javac")
    if install is None or install.interpreter is None or client is None or compiler is None:
        return
    with tempfile.TemporaryDirectory() as directory:
        source = Path(directory, "handler.java")
        source.write_text(_JAVA)
        command = [compiler, "-cp", ":".join(map(str, client.jars)), "-d", directory, str(source)]
        subprocess.run(command, check=True)
        files = {"app/handler.class": Path(directory, "app/handler.class").read_bytes()}
    yield Contender(
        name="java", runtime=install.identifier, files=files, floor=(str(install.interpreter), "-version"),
        aws_ms=215, median_most=40, restock_seconds=_RESTOCK_JAVA_SECONDS,
    )  # fmt: skip


def _compiled(go: str) -> bytes:
    with tempfile.TemporaryDirectory() as directory:
        source, binary = Path(directory, "main.go"), Path(directory, "bootstrap")
        source.write_text(_GO)
        command = [go, "build", "-ldflags=-s -w", "-o", str(binary), str(source)]
        subprocess.run(command, check=True, env={**os.environ, "CGO_ENABLED": "0", "GOFLAGS": ""})
        return binary.read_bytes()


def show(contender: Contender, stock: str, samples: Samples) -> bool:
    """Without stock there is no target: it is what one pays who asks more often than blanks are made."""
    aws = f"; AWS: Init of {contender.aws_ms} ms" if contender.aws_ms else ""
    print(f"\n{contender.name} ({contender.runtime}), {stock} blanks in stock{aws}")
    for name, values in (("cold start", samples.cold), ("floor", samples.floor)):
        if not values:
            continue
        ordered = sorted(values)
        median, p90, p99 = statistics.median(ordered), _quantile(ordered, 0.9), _quantile(ordered, 0.99)
        print(f"  {name:<10} {ordered[0]:7.1f} lowest {median:7.1f} median {p90:7.1f} p90 {p99:7.1f} p99 ms")
    cold = sorted(samples.cold)
    wanted = (
        (f"{samples.ratio:.2f} x the floor", samples.ratio, contender.ratio_most),
        ("median", statistics.median(cold), contender.median_most),
        ("p99", _quantile(cold, 0.99), contender.p99_most),
    )
    held = True
    for what, value, most in wanted:
        if most is not None and stock != "0":
            held &= value <= most
            print(f"  {'ok' if value <= most else 'MISS'}: {what} (wanted: at most {most:g})")
    return held


def _quantile(ordered: list[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--samples", type=int, default=40)
    parser.add_argument("--only", nargs="*", default=[])
    arguments = parser.parse_args()
    wanted = [one for one in contenders() if not arguments.only or one.name in arguments.only]
    held = True
    for stock in ("2", "0"):
        with deployment("--blanks-per-runtime", stock) as deployed:
            for contender in wanted:
                samples = measure(deployed, contender, arguments.samples)
                held &= show(contender, stock, samples)
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
