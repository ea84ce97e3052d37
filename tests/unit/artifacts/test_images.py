"""Layers of images, well-meant and hostile: what they become in a root."""

import gzip
import hashlib
import io
import stat
import tarfile
from collections.abc import Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from images import Directory, Entry, File, HardLink, Image, Link, tar_of

from lambent.artifacts.errors import ArtifactNotFoundError
from lambent.artifacts.images.errors import ImageTooLargeError, InvalidImageError
from lambent.artifacts.images.layers import Allowance, unpack_layer
from lambent.artifacts.images.paths import resolve
from lambent.artifacts.images.rootfs import lay_layers
from lambent.artifacts.images.store import ImageStore, PulledImage
from lambent.artifacts.images.tar_stream import opened_layer

Layer = Mapping[str, Entry]


def lay(directory: Path, *layers: Layer, allowance: Allowance | None = None) -> Path:
    """The root that layers make, by way of the disk and gzip."""
    allowance = allowance or Allowance(bytes=1 << 20, entries=1000)
    trees = []
    for number, layer in enumerate(layers):
        packed = gzip.compress(tar_of(layer))
        blob, tree = directory / f"blob-{number}", directory / f"tree-{number}"
        blob.write_bytes(packed)
        tree.mkdir()
        with opened_layer(blob, "gzip", hashlib.sha256(packed).hexdigest(), 1 << 22) as archive:
            trees.append((tree, unpack_layer(archive, tree, allowance)))
    rootfs = directory / "rootfs"
    rootfs.mkdir()
    lay_layers(trees, rootfs)
    return rootfs


def shown(rootfs: Path) -> dict[str, str]:
    """Every file and link by its path: contents, or "-> target"."""
    found = {}
    for path in sorted(rootfs.rglob("*")):
        name = str(path.relative_to(rootfs))
        if path.is_symlink():
            found[name] = f"-> {path.readlink()}"
        elif path.is_file():
            found[name] = path.read_text()
    assert "sandbox.localdomain" in found.pop("etc/hosts"), "every root names its own host"
    return found


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        pytest.param([{"a": "1", "d/b": "2"}, {"a": "3"}], {"a": "3", "d/b": "2"}, id="the later one counts"),
        pytest.param([{"a": "1"}, {"a": "2", "./a": "3"}], {"a": "3"}, id="within a layer, too"),
        pytest.param([{"/a": "1", "./b//c": "2"}], {"a": "1", "b/c": "2"}, id="odd names"),
        pytest.param([{"a": "1", "b": HardLink("a")}], {"a": "1", "b": "1"}, id="a hard link"),
        pytest.param(
            [{"a": "1", "b": HardLink("/a")}, {"a": "2"}], {"a": "2", "b": "1"}, id="that stays behind"
        ),
        pytest.param([{"a": "1", "b": "2"}, {".wh.a": ""}], {"b": "2"}, id="a whiteout"),
        pytest.param([{"d/a": "1", "d/b": "2"}, {".wh.d": ""}], {}, id="a whiteout of a directory"),
        pytest.param([{"d/a": "1"}, {".wh.d": "", "d/b": "2"}], {"d/b": "2"}, id="of one that is made anew"),
        pytest.param(
            [{"d/a": "1"}, {"d/.wh..wh..opq": "", "d/b": "2"}], {"d/b": "2"}, id="an opaque directory"
        ),
        pytest.param([{".wh.a": "", "a": "1"}], {"a": "1"}, id="a whiteout is of the layers below"),
        pytest.param([{".wh..wh.plnk": "", ".wh..wh.aufs": "", "a": "1"}], {"a": "1"}, id="what aufs left"),
        pytest.param([{"a/b": "1"}, {"a": "2"}], {"a": "2"}, id="a file for a directory"),
        pytest.param([{"a": "1"}, {"a/b": "2"}], {"a/b": "2"}, id="a directory for a file"),
        pytest.param(
            [{"usr/lib/x": "1", "lib": Link("usr/lib")}, {"lib/y": "2"}],
            {"usr/lib/x": "1", "usr/lib/y": "2", "lib": "-> usr/lib"},
            id="through a link of a layer below",
        ),
        pytest.param(
            [{"usr/lib/x": "1", "lib": Link("/usr/lib"), "lib/y": "2"}],
            {"usr/lib/x": "1", "usr/lib/y": "2", "lib": "-> /usr/lib"},
            id="through a link of its own",
        ),
        pytest.param(
            [{"usr/lib/x": "1", "lib": Link("usr/lib")}, {"lib": Directory(), "lib/y": "2"}],
            {"usr/lib/x": "1", "lib/y": "2"},
            id="a directory that is named takes the link's place",
        ),
        pytest.param(
            [{"usr/lib/x": "1", "lib": Link("usr/lib")}, {"lib/.wh.x": ""}],
            {"lib": "-> usr/lib"},
            id="a whiteout through a link",
        ),
        pytest.param(
            [{"up": Link("../../.."), "up/a": "1"}], {"a": "1", "up": "-> ../../.."}, id="never out"
        ),
        pytest.param([{}], {}, id="an empty layer"),
    ],
)
def test_layers_make_a_root(tmp_path: Path, layers: list[Layer], expected: dict[str, str]) -> None:
    assert shown(lay(tmp_path, *layers)) == expected


