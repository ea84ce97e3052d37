import asyncio
import errno
import hashlib
import io
import os
import stat
import warnings
from base64 import b64encode
from contextlib import suppress
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lambent.artifacts import store as store_module
from lambent.artifacts.archive import extract
from lambent.artifacts.errors import (
    ArchiveError,
    ArtifactInUseError,
    ArtifactNotFoundError,
    ArtifactStoreFullError,
    NotAZipError,
    UnsafeEntryError,
    UnzippedTooLargeError,
)
from lambent.artifacts.store import ArtifactStore
from lambent.base.clock import ManualClock


def info(name: str, mode: int = stat.S_IFREG | 0o644) -> ZipInfo:
    made = ZipInfo(name)
    made.create_system = 3
    made.external_attr = mode << 16
    made.compress_type = ZIP_DEFLATED
    return made


def zip_of(*files: tuple[ZipInfo | str, bytes]) -> bytes:
    target = io.BytesIO()
    with ZipFile(target, "w", ZIP_DEFLATED) as archive, warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", UserWarning
        )  # of two files with one name, which is what some tests want
        for name, data in files:
            archive.writestr(name if isinstance(name, ZipInfo) else info(name), data)
    return target.getvalue()


def contents(tree: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(tree)): path.read_bytes() for path in sorted(tree.rglob("*")) if path.is_file()
    }


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def store(tmp_path: Path, clock: ManualClock) -> ArtifactStore:
    made = ArtifactStore(tmp_path / "artifacts", clock=clock)
    await made.open()
    return made


async def put(store: ArtifactStore, *files: tuple[ZipInfo | str, bytes]) -> str:
    return (await store.put(zip_of(*files))).digest


def half_made(store: ArtifactStore) -> list[Path]:
    return list((store.path("0" * 64).parent.parent / "temporary").iterdir())


async def test_what_was_put_is_fetched_and_named_by_its_content(store):
    data = zip_of(("app.py", b"1"))
    reference = await store.put(data)
    assert reference.digest == hashlib.sha256(data).hexdigest()
    assert reference.sha256 == b64encode(hashlib.sha256(data).digest()).decode()
    assert reference.size == len(data)
    assert await store.get(reference.digest) == data
    assert await asyncio.gather(*(store.put(data) for _ in range(5))) == [reference] * 5
    assert await store.digests() == [reference.digest]
    assert half_made(store) == []


async def test_a_digest_cannot_name_another_path(store):
    for digest in ("../../etc/passwd", "", "0" * 63, "A" * 64, "0" * 64):
        with pytest.raises(ArtifactNotFoundError):
            await store.get(digest)
        with pytest.raises(ArtifactNotFoundError):
            await store.unpack(digest)
    with pytest.raises(ArtifactNotFoundError):
        await store.verify("0" * 64)


async def test_verify_notices_what_changed_on_disk_and_put_mends_a_short_file(store):
    data = zip_of(("a", b"1"))
    digest = (await store.put(data)).digest
    assert await store.verify(digest)
    store.path(digest).write_bytes(data[:-1])
    assert not await store.verify(digest)
    await store.put(data)
    assert await store.verify(digest)


async def test_a_tree_has_the_files_with_the_modes_lambda_gives(store):
    digest = await put(
        store,
        ("app.py", b"code"),
        (info("bootstrap", stat.S_IFREG | 0o700), b"#!"),
        (info("secret", stat.S_IFREG | 0o600), b"s"),
        (info("suid", stat.S_IFREG | 0o6755), b"s"),
        (info("dir/", stat.S_IFDIR | 0o700), b""),
        (info("deep/er/x", stat.S_IFREG | 0o666), b"x"),
        (info("deep/link", stat.S_IFLNK | 0o777), b"../app.py"),
    )
    previous = os.umask(0o077)
    try:
        tree = await store.unpack(digest)
    finally:
        os.umask(previous)
    modes = {str(path.relative_to(tree)): stat.S_IMODE(path.lstat().st_mode) for path in tree.rglob("*")}
    assert stat.S_IMODE(tree.stat().st_mode) == 0o755
    assert modes == {
        "app.py": 0o644,
        "bootstrap": 0o755,
        "secret": 0o644,
        "suid": 0o755,
        "dir": 0o755,
        "deep": 0o755,
        "deep/er": 0o755,
        "deep/er/x": 0o644,
        "deep/link": 0o777,
    }
    assert (tree / "deep/link").read_bytes() == b"code"
    assert {path.lstat().st_uid for path in tree.rglob("*")} == {os.geteuid()}


