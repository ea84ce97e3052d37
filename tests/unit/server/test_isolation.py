import os
import sys

import pytest

from lambent.sandbox import user_namespace
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


def test_other_users_have_user_namespaces_and_no_others(host, monkeypatch: pytest.MonkeyPatch) -> None:
    host("linux", 1000)
    monkeypatch.setattr(user_namespace, "user_namespaces_missing", lambda: None)
    assert chosen_isolation("auto") == chosen_isolation("userns") == "userns"
    with pytest.raises(IsolationUnavailableError, match="root"):
        chosen_isolation("namespaces")
    host("linux", 0)
    with pytest.raises(IsolationUnavailableError, match="stronger"):
        chosen_isolation("userns")


@pytest.mark.parametrize("wanted", ["auto", "userns"])
def test_where_they_are_forbidden_nothing_weaker_is_taken(
    host, monkeypatch: pytest.MonkeyPatch, wanted: str
) -> None:
    host("linux", 1000)
    monkeypatch.setattr(user_namespace, "user_namespaces_missing", lambda: "forbidden here: sudo sysctl x=1")
    with pytest.raises(IsolationUnavailableError, match="sudo sysctl x=1"):
        chosen_isolation(wanted)
