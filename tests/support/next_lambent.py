"""`python next_lambent.py python -m lambent …`: the command as a later version would run it, whose tables have two
changes more: one that only adds, and one that takes away what this version needs."""

import sys

from lambent.cli import run
from lambent.store.sql import schema
from lambent.store.sql.migrations import Migration, migrations

_TODAY = migrations()
PRE = Migration(
    number=_TODAY[-1].number + 1,
    name="what_the_next_version_adds",
    kind="pre",
    script="CREATE TABLE next_version (n INTEGER); ALTER TABLE topics ADD COLUMN note TEXT;",
)
POST = Migration(
    number=_TODAY[-1].number + 2,
    name="what_only_older_versions_need",
    kind="post",
    script="DROP TABLE next_version;",
)


if __name__ == "__main__":
    known = [*_TODAY, PRE, POST]
    schema.migrations = lambda: known
    sys.exit(run(sys.argv[4:]))
