"""SQL lives in .sql files, each statement under a `-- name:` line: named, reviewed, and easy to EXPLAIN."""

import re
from functools import cache
from importlib.resources import files

_NAME = re.compile(r"^-- name: (\w+)\n", re.MULTILINE)


@cache
def queries(noun: str) -> dict[str, str]:
    """The statements of `<noun>.sql`, by name."""
    parts = _NAME.split((files(__package__) / f"{noun}.sql").read_text())
    return {name: text.strip().removesuffix(";") for name, text in zip(parts[1::2], parts[2::2], strict=True)}
