"""Migrations: numbered .sql files, applied once each, in order. Each is one transaction.

There are two kinds, so that a cluster is upgraded one node after the other:

`0027_name.sql` (pre) only adds. The first node that knows it applies it when it starts; older nodes go on beside it,
and may also restart.

`0028_name.post.sql` takes away what only older nodes need. It is applied when no living node is left that does not know
it; from then on those refuse to start. In one release these come last: a `pre` behind a `post` waits for it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    number: int
    name: str
    kind: Literal["pre", "post"]
    script: str


def migrations() -> Sequence[Migration]:
    """All that this Lambent knows, in order."""
    found = sorted(
        (
            _migration(entry.name, entry.read_text())
            for entry in files(__package__).iterdir()
            if entry.name.endswith(".sql")
        ),
        key=lambda migration: migration.number,
    )
    numbers = [migration.number for migration in found]
    assert numbers == list(range(1, len(numbers) + 1)), f"migrations are not numbered 1, 2, 3, …: {numbers}"
    return found


def _migration(file: str, script: str) -> Migration:
    name = file.removesuffix(".sql")
    return Migration(
        number=int(name.split("_")[0]),
        name=name.removesuffix(".post"),
        kind="post" if name.endswith(".post") else "pre",
        script=script,
    )