@pytest.mark.parametrize(
    "hosts",
    [None, "1.2.3.4 elsewhere\n", Link("/dev/zero"), Directory()],
    ids=["none", "a file", "a link", "other"],
)
def test_a_root_names_its_own_host_whatever_the_image_has(tmp_path: Path, hosts: Entry) -> None:
    rootfs = lay(tmp_path, {"etc/other": "1"} if hosts is None else {"etc/hosts": hosts})
    assert (rootfs / "etc/hosts").read_text().startswith("127.0.0.1 localhost sandbox.localdomain sandbox\n")
    assert not (rootfs / "etc/hosts").is_symlink()


@pytest.mark.parametrize(
    "layer",
    [
        {"../a": "1"},
        {"d/../../a": "1"},
        {"a": HardLink("../../etc/passwd")},
        {"a": HardLink("nothing")},
        {"d": Directory(), "a": HardLink("d")},
        {"l": Link("l"), "l/a": "1"},
        {"/".join("d" * 200): "1"},
        {"n" * 256: "1"},
        {"etc": Link("/dev")},
        {"etc": "a file"},
        {"etc/passwd": Link("/dev/zero")},
        {"etc/passwd": File(b"x" * 40_000)},
    ],
    ids=lambda layer: str(list(layer.items())[-1])[:40],
)
def test_hostile_layers_are_refused(tmp_path: Path, layer: Layer) -> None:
    with pytest.raises(InvalidImageError):
        lay(tmp_path, layer)
    assert {path.name for path in tmp_path.iterdir()} <= {"blob-0", "tree-0", "rootfs"}


NAMES = st.lists(
    st.sampled_from(["a", "b", "etc", "passwd", "..", ".", "", ".wh.a", ".wh..wh..opq"]),
    min_size=1,
    max_size=4,
).map("/".join)
TARGETS = st.lists(
    st.sampled_from(["a", "b", "..", ".", "", "outside", "precious"]), min_size=1, max_size=5
).map("/".join)
ENTRIES = st.one_of(
    st.just("text"), st.builds(Directory), st.builds(Link, TARGETS), st.builds(HardLink, TARGETS)
)  # fmt: skip


@example(layers=[[("a", "text")], [("a/.wh.a", "text")]])
@settings(max_examples=150, deadline=None)
@given(layers=st.lists(st.lists(st.tuples(NAMES, ENTRIES), max_size=8), max_size=3))
def test_nothing_outside_is_touched_whatever_layers_say(layers: list[list[tuple[str, Entry]]]) -> None:
    with TemporaryDirectory() as name:
        directory = Path(name)
        outside = directory / "outside"
        outside.mkdir()
        (outside / "precious").write_text("as it was")
        with suppress(InvalidImageError):
            lay(directory, *map(dict, layers))
        assert [path.name for path in outside.iterdir()] == ["precious"]
        assert (outside / "precious").read_text() == "as it was"
        assert (outside / "precious").stat().st_nlink == 1
        left = {path.name.partition("-")[0] for path in directory.iterdir()}
        assert left <= {"outside", "blob", "tree", "rootfs"}


def special(kind: bytes) -> tarfile.TarInfo:
    info = tarfile.TarInfo()
    info.type, info.devmajor, info.devminor = kind, 1, 5
    return info


def test_devices_and_pipes_are_left_out_and_nothing_is_setuid(tmp_path: Path) -> None:
    rootfs = lay(
        tmp_path,
        {
            "zero": special(tarfile.CHRTYPE),
            "disk": special(tarfile.BLKTYPE),
            "pipe": special(tarfile.FIFOTYPE),
            "su": File(b"", 0o6755),
            "shared": Directory(0o1777),
            "closed": Directory(0o000),
            "secret": File(b"", 0o000),
        },
    )
    modes = {path.name: stat.filemode(path.stat().st_mode) for path in rootfs.iterdir()}
    assert modes == {
        "etc": "drwxr-xr-x",
        "su": "-rwxr-xr-x",
        "shared": "drwxrwxrwx",
        "closed": "drwx------",
        "secret": "-r--------",
    }


