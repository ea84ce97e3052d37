import os
import pwd
import shutil
from pathlib import Path

import pytest

from lambent.sandbox.user_namespace import IdMap, find_id_map, helper_commands, user_namespaces_missing

NAME = pwd.getpwuid(os.getuid()).pw_name


@pytest.fixture
def etc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    return tmp_path


def with_ranges(etc: Path, uids: str, gids: str) -> IdMap:
    (etc / "subuid").write_text(uids)
    (etc / "subgid").write_text(gids)
    ids, reason = find_id_map(etc)
    assert (reason is None) is ids.helped
    return ids


def test_ones_own_range_with_oneself_as_its_root(etc: Path) -> None:
    ids = with_ranges(etc, f"other:1:9\n{NAME}:100000:65536\n", f"{NAME}:200000:65536\n")
    assert ids.uids == ((0, os.getuid(), 1), (1000, 100000, 65536))
    assert ids.gids == ((0, os.getgid(), 1), (1000, 200000, 65536))
    assert helper_commands(ids, 7) == [
        ["newuidmap", "7", "0", str(os.getuid()), "1", "1000", "100000", "65536"],
        ["newgidmap", "7", "0", str(os.getgid()), "1", "1000", "200000", "65536"],
    ]


def test_the_largest_of_several_by_name_or_number_and_no_more_than_both_have(etc: Path) -> None:
    uids = f"{NAME}:1:100\n{os.getuid()}:100000:3000000\n# nonsense\n{NAME}:x:y\n"
    ids = with_ranges(etc, uids, f"{NAME}:200000:5000\n")
    assert (ids.uids[-1], ids.gids[-1], ids.count) == ((1000, 100000, 5000), (1000, 200000, 5000), 5000)


@pytest.mark.parametrize(
    ("uids", "gids"),
    [("", ""), (f"{NAME}:100000:65536\n", ""), (f"{NAME}:100000:10\n", f"{NAME}:100000:65536\n")],
)
def test_without_a_range_there_is_one_id_and_the_reason(etc: Path, uids: str, gids: str) -> None:
    ids = with_ranges(etc, uids, gids)
    assert (ids.single, ids.uids, ids.gids) == (True, ((1000, os.getuid(), 1),), ((1000, os.getgid(), 1),))
    assert "usermod --add-subuids" in (find_id_map(etc)[1] or "")


def test_without_the_helpers_as_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    ids, reason = find_id_map(tmp_path)
    assert ids.single
    assert "apt-get install uidmap" in (reason or "")


@pytest.mark.parametrize(
    ("name", "value", "missing"),
    [
        ("user/max_user_namespaces", "0", True),
        ("user/max_user_namespaces", "96365", False),
        ("kernel/unprivileged_userns_clone", "0", True),
        ("kernel/unprivileged_userns_clone", "1", False),
        ("kernel/apparmor_restrict_unprivileged_userns", "1", True),
        ("kernel/apparmor_restrict_unprivileged_userns", "0", False),
    ],
)
def test_what_forbids_user_namespaces_is_named_with_its_remedy(
    tmp_path: Path, name: str, value: str, missing: bool
) -> None:
    assert user_namespaces_missing(tmp_path) is None
    setting = tmp_path / "sys" / name
    setting.parent.mkdir(parents=True)
    setting.write_text(f"{value}\n")
    reason = user_namespaces_missing(tmp_path)
    assert (reason is not None and "sudo sysctl" in reason) is missing
