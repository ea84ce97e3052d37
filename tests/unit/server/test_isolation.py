import os
import sys

import pytest

from lambent.server.isolation import IsolationUnavailableError, chosen_isolation


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch):
    def pretend(platform: str, uid: int) -> None:
        monkeypatch.setattr(sys, "platform", platform)
        monkeypatch.setattr(os, "geteuid", lambda: uid)

    return pretend


def test_root_has_namespaces(host) -> None:
    host("linux", 0)
    assert chosen_isolation("auto") == chosen_isolation("namespaces") == "namespaces"


@pytest.mark.parametrize("uid", [0, 501])
@pytest.mark.parametrize("wanted", ["auto", "namespaces", "userns"])
def test_elsewhere_than_on_linux_nothing_is_taken_but_by_its_name(host, wanted: str, uid: int) -> None:
    host("darwin", uid)
    with pytest.raises(IsolationUnavailableError, match="--isolation process"):
        chosen_isolation(wanted)
    assert chosen_isolation("process") == "process"


def test_other_users_do_not_get_namespaces(host) -> None:
    host("linux", 1000)
    with pytest.raises(IsolationUnavailableError, match="root"):
        chosen_isolation("namespaces")
