import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.base.clock import ManualClock
from lambent.model.role import Role
from lambent.services.sts.access_key_id import account_in, temporary_access_key_id
from lambent.services.sts.sessions import SessionTokens

KEY = bytes(range(32))
ROLE = Role(
    account_id="000000000012",
    name="worker",
    path="/x/",
    id="AROAABCDEFGHIJKLMNOPQ",
    trust_policy="{}",
    created_at=0.0,
)


@pytest.fixture
def sessions(clock):
    return SessionTokens(KEY, clock)


def test_a_credential_is_as_aws_makes_them(sessions, clock):
    credential = sessions.issue(ROLE, "hello", 900)
    assert re.fullmatch(r"ASIA[A-Z2-7]{16}", credential.access_key_id)
    assert re.fullmatch(r"[A-Za-z0-9+/]{40}", credential.secret_access_key)
    assert credential.expires_at == clock.now() + 900
    assert credential.principal_arn == "arn:aws:sts::000000000012:assumed-role/worker/hello"
    assert credential.role_arn == "arn:aws:iam::000000000012:role/x/worker"
    assert credential.user_id == "AROAABCDEFGHIJKLMNOPQ:hello"
    assert credential.account_id == account_in(credential.access_key_id) == "000000000012"
    assert len(credential.session_token) < 300


def test_another_server_with_the_same_key_finds_it(sessions, clock):
    credential = sessions.issue(ROLE, "hello", 900, session_policies=("a", "b"), partition="aws-cn")
    other = SessionTokens(KEY, clock)
    for _ in range(2):  # from the token, then from memory
        assert other.find(credential.access_key_id, credential.session_token) == credential
    assert credential.session_policies == ("a", "b")
    assert credential.role_arn.startswith("arn:aws-cn:")


def test_an_expired_one_is_still_found(sessions, clock):
    credential = sessions.issue(ROLE, "hello", 900)
    clock.advance(901)
    found = sessions.find(credential.access_key_id, credential.session_token)
    assert found == credential and found.expires_at < clock.now()


def test_credentials_differ_from_one_issue_to_the_next(sessions):
    one, two = (sessions.issue(ROLE, "hello", 900) for _ in range(2))
    assert one.access_key_id != two.access_key_id
    assert one.secret_access_key != two.secret_access_key
    assert sessions.find(one.access_key_id, two.session_token) is None


def test_a_root_session(sessions, root):
    credential = sessions.issue_own(replace(root, account_id="000000000012"), 900)
    assert credential.principal_arn == "arn:aws:iam::000000000012:root"
    assert credential.user_id == "000000000012"
    assert credential.role_arn is None
    assert sessions.find(credential.access_key_id, credential.session_token) == credential


def test_a_session_of_a_user(sessions, root):
    arn = "arn:aws:iam::000000000012:user/a/b/ann"
    user = replace(root, account_id="000000000012", principal_arn=arn, user_id="AIDAEXAMPLE")
    credential = sessions.issue_own(user, 900)
    assert (credential.principal_arn, credential.user_id) == (arn, "AIDAEXAMPLE")
    assert credential.role_arn is None
    assert sessions.find(credential.access_key_id, credential.session_token) == credential
    pathless = replace(user, principal_arn="arn:aws:iam::000000000012:user/ann")
    assert sessions.issue_own(pathless, 900).principal_arn == pathless.principal_arn


def test_a_token_of_another_key_is_none(sessions, clock):
    credential = SessionTokens(bytes(32), clock).issue(ROLE, "hello", 900)
    assert sessions.find(credential.access_key_id, credential.session_token) is None


def test_no_token_and_no_known_key_is_none(sessions):
    credential = sessions.issue(ROLE, "hello", 900)
    assert sessions.find(credential.access_key_id, None) is None
    assert sessions.find("AKIAIOSFODNN7EXAMPLE", credential.session_token) is None
    assert sessions.find("ASIÄ", credential.session_token) is None


@given(position=st.integers(min_value=0), replacement=st.characters())
def test_no_changed_token_is_taken(position, replacement):
    sessions = SessionTokens(KEY, ManualClock())
    credential = sessions.issue(ROLE, "hello", 900)
    token = credential.session_token
    at = position % len(token)
    changed = token[:at] + replacement + token[at + 1 :]
    found = sessions.find(credential.access_key_id, changed)
    assert found is None or changed == token


@given(st.text())
def test_no_text_is_taken_for_a_token(text):
    sessions = SessionTokens(KEY, ManualClock())
    assert sessions.find("ASIAIOSFODNN7EXAMPLE", text) is None
    assert sessions.find(text, text) is None


@pytest.mark.parametrize("size", [0, 300, 1000, 4096])
def test_a_token_is_as_long_as_it_is_asked_to_be(sessions, size):
    credential = sessions.issue(ROLE, "hello", 900, minimum_token_size=size)
    assert len(credential.session_token) >= size
    assert sessions.find(credential.access_key_id, credential.session_token) == credential


def test_memory_is_bounded(sessions, monkeypatch):
    monkeypatch.setattr("lambent.services.sts.sessions._MAX_REMEMBERED", 3)
    credentials = [sessions.issue(ROLE, str(number), 900) for number in range(10)]
    for credential in credentials * 2:
        assert sessions.find(credential.access_key_id, credential.session_token) == credential
    assert len(sessions._remembered) == 3


def test_a_short_master_key_is_refused(clock):
    with pytest.raises(ValueError, match="at least 32 bytes"):
        SessionTokens(b"short", clock)


@given(account=st.integers(min_value=0, max_value=10**12 - 1), entropy=st.binary(min_size=5, max_size=5))
def test_access_key_ids_contain_their_account(account, entropy):
    assert account_in(temporary_access_key_id(f"{account:012}", entropy)) == f"{account:012}"


def test_the_account_in_an_access_key_id_of_aws():
    """An id whose account was published: https://hackingthe.cloud/aws/enumeration/get-account-id-from-keys/"""
    assert account_in("ASIAQNZGKIQY56JQ7WML") == "029608264753"
    assert account_in("AKIA0189") is None
    assert account_in("AKIA" + "1" * 16) is None


def test_the_role_of_a_session_may_have_the_longest_names(sessions):
    role = replace(ROLE, name="n" * 64, path="/" + "p" * 510 + "/")
    credential = sessions.issue(role, "s" * 64, 43200)
    assert sessions.find(credential.access_key_id, credential.session_token) == credential
