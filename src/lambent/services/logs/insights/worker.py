"""The process that answers one query: `python -m lambent.services.logs.insights.worker`, frames on its standard input
and output (`frames`).

It ends with whoever feeds it, and is given an amount of memory and no more.
"""

import ctypes
import os
import resource
import signal
import sys
from collections.abc import Iterator
from typing import Any, BinaryIO

from lambent.services.logs.insights.errors import QueryFailedError
from lambent.services.logs.insights.frames import read_frame, write_frame
from lambent.services.logs.insights.plan import Plan, plan
from lambent.services.logs.insights.record import Event, Record

MEMORY_BYTES = 1 << 30
PAGE_ROWS_MOST = 1000
_PAGE_CHARACTERS_MOST = 1_000_000
_NICENESS = 10
_PR_SET_PDEATHSIG = 1


def main() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    os.nice(_NICENESS)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    serve(sys.stdin.buffer, sys.stdout.buffer)


def serve(given: BinaryIO, answers: BinaryIO) -> None:
    """First comes the query, then events, answered by how far it is; then nothing, answered by pages of rows."""
    try:
        query = read_frame(given)
        if query is None:
            return
        made = plan(query["text"], limit=query["limit"], now=query["now"])
        wanted = True
        while (events := read_frame(given)) is not None:
            if not events:
                made.first.end()
                for rows in _pages(made.rows):
                    write_frame(answers, {"rows": rows})
                write_frame(answers, {"matched": made.matched.count, "end": True})
                return
            wanted = wanted and _take(made, events)
            write_frame(answers, {"matched": made.matched.count, "wanted": wanted})
    except QueryFailedError as error:
        write_frame(answers, {"failed": str(error)})
    except MemoryError:
        write_frame(answers, {"failed": f"it needs more than {MEMORY_BYTES >> 20} MB of memory"})


def _take(made: Plan, events: list[list[Any]]) -> bool:
    return all(made.first.take(Record(Event(*event))) for event in events)


def _pages(rows: list[list[tuple[str, str]]]) -> Iterator[list[list[tuple[str, str]]]]:
    page: list[list[tuple[str, str]]] = []
    size = 0
    for row in rows:
        length = sum(len(name) + len(value) for name, value in row)
        if page and (len(page) == PAGE_ROWS_MOST or size + length > _PAGE_CHARACTERS_MOST):
            yield page
            page, size = [], 0
        page.append(row)
        size += length
    if page:
        yield page


if __name__ == "__main__":
    main()
