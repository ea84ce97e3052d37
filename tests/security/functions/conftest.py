"""One server, on which functions mean harm."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "support"))

from hostile import Bystander
from lambent_server import Lambent


@pytest.fixture(scope="package")
def lambent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lambent]:
    if os.geteuid() != 0:
        pytest.skip("isolating functions needs root here")
    running = Lambent.start(tmp_path_factory.mktemp("lambent"))
    yield running
    assert running.server.process.poll() is None, f"the server has died:\n{running.log[-5000:]}"
    assert running.stop() == 0, running.log[-3000:]
    assert not running.leftovers()
    assert "Traceback" not in running.log, running.log[-8000:]


@pytest.fixture(scope="package")
def bystander(lambent: Lambent) -> Bystander:
    return Bystander(lambent)
