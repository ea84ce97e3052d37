import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "support"))

from sandboxes import bench  # noqa: F401 - the fixture of this suite
