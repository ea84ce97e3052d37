"""What archives declare, and which are refused before anything is written."""

import io
import stat
import struct
import zipfile
from zipfile import ZIP_BZIP2, ZIP_DEFLATED, ZIP_LZMA, ZipFile, ZipInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambent.artifacts.archive import ZipSummary, summarize
from lambent.artifacts.entries import plan
from lambent.artifacts.errors import (
    ArchiveError,
    EmptyZipError,
    NotAZipError,
    TooManyEntriesError,
    UnsafeEntryError,
    UnzippedTooLargeError,
)


def info(name: str, mode: int = stat.S_IFREG | 0o644, size: int = 0) -> ZipInfo:
    made = ZipInfo(name)
    made.create_system = 3
    made.external_attr = mode << 16
    made.file_size = size
    made.header_offset = 0
    return made


def zip_of(*files: tuple[ZipInfo | str, bytes]) -> bytes:
    target = io.BytesIO()
    with ZipFile(target, "w", ZIP_DEFLATED) as archive:
        for name, data in files:
            archive.writestr(name, data)
    return target.getvalue()


def look(data: bytes) -> ZipSummary:
    return summarize(io.BytesIO(data))


def link(name: str, target: str) -> tuple[ZipInfo, bytes]:
    return info(name, stat.S_IFLNK | 0o777), target.encode()


def test_a_summary_has_files_sizes_and_modes():
    tool = info("bin/tool", stat.S_IFREG | 0o700)
    summary = look(zip_of(("app.py", b"12345"), (tool, b"1"), (info("empty/", stat.S_IFDIR | 0o700), b"")))
    assert summary.unzipped_size == 6
    assert [(entry.path, entry.kind, entry.executable) for entry in summary.entries] == [
        ("app.py", "file", False),
        ("bin/tool", "file", True),
    ]


GOOD = zip_of(("app.py", b"def handler(event, context): pass\n" * 50), ("lib/a.py", b"a"))


@pytest.mark.parametrize(
    "data", [b"", b"not a zip", b"PK\3\4", b"PK\5\6", GOOD[:-1], GOOD[: len(GOOD) // 2], GOOD[60:]]
)
def test_what_is_no_whole_zip_is_refused(data):
    with pytest.raises(NotAZipError):
        look(data)


def test_an_archive_without_files_is_refused():
    for data in (zip_of(), zip_of(("folder/", b""))):
        with pytest.raises(EmptyZipError):
            look(data)


def test_an_encrypted_entry_is_refused():
    data = bytearray(GOOD)
    data[data.index(b"PK\1\2") + 8] |= 1
    with pytest.raises(NotAZipError, match="encrypted"):
        look(bytes(data))


@pytest.mark.parametrize("method", [ZIP_BZIP2, ZIP_LZMA])
def test_only_deflate_is_taken_since_the_others_give_out_bombs_whole(method):
    target = io.BytesIO()
    with ZipFile(target, "w", method) as archive:
        archive.writestr("a", b"x")
    with pytest.raises(NotAZipError, match="method"):
        look(target.getvalue())


@pytest.mark.parametrize(
    "name",
    ["/etc/passwd", "../x", "a/../../x", "a/..", "..", "/", "d" * 256, "a/" * 129 + "x", "abc/" * 1000],
)
def test_names_that_leave_the_tree_or_do_not_fit_are_refused(name):
    with pytest.raises(UnsafeEntryError):
        plan([info(name)])


@pytest.mark.parametrize("name", ["", ".", "./."])
def test_a_file_needs_a_name(name):
    with pytest.raises(UnsafeEntryError, match="no name"):
        plan([info(name)])


def test_a_nul_in_a_name_is_refused():
    made = info("a")
    made.orig_filename = "a\0b"
    with pytest.raises(UnsafeEntryError, match="NUL"):
        plan([made])


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("./a//b", "a/b"),
        ("..a/b..", "..a/b.."),
        ("a\\..\\..\\b", "a\\..\\..\\b"),
        ("C:/x", "C:/x"),
        ("grüße/日本", "grüße/日本"),
    ],
)
def test_odd_names_are_kept_or_cleaned(name, path):
    assert [entry.path for entry in look(zip_of((info(name), b"x"))).entries] == [path]


