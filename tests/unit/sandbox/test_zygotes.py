"""The spawner's record of a copy that it has ordered, where this process may open no more files."""

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lambent.sandbox import messages
from lambent.sandbox.cgroup import Entry
from lambent.sandbox.steps import StepError
from lambent.sandbox.zygotes import Zygote

_NEEDED = 4


def descriptors() -> set[str]:
    return {entry.name for entry in Path("/proc/self/fd").iterdir()}


@contextmanager
def room_for(count: int) -> Iterator[None]:
    """For `count` more descriptors."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(map(int, descriptors())) + _NEEDED + 1, hard))
    fill: list[int] = []
    try:
        with pytest.raises(OSError, match="Too many open files"):
            while True:
                fill.append(os.open("/dev/null", os.O_RDONLY))
        for _ in range(count):
            os.close(fill.pop())
        yield
    finally:
        for descriptor in fill:
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.parametrize("room", range(_NEEDED))
def test_a_copy_for_which_descriptors_are_missing_leaves_none(room: int) -> None:
    ours, theirs = messages.socket_pair()
    given = [os.open("/dev/null", os.O_RDONLY) for _ in range(3)]
    with ours, theirs:
        zygote = Zygote(id="z", pid=0, pidfd=-1, line=ours)
        before = descriptors()
        with (
            room_for(room),
            pytest.raises(StepError, match="order a copy of the zygote: Too many open files"),
        ):
            zygote.copy({"id": "one"}, given, Entry())
        assert descriptors() == before
        assert zygote.copying == {}
        zygote.copy({"id": "two"}, given, Entry())
        zygote.copying["two"].close()
        assert descriptors() == before
    for descriptor in given:
        os.close(descriptor)
