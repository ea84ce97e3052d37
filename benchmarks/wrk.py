"""Load by wrk: one thread of C, so that on a small machine the load costs less than what it measures."""

import json
import shutil
import subprocess
import tempfile
from dataclasses import dataclass

from benchmarks.requests import Target

_REPORT = """
done = function(summary, latency, requests)
  local e = summary.errors
  local failed = e.status + e.connect + e.read + e.write + e.timeout
  io.write(string.format('\\nREPORT {"requests": %d, "microseconds": %d, ', summary.requests, summary.duration))
  io.write(string.format('"failed": %d, "p99_us": %d}\\n', failed, latency:percentile(99)))
end
"""


class WrkMissingError(Exception):
    """wrk is not installed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What one run of wrk saw."""

    requests: int
    failed: int
    microseconds: int
    p99_us: int

    @property
    def per_second(self) -> float:
        return (self.requests - self.failed) / self.microseconds * 1e6


def require_wrk() -> None:
    if shutil.which("wrk") is None:
        raise WrkMissingError("the load comes from wrk, which is not installed: apt-get install wrk")


def load(target: Target, clients: int, seconds: float) -> Load:
    """Invokes the target over `clients` connections, each with one request at a time."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(_script(target))
        script.flush()
        whole_seconds = max(1, round(seconds))
        options = ["-t1", f"-c{clients}", f"-d{whole_seconds}s", "--timeout", "30s", "-s", script.name]
        ran = subprocess.run(
            ["wrk", *options, target.endpoint + target.path], capture_output=True, text=True, check=True
        )
    if "REPORT" not in ran.stdout:
        raise RuntimeError(f"wrk does not report: {ran.stdout} {ran.stderr}")
    return Load(**json.loads(ran.stdout.partition("\nREPORT ")[2]))


def _script(target: Target) -> str:
    headers = "".join(f"wrk.headers[ {_lua(n)} ] = {_lua(v)}\n" for n, v in target.signed_headers().items())
    return f'wrk.method = "POST"\nwrk.body = {_lua(target.event.decode())}\n{headers}{_REPORT}'


def _lua(text: str) -> str:
    assert "]==]" not in text
    return f"[==[{text}]==]"
