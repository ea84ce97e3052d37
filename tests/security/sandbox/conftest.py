"""One backend for all attempts of a kind: each has sandboxes of its own, and what one leaves there meets the next."""

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

sys.path.insert(0, str(Path(__file__).parents[2] / "support"))

from sandboxes import Workbench, open_bench
from sandboxes import shared_bench as bench  # noqa: F401 - the fixture of this suite


@pytest_asyncio.fixture(params=["executed", "copied"], scope="module", loop_scope="module")
async def opened(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Workbench]:
    """Whoever tries may have been executed, or be a copy of a process that has root."""
    async with open_bench(tmp_path_factory.mktemp("sandboxes") / "state") as made:
        if request.param == "copied":
            await made.copy_from()
        yield made
