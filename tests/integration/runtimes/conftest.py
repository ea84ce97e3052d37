"""Every interpreter that this host has runs the bootstraps; a host without any Python or Node.js fails."""

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from bootstrap_driver import INITIALIZED, Bootstrap, Start, unstarted

from lambent.runtimes.interpreters import Interpreter, Interpreters, usual_directories
from lambent.runtimes.registry import best_interpreters, node_wheel_directories


def _interpreters() -> dict[str, Interpreter]:
    """LAMBENT_TEST_INTERPRETERS may name more directories, separated by colons."""
    preferred = [Path(place) for place in os.environ.get("LAMBENT_TEST_INTERPRETERS", "").split(":") if place]
    directories = [*usual_directories([], Path.home()), *node_wheel_directories()]
    return best_interpreters(Interpreters().find(preferred, directories))


INTERPRETERS = _interpreters()
HANDLERS = {"python": "app.handler", "nodejs": "index.handler", "ruby": "lambda_function.lambda_handler"}
PYTHONS = [name for name in INTERPRETERS if name.startswith("python")]
NODES = [name for name in INTERPRETERS if name.startswith("nodejs")]


@pytest.fixture(params=PYTHONS)
def every_python(request: pytest.FixtureRequest) -> Interpreter:
    return INTERPRETERS[request.param]


@pytest.fixture(params=sorted({PYTHONS[0], PYTHONS[-1]}))
def python(request: pytest.FixtureRequest) -> Interpreter:
    """The oldest and the newest of this host."""
    return INTERPRETERS[request.param]


@pytest.fixture(params=NODES)
def node(request: pytest.FixtureRequest) -> Interpreter:
    return INTERPRETERS[request.param]


@pytest.fixture
def ruby() -> Interpreter:
    """The newest of this host; any serves to prove the bootstrap, also one that AWS never had a runtime of."""
    found = [name for name in INTERPRETERS if name.startswith("ruby")]
    if not found:
        pytest.skip("no Ruby here")
    return INTERPRETERS[max(found)]


@pytest.fixture
def task(tmp_path: Path) -> Path:
    task = tmp_path / "task"
    task.mkdir()
    return task


@pytest.fixture
def start(task: Path) -> Iterator[Start]:
    """Runs a bootstrap until the end of the test: start(interpreter, source, handler="…", **INIT settings)."""
    with ExitStack() as running:

        def begin(
            interpreter: Interpreter, source: str | None = None, handler: str | None = None, **settings: Any
        ) -> Bootstrap:
            bootstrap = running.enter_context(unstarted(interpreter, task, source))
            reply = bootstrap.initialize(handler or HANDLERS[interpreter.language], **settings)
            assert reply.kind == INITIALIZED, reply
            return bootstrap

        yield begin
