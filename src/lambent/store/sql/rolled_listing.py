"""Walking through keys in order, with common prefixes rolled up: what is skipped costs one look-up, however much it is.

Keys compare as UTF-8 bytes, as the database's text and S3 do, which is the order of their code points.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from lambent.store.ports.objects import ListingQuery
from lambent.store.sql.database import Connection

Row = tuple[Any, ...]
"""The key, what continues a listing within the key, and whatever is listed."""
Seek = Callable[[str, str], Iterator[Row]]
"""(start, end) -> the rows whose keys are `start` or more and less than `end`, and not `after`, in order."""

_LAST = 0x10FFFF
END = "\U0010ffff" * 300
"""More than any key: a key has at most 1,024 bytes, 256 of these characters."""


@dataclass(slots=True)
class Rolled:
    rows: list[Row] = field(default_factory=list)
    prefixes: list[str] = field(default_factory=list)
    last: str | None = None
    last_within: str | None = None


def roll_up(query: ListingQuery, seek: Seek, within: Iterator[Row] | None) -> Rolled:
    """One page of a listing. `within` are the rows that are left of the key `query.after`."""
    end = successor(query.prefix) if query.prefix else END
    start = _start(query)
    rolled = Rolled()
    cursor = seek(start, end) if within is None else _chain(within, lambda: seek(start, end))
    last, last_within = "", None
    while (row := next(cursor, None)) is not None:
        if len(rolled.rows) + len(rolled.prefixes) == query.limit:
            rolled.last, rolled.last_within = last, last_within
            break
        prefix = common_prefix(query, row[0])
        if prefix is None:
            rolled.rows.append(row)
            last, last_within = row[0], row[1]
        else:
            rolled.prefixes.append(prefix)
            last, last_within = prefix, None
            cursor = seek(successor(prefix), end)
    return rolled


def common_prefix(query: ListingQuery, key: str) -> str | None:
    """What this key is rolled up to."""
    if not query.delimiter or not key.startswith(query.prefix):
        return None
    found = key.find(query.delimiter, len(query.prefix))
    return None if found < 0 else key[: found + len(query.delimiter)]


def successor(prefix: str) -> str:
    """The first text behind all that begins with `prefix`."""
    kept = prefix.rstrip(chr(_LAST))
    if not kept:
        return END
    following = ord(kept[-1]) + 1
    if 0xD800 <= following <= 0xDFFF:  # no characters, and not to be written as UTF-8
        following = 0xE000
    return kept[:-1] + chr(following)


def run(connection: Connection, statement: str, query: ListingQuery) -> Seek:
    """A seek by a statement with :bucket, :start, :end and :after. Rows are stepped to as they are taken."""
    row = {"bucket": query.bucket, "after": query.after}
    return lambda start, end: connection.stream(statement, row | {"start": start, "end": end})


def _start(query: ListingQuery) -> str:
    if query.after < query.prefix or not query.after:
        return query.prefix
    rolled = common_prefix(query, query.after)
    return query.after if rolled is None else successor(rolled)


def _chain(first: Iterator[Row], then: Callable[[], Iterator[Row]]) -> Iterator[Row]:
    yield from first
    yield from then()
