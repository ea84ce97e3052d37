"""For every test: no test is skipped for a reason that nobody expected, none fails because it took its time, and no
server survives a run that is ended from outside."""

import os
import re
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

if TYPE_CHECKING:
    from postgres_server import PostgresServer

sys.path.insert(0, str(Path(__file__).parent / "support"))

# Hundreds of servers and commands are started: each would compile all of this project anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# As Ctrl-C: fixtures end what they have started.
signal.signal(signal.SIGTERM, signal.default_int_handler)

EXPECTED_SKIPS = (
    r"callbacks go on up to Node\.js 22",
    r"Node\.js 24 ended callbacks",
    r"no Python here that AWS offers SnapStart for",
    r"no (Node\.js|Java|Go|Ruby|Rust) here",
    r"(pip|npm) cannot fetch (awslambdaric|Pillow|the durable execution SDK)",
    r"go cannot fetch aws-lambda-go|cargo cannot fetch lambda_runtime",
    r"there is no /usr/bin/python3|the custom runtime is a /usr/bin/python3 script",
    r"see test_event_stream\.py",
    r"no PostgreSQL here",
    r"copies of a process take root",
    r"there is no skopeo here",
    r"there is no C compiler here",
    r"no \.NET here|pip cannot fetch \.NET",
)
"""The reasons for which a test may not run here. Any other skip fails the run."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and isinstance(report.longrepr, tuple):
        reason = report.longrepr[2].removeprefix("Skipped: ")
        if not any(re.match(expected, reason) for expected in EXPECTED_SKIPS):
            report.outcome = "failed"
            report.longrepr = f"{item.nodeid} was skipped for a reason nobody expected: {reason}"
    return report


@pytest.fixture(scope="session")
def postgres_server() -> Iterator["PostgresServer"]:
    """One for the whole run."""
    from postgres_server import new_postgres_server, programs

    found = programs()
    if found is None:
        pytest.skip("no PostgreSQL here: apt-get install postgresql")
    with new_postgres_server(found) as server:
        yield server