def test_unflagged_names_are_the_bytes_they_are():
    data = zip_of((info("xx"), b"1")).replace(b"xx", "ü".encode())
    assert look(data).entries[0].path == "ü"
    data = zip_of((info("x"), b"1")).replace(b"x", b"\xfc")
    assert look(data).entries[0].path == "\udcfc"


@pytest.mark.parametrize("kind", [stat.S_IFCHR, stat.S_IFBLK, stat.S_IFIFO, stat.S_IFSOCK])
def test_devices_pipes_and_sockets_are_refused(kind):
    with pytest.raises(UnsafeEntryError, match="neither"):
        plan([info("x", kind | 0o666)])


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("l", "/etc/passwd"),
        ("l", ".."),
        ("l", "../x"),
        ("l", ""),
        ("a/l", "../../x"),
        ("a/l", "./../../x"),
        # Through another link, "b/.." is not where it seems.
        ("a/l", "b/../x"),
    ],
)
def test_links_that_may_lead_outside_are_refused(name, target):
    with pytest.raises(UnsafeEntryError):
        look(zip_of(link(name, target)))


@pytest.mark.parametrize(
    ("name", "target"), [("l", "a/b"), ("a/b/l", "../../x"), ("a/l", ".././x"), ("l", "l")]
)
def test_links_that_stay_inside_are_kept(name, target):
    assert look(zip_of(link(name, target))).entries[0].kind == "link"


def test_a_long_link_target_is_refused_unread():
    with pytest.raises(UnsafeEntryError, match="too long"):
        look(zip_of(link("l", "x" * 2000)))


@pytest.mark.parametrize(
    "infos",
    [
        [info("a"), info("a/b")],
        [info("a/b"), info("a")],
        [info("a/"), info("a")],
        [info("l", stat.S_IFLNK), info("l/b")],
        [info("l", stat.S_IFLNK), info("l")],
    ],
)
def test_one_name_cannot_be_two_kinds(infos):
    with pytest.raises(UnsafeEntryError):
        plan(infos)


def test_of_two_files_with_one_name_the_later_counts_but_both_are_weighed():
    planned = plan([info("a", size=5), info("A", size=1), info("./a", size=7)])
    assert sorted((entry.path, entry.size) for entry in planned.entries) == [("A", 1), ("a", 7)]
    assert planned.unzipped_size == 13


def test_the_unzipped_size_is_limited_to_the_byte():
    plan([info("a", size=262_143_999), info("b", size=1)])
    with pytest.raises(UnzippedTooLargeError) as raised:
        plan([info("a", size=262_143_999), info("b", size=2)])
    assert raised.value.size == 262_144_001


def test_directories_count_as_entries_too():
    with pytest.raises(TooManyEntriesError):
        plan(info("/".join(f"{n}{d}" for d in "abcdefghij") + "/x") for n in range(20_000))


def test_a_directory_that_declares_a_gigabyte_is_refused_unread():
    data = GOOD[:-10] + struct.pack("<L", 1 << 30) + GOOD[-6:]
    with pytest.raises(TooManyEntriesError):
        look(data)


def test_zip64_is_read():
    target = io.BytesIO()
    with ZipFile(target, "w") as archive, archive.open("a", "w", force_zip64=True) as file:
        file.write(b"x" * 10)
    assert look(target.getvalue()).unzipped_size == 10


def test_the_zip64_end_of_a_directory_is_read(monkeypatch):
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 1)
    data = zip_of(("a", b"1"), ("b", b"22"))
    assert b"PK\6\6" in data
    assert look(data).unzipped_size == 3


@given(st.binary(max_size=400) | st.binary(max_size=100).map(lambda tail: b"PK\5\6" + tail))
def test_noise_is_refused_as_an_archive_error(data):
    with pytest.raises(ArchiveError):
        look(data)


@given(st.lists(st.tuples(st.integers(0, len(GOOD) - 1), st.integers(0, 255)), min_size=1, max_size=8))
@settings(max_examples=300)
def test_a_damaged_archive_is_read_or_refused_never_a_crash(damage):
    data = bytearray(GOOD)
    for at, byte in damage:
        data[at] = byte
    try:
        look(bytes(data))
    except ArchiveError:
        return
