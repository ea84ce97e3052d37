import stat
from concurrent.futures import ThreadPoolExecutor

import pytest

from lambent.api.root_key import RootKeyError, load_or_create_root_key


def test_it_is_made_once_and_read_back(tmp_path):
    path = tmp_path / "root-key.json"
    key = load_or_create_root_key(path)
    assert key.access_key_id.startswith("AKIA")
    assert len(key.access_key_id) == 20
    assert len(key.secret_access_key) == 40
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_or_create_root_key(path) == key
    assert list(tmp_path.iterdir()) == [path]


def test_servers_that_start_at_once_agree(tmp_path):
    path = tmp_path / "root-key.json"
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: load_or_create_root_key(path), range(32)))
    assert len(keys) == 1
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_others_can_read_is_refused(tmp_path):
    path = tmp_path / "root-key.json"
    load_or_create_root_key(path)
    path.chmod(0o640)
    with pytest.raises(RootKeyError, match="chmod 600"):
        load_or_create_root_key(path)


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[1]", b"\x00\xff", b'{"access_key_id": 1, "secret_access_key": "s"}']
)
def test_a_damaged_file_is_not_replaced(tmp_path, content):
    path = tmp_path / "root-key.json"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(RootKeyError, match="remove it"):
        load_or_create_root_key(path)
    assert path.read_bytes() == content
