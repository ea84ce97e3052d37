"""Looking at memory, on a /proc that is made up."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from lambent.sandbox import resident_memory
from lambent.sandbox.resident_memory import MemoryWatch, Watched

MIB = 1 << 20
Family = Callable[..., None]


@pytest.fixture
def family(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Family:
    """Makes a process: its threads' children, its private memory, and what of that is its share."""
    monkeypatch.setattr(resident_memory, "PROC", str(tmp_path))
    monkeypatch.setattr(resident_memory, "_PAGE_BYTES", 4096)

    def process(
        pid: int, children: dict[int, str], private: int, share: int | None = None, peak: int | None = None
    ) -> None:
        for thread, text in children.items():
            (tmp_path / f"{pid}/task/{thread}").mkdir(parents=True, exist_ok=True)
            (tmp_path / f"{pid}/task/{thread}/children").write_text(text)
        pages = private // 4096
        (tmp_path / f"{pid}/statm").write_text(f"9999 {pages + 10} 10 1 0 {pages} 0\n")
        highest = ((peak or private) + 40960) // 1024
        (tmp_path / f"{pid}/status").write_text(
            f"Name:\tx\nVmHWM:\t  {highest} kB\nRssFile:\t 30 kB\nRssShmem:\t 10 kB\nThreads:\t1\n"
        )
        if share is not None:
            (tmp_path / f"{pid}/smaps_rollup").write_text(f"Rss: 1 kB\nPss_Anon:  {share // 1024} kB\n")

    return process


def noted() -> tuple[list[str], Callable[[], None]]:
    calls: list[str] = []
    return calls, lambda: calls.append("exceeded")


def test_the_most_that_descendants_of_every_thread_had(family: Family) -> None:
    family(1, {1: "2 ", 7: "3"}, 50 * MIB)
    family(2, {2: "4"}, 10 * MIB)
    family(3, {3: ""}, 20 * MIB)
    family(4, {4: ""}, 5 * MIB)
    calls, on_exceeded = noted()
    assert Watched(1, None, on_exceeded, only_descendants=True).peak_bytes() == 35 * MIB
    watched = Watched(1, None, on_exceeded, only_descendants=False)
    watched.measure()
    family(1, {1: "", 7: ""}, 1 * MIB)
    assert watched.peak_bytes() == 85 * MIB
    family(1, {1: "", 7: ""}, 1 * MIB, peak=90 * MIB)  # between two looks
    assert watched.peak_bytes() == 90 * MIB
    assert calls == []


def test_what_is_shared_is_counted_once_before_anybody_is_ended(family: Family) -> None:
    family(1, {1: "2"}, 80 * MIB, share=40 * MIB)
    family(2, {2: ""}, 80 * MIB, share=40 * MIB)
    calls, on_exceeded = noted()
    watched = Watched(1, 128 * MIB, on_exceeded, only_descendants=False)
    watched.measure()
    assert calls == []
    family(2, {2: ""}, 180 * MIB, share=140 * MIB)
    watched.measure()
    watched.measure()
    assert (calls, watched.exceeded) == (["exceeded"], True)


def test_one_that_is_gone_has_nothing(family: Family) -> None:
    calls, on_exceeded = noted()
    gone = Watched(99, 1, on_exceeded, only_descendants=False)
    gone.measure()
    assert (gone.peak_bytes(), calls) == (0, [])


async def test_all_are_looked_at_but_those_that_are_frozen(
    family: Family, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resident_memory, "_LOOK_SECONDS", 0.0)
    family(1, {1: ""}, 2 * MIB)
    looked = asyncio.Event()
    memory = MemoryWatch()
    calls, on_exceeded = noted()
    frozen = memory.watch(1, 1, on_exceeded)
    frozen.frozen = True
    memory.watch(1, 1, looked.set)
    await looked.wait()
    assert calls == []
    memory.close()
