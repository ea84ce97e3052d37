"""SQL lives in .sql files, each statement under a `-- name:` line: named, reviewed, and easy to EXPLAIN.

Where one text cannot serve every engine, `-- name: x (postgres)` below it is what that engine runs. A line that begins
with `-- postgres:` is a clause for that engine, and a comment to the others: locks, which SQLite with its one writer
does not need.
"""

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Self

_NAME = re.compile(r"^-- name: (\w+)(?: \((\w+)\))?\n", re.MULTILINE)


class Statement(str):
    """The text for engines in general, and those for engines that need another."""

    __slots__ = ("variants",)

    def __new__(cls, text: str, variants: Mapping[str, str]) -> Self:
        made = super().__new__(cls, text)
        made.variants = variants
        return made

    variants: Mapping[str, str]


@cache
def queries(noun: str, package: str = __package__) -> dict[str, Statement]:
    """The statements of `<noun>.sql`, by name."""
    parts = _NAME.split((files(package) / f"{noun}.sql").read_text())
    texts: dict[str, dict[str, str]] = {}
    for name, engine, text in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
        texts.setdefault(name, {})[engine or ""] = text.strip().removesuffix(";").rstrip()
    return {name: Statement(variants.pop(""), variants) for name, variants in texts.items()}
