"""Closures for structures, made once per structure, also where structures contain themselves."""

from collections.abc import Callable
from typing import Any, Generic, TypeVar

Closure = TypeVar("Closure", bound=Callable[..., Any] | None)


class StructureCache(Generic[Closure]):
    """One service's structures in one format."""

    def __init__(self) -> None:
        self._closures: dict[str, Closure] = {}
        self._compiling: set[str] = set()

    def get(self, name: str, compile_structure: Callable[[], Closure]) -> Closure | Callable[..., Any]:
        """The closure for the structure `name`. While it is being compiled (a structure inside itself): one
        that looks it up when called."""
        if name in self._compiling:
            return lambda *arguments: self._call(name, arguments)
        if name not in self._closures:
            self._compiling.add(name)
            try:
                self._closures[name] = compile_structure()
            finally:
                self._compiling.discard(name)
        return self._closures[name]

    def _call(self, name: str, arguments: tuple[Any, ...]) -> Any:
        closure = self._closures[name]
        return closure(*arguments) if closure is not None else None
