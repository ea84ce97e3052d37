import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "support"))

from sandboxes import Workbench
from sandboxes import bench as opened  # noqa: F401 - the fixture that this suite's is made of


@pytest.fixture(params=["executed", "copied"])
async def bench(request: pytest.FixtureRequest, opened: Workbench) -> Workbench:  # noqa: F811
    """Whoever tries may have been executed, or be a copy of a process that has root."""
    if request.param == "copied":
        await opened.copy_from()
    return opened
