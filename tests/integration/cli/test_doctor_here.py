"""`lambent doctor` on this host: it tries a real sandbox, and leaves nothing of it."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from unprivileged import as_user

from lambent.store.directory_lock import DataDirectoryLock

UID_BASE = 1_930_000_000 + os.getpid() % 10_000 * 10


def doctor(data_dir: Path, *more: str) -> tuple[int, dict[str, object]]:
    arguments = ["--data-dir", str(data_dir), "--uid-base", str(UID_BASE), "--uid-count", "10", *more]
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


@pytest.mark.skipif(os.geteuid() != 0, reason="becoming another user takes root")
def test_another_user_than_root_has_user_namespaces() -> None:
    user = 1_394_000_000 + os.getpid()
    with tempfile.TemporaryDirectory(prefix="lambent-") as directory:
        os.chown(directory, user, user)
        command = [*as_user(user, subordinate=user + 1), sys.executable, "-m", "lambent", "doctor", "--json"]
        ran = subprocess.run(
            [*command, "--data-dir", directory], capture_output=True, text=True, timeout=60, check=False
        )
        assert list(Path(directory).iterdir()) == []
    assert ran.returncode == 0, ran.stderr
    document = json.loads(ran.stdout)
    assert document["trial"]["isolation"]["backend"] == "userns"
    assert document["trial"]["refusal"] is None
    assert {check["name"]: check["ok"] for check in document["checks"]}["sandbox users"]


def test_what_is_not_isolated_is_said_to_be(tmp_path: Path) -> None:
    status, document = doctor(tmp_path, "--isolation", "process")
    trial = document["trial"]
    assert isinstance(trial, dict)
    held = {guarantee["aspect"]: guarantee["holds"] for guarantee in trial["isolation"]["guarantees"]}
    assert (status, held["filesystem"], held["network"]) == (0, "no", "no")
    assert any("not isolated" in missing for missing in trial["isolation"]["missing"])


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
