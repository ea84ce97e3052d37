"""Entry point of the managed Python runtimes: /var/runtime/bootstrap.py.

Small on purpose: a script is compiled at every start, a module only once.
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120 - pathlib is slow to import

from lambent_runtime.main import run  # type: ignore[import-not-found,unused-ignore]

run()