async def test_the_later_of_two_files_and_both_cases_are_there(store):
    tree = await store.unpack(await put(store, ("a", b"first"), ("A", b"upper"), ("a", b"second")))
    assert contents(tree) == {"A": b"upper", "a": b"second"}


async def test_a_tree_is_made_once_whoever_asks(store, monkeypatch):
    made = []
    monkeypatch.setattr(store_module, "extract", lambda file, tree: (made.append(tree), extract(file, tree)))
    digest = await put(store, ("a", b"1"))
    trees = await asyncio.gather(*(store.unpack(digest) for _ in range(10)))
    assert len(set(trees)) == 1
    assert len(made) == 1


async def test_one_who_gives_up_does_not_take_the_tree_from_the_others(store):
    digest = await put(store, *((f"f{n}", b"x") for n in range(200)))
    asks = [asyncio.create_task(store.unpack(digest)) for _ in range(3)]
    await asyncio.sleep(0)
    asks[0].cancel()
    tree, _ = await asyncio.gather(*asks[1:])
    assert len(contents(tree)) == 200


async def test_trees_are_remembered_and_half_made_ones_are_not(store, tmp_path):
    digest = await put(store, ("a", b"1"))
    tree = await store.unpack(digest)
    inode = tree.stat().st_ino
    abandoned = tmp_path / "artifacts" / "temporary" / "abandoned"
    abandoned.mkdir()
    (abandoned / "file").write_bytes(b"half")
    again = ArtifactStore(tmp_path / "artifacts")
    await again.open()
    assert (await again.unpack(digest)).stat().st_ino == inode
    assert half_made(again) == []


async def test_a_corrupt_archive_leaves_nothing_and_can_be_put_right(store):
    data = bytearray(zip_of(("a", os.urandom(5000))))
    data[1000] ^= 0xFF
    digest = (await store.put(bytes(data))).digest
    for _ in range(2):
        with pytest.raises(NotAZipError):
            await store.unpack(digest)
    assert half_made(store) == []


async def test_a_bomb_that_understates_its_size_is_stopped_at_what_it_declared(store):
    name = info("bomb")
    data = bytearray(zip_of((name, b"\0" * 20_000_000)))
    directory = data.index(b"PK\1\2")
    for at in (22, directory + 24):
        data[at : at + 4] = (10).to_bytes(4, "little")
    digest = (await store.put(bytes(data))).digest
    with pytest.raises(NotAZipError):
        await store.unpack(digest)


async def test_a_bomb_that_states_its_size_is_refused_before_it_is_opened(store):
    huge = b"\0" * 30_000_000
    data = zip_of(*((f"f{n}", huge) for n in range(9)))
    for attempt in (store.inspect(data), store.unpack((await store.put(data)).digest)):
        with pytest.raises(UnzippedTooLargeError):
            await attempt
    assert half_made(store) == []


