"""One query on its way through an object: its bytes go through in pieces, each on another thread. The object is never
in memory as a whole, nor are the answers."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from typing import Any

from lambent.model.caller import Parameters
from lambent.services.s3.select.parser import parse_query
from lambent.services.s3.select.query import Query
from lambent.services.s3.select.records import RecordReader
from lambent.services.s3.select.written import writer_of

_EVENT_BYTES = 128 * 1024
_WAITING_BYTES = 1024 * 1024
"""A record of a megabyte may come on top of it."""


class Selection:
    def __init__(self, parameters: Parameters) -> None:
        """Raises what is wrong with the expression and the forms of input and output."""
        self._query: Query = parse_query(parameters["Expression"])
        self._reader = RecordReader(parameters["InputSerialization"])
        self._written = writer_of(parameters["OutputSerialization"])
        self._tells_progress = bool((parameters.get("RequestProgress") or {}).get("Enabled"))
        self._scanned = 0
        self._returned = 0
        self._waiting = bytearray()

    async def events(self, body: AsyncGenerator[bytes, None]) -> AsyncGenerator[Parameters, None]:
        """Reads no further than LIMIT needs: "scanned" are the bytes that were read for it."""
        async with aclosing(body):
            while not self._query.is_done and (piece := await anext(body, None)) is not None:
                self._scanned += len(piece)
                records = self._reader.feed(piece)
                while await asyncio.to_thread(self._take, records):
                    while len(self._waiting) > _EVENT_BYTES:
                        yield self._records(_EVENT_BYTES)
        if not self._query.is_done:
            records = self._reader.finish()
            while await asyncio.to_thread(self._take, records):
                yield self._records(_EVENT_BYTES)
        for answer in self._query.last_answers():
            self._waiting += self._written(answer)
        while self._waiting:
            yield self._records(_EVENT_BYTES)
        if self._tells_progress:
            yield {"Progress": {"Details": self._details()}}
        yield {"Stats": {"Details": self._details()}}
        yield {"End": {}}

    def _take(self, records: Iterator[Any]) -> bool:
        """Whether there may be more of them: what was answered is to be sent first."""
        for record in records:
            for answer in self._query.answers(record):
                self._waiting += self._written(answer)
            if self._query.is_done:
                return False
            if len(self._waiting) > _WAITING_BYTES:
                return True
        return False

    def _records(self, most: int) -> Parameters:
        payload = bytes(self._waiting[:most])
        del self._waiting[:most]
        self._returned += len(payload)
        return {"Records": {"Payload": payload}}

    def _details(self) -> dict[str, int]:
        return {
            "BytesScanned": self._scanned,
            "BytesProcessed": self._reader.processed,
            "BytesReturned": self._returned,
        }
