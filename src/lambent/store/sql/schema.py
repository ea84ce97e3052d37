"""Which migrations a database lacks, and which of them may be applied now. The same for every engine."""

from collections.abc import Callable

from lambent.store.ports.schema import MigrationError, Schema
from lambent.store.sql.database import Connection
from lambent.store.sql.migrations import Migration, migrations
from lambent.store.sql.queries import queries

_SQL = queries("schema")


def known_number() -> int:
    return migrations()[-1].number


def read_schema(connection: Connection) -> Schema:
    known = migrations()
    number, least = connection.execute(_SQL["state"]).fetchone()
    pending = tuple(migration.name for migration in known if migration.number > number)
    return Schema(number=number, least=least, known=known[-1].number, pending=pending)


def bring_up(connection: Connection, apply: Callable[[Migration], None]) -> None:
    """Applies what is missing, in order, up to the first that has to wait for older nodes. `apply` makes one
    transaction of a migration and its row in lambent_schema. Raises MigrationError."""
    schema = read_schema(connection)
    if schema.least > schema.known:
        raise MigrationError(too_old(schema))
    missing = [migration for migration in migrations() if migration.number > schema.number]
    for place, migration in enumerate(missing):
        if older := _older_nodes(connection, migration):
            if any(later.kind == "pre" for later in missing[place:]):
                raise MigrationError(
                    f"this Lambent cannot work beside {', '.join(older)}: upgrade every node to a version in between "
                    "first, or stop all of them"
                )
            return
        apply(migration)


def is_known_to_all(connection: Connection, name: str) -> bool:
    """Whether every living node knows the migration of this name, which is without its number."""
    (found,) = (migration for migration in migrations() if migration.name.partition("_")[2] == name)
    older = connection.execute(_SQL["older_nodes"], {"number": found.number})
    return older.fetchone() is None


def too_old(schema: Schema) -> str:
    return (
        f"the database has schema {schema.number}, which needs a Lambent that knows {schema.least}, and this one knows "
        f"{schema.known}: upgrade Lambent, or use another --data-dir or --database"
    )


def _older_nodes(connection: Connection, migration: Migration) -> list[str]:
    if migration.kind == "pre":
        return []
    found = connection.execute(_SQL["older_nodes"], {"number": migration.number})
    return [f"node {id} (version {version})" for id, version in found]
