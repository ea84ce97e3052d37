"""One server for each isolation backend, on which functions mean harm."""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "support"))

from hostile import Bystander
from lambent_server import Lambent


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """What concerns the backend runs on each of them; what concerns the server, on one."""
    if "lambent" in metafunc.fixturenames:
        everywhere = metafunc.definition.get_closest_marker("every_backend")
        backends = ["namespaces", "userns"] if everywhere else ["namespaces"]
        metafunc.parametrize("lambent", backends, indirect=True, scope="package")


@pytest.fixture(scope="package")
def lambent(request: pytest.FixtureRequest) -> Iterator[Lambent]:
    if os.geteuid() != 0:
        pytest.skip("isolating functions needs root here")
    # Not where pytest has its directories: those are root's alone.
    directory = Path(tempfile.mkdtemp(prefix="lambent-"))
    directory.chmod(0o755)
    if request.param == "userns":
        running = Lambent.start_as_user(directory / "data", subordinate=True)
    else:
        running = Lambent.start(directory / "data", "--isolation", request.param)
    yield running
    assert running.server.process.poll() is None, f"the server has died:\n{running.log[-5000:]}"
    assert running.stop() == 0, running.log[-3000:]
    assert not running.leftovers()
    assert "Traceback" not in running.log, running.log[-8000:]
    shutil.rmtree(directory)


@pytest.fixture(scope="package")
def bystander(lambent: Lambent) -> Bystander:
    return Bystander(lambent)
