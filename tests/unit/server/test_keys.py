import stat

import pytest

from lambent.server.keys import KeysError, MasterKey, load_or_create_account_id, load_or_create_master_key


def test_a_master_key_is_made_once_and_for_its_owner_only(tmp_path):
    path = tmp_path / "master-key"
    key = load_or_create_master_key(path)
    assert len(key.secret) == 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_or_create_master_key(path) == key
    assert [file.name for file in tmp_path.iterdir()] == ["master-key"]


def test_two_installations_have_different_secrets(tmp_path):
    for name in "ab":
        (tmp_path / name).mkdir()
    one, other = (load_or_create_master_key(tmp_path / name / "key") for name in "ab")
    assert one != other


def test_what_an_interrupted_start_left_is_no_key(tmp_path):
    (tmp_path / "key.new").write_text("half")
    load_or_create_master_key(tmp_path / "key")
    assert not (tmp_path / "key.new").exists()


@pytest.mark.parametrize("content", ["", "00", "not hexadecimal", "é" * 64, "00" * 33])
def test_a_damaged_master_key_is_never_replaced_silently(tmp_path, content):
    path = tmp_path / "key"
    path.write_text(content)
    path.chmod(0o600)
    with pytest.raises(KeysError, match=r"key is damaged; restore it"):
        load_or_create_master_key(path)
    assert path.read_text() == content


def test_bytes_that_are_no_text_are_damage_too(tmp_path):
    path = tmp_path / "key"
    path.write_bytes(b"\xff\xfe")
    path.chmod(0o600)
    with pytest.raises(KeysError, match="damaged"):
        load_or_create_master_key(path)


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o602])
def test_secrets_that_others_may_read_are_refused(tmp_path, mode):
    path = tmp_path / "key"
    load_or_create_master_key(path)
    path.chmod(mode)
    with pytest.raises(KeysError, match="chmod 600"):
        load_or_create_master_key(path)


def test_keys_for_different_purposes_tell_nothing_of_each_other():
    key = MasterKey(b"\0" * 32)
    assert key.derive("sessions") == key.derive("sessions")
    assert len({key.derive("sessions"), key.derive("code downloads"), key.secret}) == 3
    assert MasterKey(b"\1" * 32).derive("sessions") != key.derive("sessions")


def test_an_account_has_twelve_digits_for_ever(tmp_path):
    path = tmp_path / "account-id"
    account_id = load_or_create_account_id(path)
    assert len(account_id) == 12
    assert account_id.isdigit()
    assert account_id[0] != "0"
    assert load_or_create_account_id(path) == account_id


@pytest.mark.parametrize("content", ["", "12345", "12345678901x", "１２３４５６７８９０１２"])  # noqa: RUF001 - full-width
def test_a_damaged_account_is_refused(tmp_path, content):
    path = tmp_path / "account-id"
    path.write_text(content)
    path.chmod(0o600)
    with pytest.raises(KeysError, match="12 digits"):
        load_or_create_account_id(path)