async def test_links_out_are_refused_and_write_nothing_through(store, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    for target in (str(outside), "../../../../outside"):
        digest = await put(store, (info("l", stat.S_IFLNK | 0o777), target.encode()), ("l2", b"x"))
        with pytest.raises(UnsafeEntryError):
            await store.unpack(digest)
    digest = await put(store, (info("l", stat.S_IFLNK | 0o777), str(outside).encode()), ("l/evil", b"x"))
    with pytest.raises(UnsafeEntryError):
        await store.unpack(digest)
    assert list(outside.iterdir()) == []


async def test_a_full_disk_says_so_and_leaves_nothing(store, monkeypatch):
    digest = await put(store, ("a", b"1"))

    def full(file: object, tree: Path) -> None:
        (tree / "half").write_bytes(b"x")
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(store_module, "extract", full)
        with pytest.raises(ArtifactStoreFullError):
            await store.unpack(digest)
    assert half_made(store) == []
    assert contents(await store.unpack(digest)) == {"a": b"1"}


async def test_layers_are_laid_over_each_other_in_order_by_hard_links(store):
    first = await put(store, ("python/a.py", b"1"), ("python/b.py", b"1"), ("file", b"1"), ("dir/x", b"1"))
    second = await put(store, ("python/b.py", b"2"), ("file/inside", b"2"), ("dir", b"2"))
    tree = await store.merge([first, second])
    assert contents(tree) == {"python/a.py": b"1", "python/b.py": b"2", "file/inside": b"2", "dir": b"2"}
    assert contents(await store.merge([second, first])) == {
        "python/a.py": b"1",
        "python/b.py": b"1",
        "file": b"1",
        "dir/x": b"1",
    }
    assert (tree / "python/a.py").samefile(await store.unpack(first) / "python/a.py")
    assert await store.merge([first]) == await store.unpack(first)
    assert await store.merge([first, second]) == tree
    assert await store.tree_size(tree) == 4
    # What the layers were made of is as it was.
    assert contents(await store.unpack(first))["python/b.py"] == b"1"


async def test_a_link_in_one_layer_does_not_lead_the_next_one_astray(store):
    first = await put(store, ("real/x", b"1"), (info("l", stat.S_IFLNK | 0o777), b"real"))
    second = await put(store, ("l/x", b"2"))
    tree = await store.merge([first, second])
    assert contents(tree) == {"real/x": b"1", "l/x": b"2"}
    assert not (tree / "l").is_symlink()


async def nobody(digest: str) -> bool:
    return False


async def test_a_sweep_takes_what_nobody_uses_after_an_hour(store, clock):
    kept = await put(store, ("a", b"1"))
    left = await put(store, ("b", b"2"))
    trees = [await store.unpack(kept), await store.unpack(left), await store.merge([kept, left])]
    both_kept = await store.merge([kept, kept])

    async def in_use(digest: str) -> bool:
        return digest == kept

    assert await store.sweep(in_use) == 0
    clock.advance(3599)
    await store.put(zip_of(("b", b"2")))
    clock.advance(3599)
    assert await store.sweep(in_use) == 0
    clock.advance(2)
    assert await store.sweep(in_use) == 1
    assert await store.digests() == [kept]
    assert [tree.exists() for tree in trees] == [True, False, False]
    assert both_kept.exists()
    with pytest.raises(ArtifactNotFoundError):
        await store.unpack(left)
    assert half_made(store) == []


async def test_trees_of_what_another_node_has_swept_go_too(store, clock, tmp_path):
    shared = tmp_path / "shared"
    nodes = [ArtifactStore(tmp_path / n, shared=shared, node=n, clock=clock) for n in ("a", "b")]
    for node in nodes:
        await node.open()
    digest = await put(nodes[0], ("a", b"1"))
    other = await put(nodes[0], ("b", b"2"))
    trees = [await nodes[1].unpack(digest), await nodes[1].merge([digest, other])]
    mounted = nodes[1].hold(trees[0])
    os.utime(nodes[0].path(digest), (0, 0))
    os.utime(nodes[0].path(other), (0, 0))
    clock.advance(4000)
    assert await nodes[0].sweep(nobody) == 2
    await nodes[1].sweep(nobody)
    assert [tree.exists() for tree in trees] == [True, False], "what is mounted stays"
    mounted.release()
    await nodes[1].sweep(nobody)
    assert not trees[0].exists() and not list((tmp_path / "b" / "unpacked").iterdir())


async def test_what_is_held_is_not_swept_nor_deleted(store, clock):
    one, two = await put(store, ("a", b"1")), await put(store, ("b", b"2"))
    tree, merged = await store.unpack(one), await store.merge([one, two])
    holds = [store.hold(tree), store.hold(tree), store.hold(merged)]
    clock.advance(4000)
    assert await store.sweep(nobody) == 1
    assert tree.exists()
    # Its second source is gone, yet the mounted combination is whole.
    assert contents(merged) == {"a": b"1", "b": b"2"}
    holds[0].release()
    holds[0].release()
    with pytest.raises(ArtifactInUseError):
        await store.delete(one)
    for hold in holds:
        hold.release()
    assert await store.sweep(nobody) == 1
    assert not tree.exists()
    assert not merged.exists()
    with pytest.raises(ArtifactNotFoundError):
        store.hold(tree)


async def test_what_was_deleted_can_be_put_and_unpacked_again(store):
    digest = await put(store, ("a", b"1"))
    await store.unpack(digest)
    await store.delete(digest)
    await store.delete(digest)
    assert await store.digests() == []
    assert await put(store, ("a", b"1")) == digest
    assert contents(await store.unpack(digest)) == {"a": b"1"}


names = st.lists(st.sampled_from(["a", "b", "..", ".", "", "c\\..", "ü"]), min_size=1, max_size=4).map(
    "/".join
)
kinds = st.sampled_from([stat.S_IFREG, stat.S_IFLNK, stat.S_IFDIR, stat.S_IFIFO, stat.S_IFCHR, 0])
hostile = st.lists(st.tuples(names, kinds, st.integers(0, 0o7777), names), min_size=1, max_size=5)


@given(hostile)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_archive_reaches_out_of_its_tree(tmp_path_factory, entries):
    data = zip_of(*((info(name, kind | mode), target.encode()) for name, kind, mode, target in entries))
    around = tmp_path_factory.mktemp("around")
    tree = around / "x" / "y" / "tree"
    tree.mkdir(parents=True)
    with suppress(ArchiveError):
        extract(io.BytesIO(data), tree)
    assert [path for path in around.rglob("*") if tree not in path.parents] == [
        around / "x",
        tree.parent,
        tree,
    ]
    for path in tree.rglob("*"):
        mode = path.lstat().st_mode
        assert stat.S_ISREG(mode) or stat.S_ISDIR(mode) or stat.S_ISLNK(mode)
        assert not mode & (stat.S_ISUID | stat.S_ISGID | stat.S_ISVTX)
        if stat.S_ISLNK(mode):
            try:
                ended = Path(os.path.realpath(path, strict=True))
            except OSError as error:
                assert error.errno in (errno.ENOENT, errno.ELOOP, errno.ENOTDIR)
                continue
            assert ended == tree or tree in ended.parents


whole = zip_of(("app.py", b"print()\n" * 100), ("lib/b", b"b"), (info("l", stat.S_IFLNK | 0o777), b"lib/b"))


@given(st.lists(st.tuples(st.integers(0, len(whole) - 1), st.integers(0, 255)), min_size=1, max_size=6))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damage_is_an_archive_error_or_harmless(tmp_path_factory, damage):
    data = bytearray(whole)
    for at, byte in damage:
        data[at] = byte
    tree = tmp_path_factory.mktemp("damaged")
    with suppress(ArchiveError):
        extract(io.BytesIO(bytes(data)), tree)


async def test_an_artifact_is_streamed_in_pieces(store):
    data = zip_of(("a", os.urandom(600_000)))
    digest = (await store.put(data)).digest
    size, pieces = await store.stream(digest)
    taken = [piece async for piece in pieces]
    assert (size, b"".join(taken)) == (len(data), data)
    assert max(map(len, taken)) <= 256 * 1024
    with pytest.raises(ArtifactNotFoundError):
        await store.stream("0" * 64)