def test_the_user_of_a_sandbox_gets_a_name_and_the_layer_keeps_its_file(tmp_path: Path) -> None:
    rootfs = lay(tmp_path, {"etc/passwd": "root:x:0:0::/:/bin/sh\nodd:x:{uid}:0::/:/bin/sh"})
    assert (rootfs / "etc/passwd").read_text() == (
        "root:x:0:0::/:/bin/sh\nodd:x::0::/:/bin/sh\n"
        "sbx_user1051:x:{uid}:990::/home/sbx_user1051:/sbin/nologin\n"
    )
    assert "sbx_user1051" not in (tmp_path / "tree-0/etc/passwd").read_text()


@pytest.mark.parametrize("allowed", [Allowance(bytes=10, entries=1000), Allowance(bytes=1 << 20, entries=2)])
def test_an_image_is_counted_before_it_is_written(tmp_path: Path, allowed: Allowance) -> None:
    with pytest.raises(ImageTooLargeError):
        lay(tmp_path, {"a": "x" * 6, "b": "x"}, {"c": "x" * 6}, allowance=allowed)
    assert not (tmp_path / "tree-1/c").exists()


def refused(directory: Path, packed: bytes, *, most_bytes: int = 1 << 22, digest: str = "") -> str:
    blob, tree = directory / "blob", directory / "tree"
    blob.write_bytes(packed)
    tree.mkdir()
    with (
        pytest.raises(InvalidImageError) as error,
        opened_layer(blob, "gzip", digest or hashlib.sha256(packed).hexdigest(), most_bytes) as archive,
    ):
        unpack_layer(archive, tree, Allowance(bytes=1 << 40, entries=1 << 40))
    return str(error.value)


def test_a_bomb_is_put_out_while_it_is_unpacked(tmp_path: Path) -> None:
    bomb = gzip.compress(tar_of({"zeros": File(bytes(8 << 20))}))
    assert len(bomb) < 20_000
    assert "more than 4194304 bytes" in refused(tmp_path, bomb)


def test_a_header_as_long_as_a_bomb_is_not_read(tmp_path: Path) -> None:
    header = tarfile.TarInfo("././@PaxHeader")
    header.type, header.size = tarfile.XHDTYPE, 1 << 30
    packed = gzip.compress(header.tobuf() + bytes(1 << 16))
    assert "too long" in refused(tmp_path, packed)


@pytest.mark.parametrize(
    "packed",
    [
        b"no gzip",
        gzip.compress(b"no tar file" * 100),
        gzip.compress(tar_of({"a": "1"}))[:60],
        gzip.compress(tar_of({"a": "x" * 5000})[:2000]),
        b"",
    ],
)
def test_what_is_no_layer_is_said_to_be_none(tmp_path: Path, packed: bytes) -> None:
    assert "cannot be read" in refused(tmp_path, packed)


def test_a_layer_is_compared_with_its_digest(tmp_path: Path) -> None:
    packed = gzip.compress(tar_of({"a": "1"}))
    assert "is not what its digest" in refused(tmp_path, packed, digest="0" * 64)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a/b", "a/b"), ("/a/./b/", "a/b"), ("../../a", "a"), ("abs/x", "target/x"), ("up/x", "x"),
        ("chain/x", "target/x"), ("circle/x", None), ("file/x", None), ("missing/deep/x", "missing/deep/x"), ("", ""),
    ],
)  # fmt: skip
def test_paths_stay_in_their_root(tmp_path: Path, path: str, expected: str | None) -> None:
    (tmp_path / "target").mkdir()
    (tmp_path / "file").write_text("")
    for name, target in {
        "abs": "/target", "up": "../../..", "chain": "abs", "circle": "circle",
    }.items():  # fmt: skip
        (tmp_path / name).symlink_to(target)
    assert resolve(tmp_path, path) == (None if expected is None else tmp_path / expected)


# The store


def pulling(image: Image, directory: Path, asked: list[str]):
    """A Pull that says of what it is asked for."""

    @asynccontextmanager
    async def pull():
        def blob(digest: str) -> Path:
            asked.append(digest)
            path = directory / digest.partition(":")[2]
            path.write_bytes(image.blobs[digest])
            return path

        yield PulledImage(manifest=image.manifest, blob=blob)

    return pull


