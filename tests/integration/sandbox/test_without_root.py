"""The suites of sandboxes, run by an ordinary user: what the `userns` backend keeps, and what it says it does not."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from lambent_server import eventually
from sandboxes import AS_USER
from unprivileged import IDS, as_user

TESTS = Path(__file__).parents[2]
SUITES = ["contract/sandbox", "security/sandbox", "integration/sandbox/test_nothing_survives.py"]
USER = 1_300_000_000 + os.getpid() % 400 * 200_000

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="becoming another user takes root")


@pytest.fixture
def directory() -> Iterator[Path]:
    # Not where pytest has its own: that is root's alone.
    made = Path(tempfile.mkdtemp(prefix="lambent-"))
    os.chown(made, USER, USER)
    yield made
    shutil.rmtree(made)


@pytest.mark.parametrize("subordinate", [USER + 1, 0], ids=["with /etc/subuid", "with one user id"])
def test_every_suite_passes(directory: Path, subordinate: int) -> None:
    suites = [str(TESTS / suite) for suite in SUITES]
    if not subordinate:
        suites = [
            str(TESTS / suite) for suite in ("contract/sandbox/test_sandbox_limits.py", "security/sandbox")
        ]
    ran = subprocess.run(
        [
            *as_user(USER, subordinate=subordinate),
            *(sys.executable, "-m", "pytest", "-q", f"--basetemp={directory}/pytest", *suites),
        ],
        cwd=TESTS.parent,
        env=os.environ | {AS_USER: "1"},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout[-6000:] + ran.stderr[-2000:]
    eventually(lambda: not still_there())


def still_there() -> list[Path]:
    """What is killed is gone a moment later, when whoever has become its parent has reaped it."""
    return [process for process in Path("/proc").glob("[0-9]*") if USER <= uid_of(process) <= USER + IDS]


def uid_of(process: Path) -> int:
    try:
        return process.stat().st_uid
    except OSError:
        return -1
