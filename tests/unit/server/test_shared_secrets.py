import pytest

from lambent.server.keys import KeysError
from lambent.server.shared_secrets import SharedSecrets


class MemorySecrets:
    def __init__(self):
        self.sealed = {}

    async def get(self, name):
        return self.sealed.get(name)

    async def put_first(self, name, sealed):
        return self.sealed.setdefault(name, sealed)

    async def replace(self, name, sealed):
        self.sealed[name] = sealed


@pytest.fixture
def store():
    return MemorySecrets()


@pytest.fixture
def node(store, tmp_path):
    def made(name, key=b"k" * 32, *, anew=False):
        directory = tmp_path / name
        directory.mkdir(exist_ok=True)
        return SharedSecrets(store, key, directory, anew=anew)

    return made


async def settle(secrets, directory, content):
    path = directory / "root-key.json"
    await secrets.settle_file(path, lambda: path.exists() or path.write_text(content))
    return path.read_text()


async def test_the_first_node_makes_it_for_all(node, store):
    assert await node("a").get("ca", lambda: b"one") == b"one"
    assert await node("b").get("ca", lambda: b"two") == b"one"
    assert b"one" not in store.sealed["ca"]


async def test_a_file_is_written_where_another_node_has_made_it(node, tmp_path):
    assert await settle(node("a"), tmp_path / "a", "key of a") == "key of a"
    assert await settle(node("b"), tmp_path / "b", "never made") == "key of a"
    assert (tmp_path / "b/root-key.json").stat().st_mode & 0o777 == 0o600


async def test_what_an_older_server_left_in_a_file_is_taken(node, tmp_path):
    secrets = node("a")
    (tmp_path / "a/sns.pem").write_bytes(b"old")
    assert await secrets.get("sns.pem", lambda: b"new") == b"old"


async def test_another_file_than_the_databases_is_refused_and_left_alone(node, tmp_path):
    await settle(node("a"), tmp_path / "a", "key of a")
    secrets = node("b")
    (tmp_path / "b/root-key.json").write_text("key of b")
    with pytest.raises(KeysError, match=r"root-key.json is not the one of this database"):
        await settle(secrets, tmp_path / "b", "")
    assert (tmp_path / "b/root-key.json").read_text() == "key of b"
    assert await settle(node("b", anew=True), tmp_path / "b", "") == "key of b"
    with pytest.raises(KeysError):
        await settle(node("a"), tmp_path / "a", "")


async def test_another_master_key_is_refused(node):
    await node("a").get("ca", lambda: b"one")
    stranger = node("b", b"x" * 32)
    with pytest.raises(KeysError, match="copy that of another node"):
        await stranger.get("ca", lambda: b"two")
    assert await node("b", b"x" * 32, anew=True).get("ca", lambda: b"two") == b"two"
    with pytest.raises(KeysError):
        await node("a").get("ca", lambda: b"one")
