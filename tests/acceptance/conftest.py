"""One server for most tests; those that stop, kill or configure theirs start their own."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from lambent_server import Lambent, eventually

NewServer = Callable[..., Lambent]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if os.geteuid() != 0:
        here = Path(__file__).parent
        unprivileged = pytest.mark.skip(reason="isolating functions needs root here")
        for item in items:
            if item.path.is_relative_to(here):
                item.add_marker(unprivileged)


@pytest.fixture(scope="session")
def lambent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lambent]:
    running = Lambent.start(tmp_path_factory.mktemp("lambent"))
    yield running
    assert running.server.process.poll() is None, f"the server has died:\n{running.log[-5000:]}"
    assert running.stop() == 0, running.log[-3000:]
    assert not running.leftovers()
    assert "Traceback" not in running.log, running.log[-8000:]


@pytest.fixture
def new_server(tmp_path: Path) -> Iterator[NewServer]:
    """Starts servers of a test's own, and looks after their end."""
    started: list[Lambent] = []

    def start(*arguments: str) -> Lambent:
        running = Lambent.start(tmp_path / f"data-{len(started)}", *arguments)
        started.append(running)
        return running

    yield start
    for running in started:
        running.stop()
        _require_nothing_left(running)


def _require_nothing_left(server: Lambent) -> None:
    """What a killed server leaves ends by itself, though not within the same moment."""
    eventually(lambda: not server.leftovers())
