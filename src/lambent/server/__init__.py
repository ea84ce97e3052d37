"""Puts the parts together. The only place that picks implementations; see `compose.py`.

`run.py` is the life of a server: start, ready, signals, graceful end.
"""

from lambent.server.run import StartError, run

__all__ = ["StartError", "run"]
