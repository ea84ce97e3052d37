"""`lambent doctor` on this host: it tries a real sandbox, and leaves nothing of it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from lambent.store.directory_lock import DataDirectoryLock

NOBODY = 65534
UID_BASE = 1_930_000_000 + os.getpid() % 10_000 * 10


def doctor(data_dir: Path) -> tuple[int, dict[str, object]]:
    arguments = ["--data-dir", str(data_dir), "--uid-base", str(UID_BASE), "--uid-count", "10"]
    ran = subprocess.run(
        [sys.executable, "-m", "lambent", "doctor", "--json", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return ran.returncode, json.loads(ran.stdout)


@pytest.mark.skipif(os.geteuid() != 0, reason="making sandboxes without root is not possible yet")
def test_a_sandbox_is_tried_and_nothing_is_left(tmp_path: Path) -> None:
    status, document = doctor(tmp_path)
    assert (status, document["healthy"]) == (0, True)
    trial = document["trial"]
    assert isinstance(trial, dict)
    assert trial["refusal"] is None
    held = {guarantee["aspect"]: guarantee["holds"] for guarantee in trial["isolation"]["guarantees"]}
    assert held["filesystem"] == held["privileges"] == held["memory"] == "yes"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="making sandboxes without root is not possible yet")
def test_without_the_right_to_mount_it_says_so_and_fails(tmp_path: Path) -> None:
    """Root of a container that keeps nothing of root but the name."""
    tmp_path.chmod(0o777)
    # Reading everything is left, so that the checkout may be anywhere.
    command = ["setpriv", "--reuid", str(NOBODY), "--clear-groups", "--inh-caps", "+dac_read_search"]
    command += ["--ambient-caps", "+dac_read_search", sys.executable, "-m", "lambent", "doctor", "--json"]
    ran = subprocess.run(
        [*command, "--data-dir", str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
    )
    assert ran.returncode == 1, ran.stderr
    document = json.loads(ran.stdout)
    assert "needs root" in document["trial"]["refusal"]
    assert {"missing": f"root: running as uid {NOBODY}", "mend": "sudo lambent start"} in document["wants"]


def test_a_running_server_is_named_and_not_disturbed(tmp_path: Path) -> None:
    lock = DataDirectoryLock(tmp_path)
    assert lock.holder() is None
    lock.acquire()
    try:
        _, document = doctor(tmp_path)
        data = document["data"]
        assert isinstance(data, dict)
        assert data["server_pid"] == os.getpid()
    finally:
        lock.release()
    assert lock.holder() is None
