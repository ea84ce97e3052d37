"""`bench` is one backend for a module; `own_bench`, for a test that ends it or its parts."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "support"))

from sandboxes import bench as own_bench  # noqa: F401
from sandboxes import opened  # noqa: F401
from sandboxes import shared_bench as bench  # noqa: F401
