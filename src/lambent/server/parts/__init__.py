"""The services around Lambda, a module for each: `part(core)` says how it is put together."""

from collections.abc import Callable, Sequence

from lambent.server.part import Core, Part

PARTS: Sequence[Callable[[Core], Part]] = ()
"""In the order of their names."""