@pytest.fixture
async def store(tmp_path: Path) -> ImageStore:
    made = ImageStore(tmp_path / "images")
    await made.open()
    return made


BASE = tar_of({"etc/passwd": "root:x:0:0::/:/bin/sh\n", "base": "b"})


async def test_layers_are_unpacked_once_and_shared(store: ImageStore, tmp_path: Path) -> None:
    one, two = (Image([BASE, tar_of({"own": name})], {"Cmd": [name]}) for name in ("one", "two"))
    asked: list[str] = []
    roots = []
    for image in (one, two):
        digest = image.digest.partition(":")[2]
        unpacked = await store.unpack(digest, pulling(image, tmp_path, asked))
        assert unpacked.config.command == ((unpacked.rootfs / "own").read_text(),)
        roots.append(unpacked.rootfs)
    base = next(iter(one.blobs))
    assert asked.count(base) == 1
    assert (roots[0] / "base").samefile(roots[1] / "base")


async def test_an_image_is_found_again_after_a_restart(store: ImageStore, tmp_path: Path) -> None:
    image = Image([BASE], {"Entrypoint": ["a", "b"], "Env": ["X=1"], "WorkingDir": "/w"})
    digest = image.digest.partition(":")[2]
    made = await store.unpack(digest, pulling(image, tmp_path, []))
    again = ImageStore(tmp_path / "images")
    await again.open()
    assert await again.find(digest) == made
    assert await again.unpack(digest, pulling(image, tmp_path, asked := [])) == made
    assert asked == []


@pytest.mark.parametrize("what", ["manifest", "config", "layer"])
async def test_what_is_not_what_its_digest_says_is_refused(
    store: ImageStore, tmp_path: Path, what: str
) -> None:
    image = Image([BASE])
    digest = image.digest.partition(":")[2]
    layer, config = image.blobs
    if what == "manifest":
        image.manifest += b" "
    else:
        image.blobs[config if what == "config" else layer] = gzip.compress(tar_of({"evil": "x"}))
    with pytest.raises(InvalidImageError):
        await store.unpack(digest, pulling(image, tmp_path, []))
    assert await store.find(digest) is None
    assert not list((tmp_path / "images/temporary").iterdir())


async def test_images_that_nothing_uses_go_with_the_layers_that_no_other_has(
    store: ImageStore, tmp_path: Path
) -> None:
    kept, gone = (Image([BASE, tar_of({"own": name})]) for name in ("kept", "gone"))
    unpacked = [
        await store.unpack(image.digest.partition(":")[2], pulling(image, tmp_path, []))
        for image in (kept, gone)
    ]
    hold = store.hold(unpacked[1])

    async def in_use(digest: str) -> bool:
        return digest == unpacked[0].digest

    assert await store.sweep(in_use) == 0
    hold.release()
    assert await store.sweep(in_use) == 1
    assert not unpacked[1].rootfs.exists()
    assert (unpacked[0].rootfs / "base").read_text() == "b"
    assert len(list((tmp_path / "images/layers").iterdir())) == 2
    with pytest.raises(ArtifactNotFoundError):
        store.hold(unpacked[1])
    # Pulled again it is at another place: what still shows the old one is not mistaken for it.
    again = await store.unpack(unpacked[1].digest, pulling(gone, tmp_path, []))
    assert again == replace(unpacked[1], rootfs=again.rootfs)
    assert again.rootfs != unpacked[1].rootfs


async def test_a_layer_counts_although_it_is_here_already(tmp_path: Path) -> None:
    store = ImageStore(tmp_path / "images", most_bytes=100)
    await store.open()
    large = tar_of({"large": "x" * 90})
    first = Image([large])
    await store.unpack(first.digest.partition(":")[2], pulling(first, tmp_path, []))
    second = Image([large, tar_of({"more": "x" * 20})])
    with pytest.raises(ImageTooLargeError):
        await store.unpack(second.digest.partition(":")[2], pulling(second, tmp_path, []))


def test_tar_files_may_be_plain(tmp_path: Path) -> None:
    packed = io.BytesIO(tar_of({"a": "1"})).getvalue()
    (tmp_path / "blob").write_bytes(packed)
    (tmp_path / "tree").mkdir()
    with opened_layer(tmp_path / "blob", "tar", hashlib.sha256(packed).hexdigest(), 1 << 20) as archive:
        unpack_layer(archive, tmp_path / "tree", Allowance(bytes=10, entries=10))
    assert (tmp_path / "tree/a").read_text() == "1"
