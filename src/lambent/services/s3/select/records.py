"""The records of an object as its bytes arrive: unpacked, decoded, and cut into what a query sees one by one.

Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_InputSerialization.html
"""

import bz2
import codecs
import csv
import json
import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

from lambent.services.s3.select.errors import (
    CSVParsingError,
    InvalidDataSource,
    JSONParsingError,
    OverMaxRecordSize,
    TruncatedInput,
)
from lambent.services.s3.select.values import CsvRecord

RECORD_MOST = 1024 * 1024
"""Characters of one record."""
_PIECE = 1024 * 1024
_WHITE = " \t\r\n"


class Records(Protocol):
    def feed(self, text: str) -> Iterator[Any]: ...

    def finish(self) -> Iterator[Any]: ...


class RecordReader:
    """`processed` counts the bytes behind the compression."""

    def __init__(self, serialization: Mapping[str, Any]) -> None:
        """Raises InvalidDataSource."""
        self.processed = 0
        self._records = _records_of(serialization)
        self._unpack = _UNPACKING[serialization.get("CompressionType") or "NONE"]()
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")(errors="strict")

    def feed(self, data: bytes) -> Iterator[Any]:
        for piece in self._unpack.feed(data):
            self.processed += len(piece)
            yield from self._records.feed(self._decode(piece, last=False))

    def finish(self) -> Iterator[Any]:
        self._unpack.finish()
        yield from self._records.feed(self._decode(b"", last=True))
        yield from self._records.finish()

    def _decode(self, piece: bytes, *, last: bool) -> str:
        try:
            return self._decoder.decode(piece, last)
        except UnicodeDecodeError:
            raise self._malformed() from None

    def _malformed(self) -> Exception:
        return CSVParsingError() if isinstance(self._records, _CsvRecords) else JSONParsingError()


def _records_of(serialization: Mapping[str, Any]) -> Records:
    if "CSV" in serialization:
        return _CsvRecords(serialization["CSV"] or {})
    if "JSON" in serialization:
        return _JsonRecords()
    raise InvalidDataSource()


class _JsonRecords:
    """One value after the other, whatever white space is between them: documents, and lines as well."""

    def __init__(self) -> None:
        self._text = ""
        self._decoder = json.JSONDecoder()

    def feed(self, text: str) -> Iterator[Any]:
        self._text += text
        return self._taken(last=False)

    def finish(self) -> Iterator[Any]:
        yield from self._taken(last=True)
        if self._text.strip(_WHITE):
            raise JSONParsingError()

    def _taken(self, *, last: bool) -> Iterator[Any]:
        text, at = self._text, 0
        try:
            while True:
                while at < len(text) and text[at] in _WHITE:
                    at += 1
                if at == len(text):
                    return
                value, end = self._decoder.raw_decode(text, at)
                if end == len(text) and not last:
                    return  # a number may go on
                at = end
                yield value
        except ValueError:
            if len(text) - at > RECORD_MOST:
                raise OverMaxRecordSize() from None
        except RecursionError:
            raise JSONParsingError() from None
        finally:
            self._text = text[at:]


class _CsvRecords:
    def __init__(self, options: Mapping[str, Any]) -> None:
        self._ends = options.get("RecordDelimiter") or "\n"
        self._comment = options.get("Comments") or ""
        self._quote = options.get("QuoteCharacter", '"')
        self._quoted_ends = bool(options.get("AllowQuotedRecordDelimiter"))
        self._header = options.get("FileHeaderInfo") or "NONE"
        self._names: list[str] | None = None
        escape = options.get("QuoteEscapeCharacter") or self._quote
        self._dialect: dict[str, Any] = {
            "delimiter": options.get("FieldDelimiter") or ",",
            "quotechar": self._quote or None,
            "quoting": csv.QUOTE_MINIMAL if self._quote else csv.QUOTE_NONE,
            "doublequote": escape == self._quote,
            "escapechar": None if escape == self._quote else escape,
        }
        self._text = ""
        self._at = 0
        """Where the next record begins in it."""
        self._first = True

    def feed(self, text: str) -> Iterator[Any]:
        self._text, self._at = self._text[self._at :] + text, 0
        while (line := self._line()) is not None:
            yield from self._read(line)
        if len(self._text) - self._at > RECORD_MOST:
            raise OverMaxRecordSize()

    def finish(self) -> Iterator[Any]:
        line, self._text, self._at = self._text[self._at :], "", 0
        if line:
            yield from self._read(line)

    def _line(self) -> str | None:
        text, at = self._text, self._at
        end = text.find(self._ends, at)
        if self._quoted_ends and self._quote:
            counted, quotes = at, 0
            while end >= 0 and (quotes := quotes + text.count(self._quote, counted, end)) % 2:
                counted, end = end, text.find(self._ends, end + 1)
        if end < 0:
            return None
        self._at = end + len(self._ends)
        return text[at:end]

    def _read(self, line: str) -> Iterator[CsvRecord]:
        if self._ends == "\n":
            line = line.removesuffix("\r")
        if not line or (self._comment and line.startswith(self._comment)):
            return
        try:
            fields = next(csv.reader([line], **self._dialect))
        except (csv.Error, TypeError, StopIteration):
            raise CSVParsingError() from None
        if self._first:
            self._first = False
            if self._header != "NONE":
                self._names = fields if self._header == "USE" else None
                return
        names = self._names or []
        yield CsvRecord(
            (names[place] if place < len(names) else f"_{place + 1}", field)
            for place, field in enumerate(fields)
        )


class _Plain:
    def feed(self, data: bytes) -> Iterator[bytes]:
        yield data

    def finish(self) -> None: ...


class _Packed:
    """One compressed stream after the other, unpacked piece by piece: a small one may hold a large text."""

    def __init__(self, begin: Callable[[], Any]) -> None:
        self._begin = begin
        self._stream = begin()
        self._started = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        while data or self._holds_more():
            self._started = True
            try:
                piece = self._stream.decompress(data, _PIECE)
            except (zlib.error, OSError, EOFError):
                raise TruncatedInput() from None
            data = getattr(self._stream, "unconsumed_tail", b"")
            if self._stream.eof:
                data, self._stream, self._started = self._stream.unused_data, self._begin(), False
            if piece:
                yield piece

    def _holds_more(self) -> bool:
        return self._started and not getattr(self._stream, "needs_input", True)

    def finish(self) -> None:
        if self._started:
            raise TruncatedInput()


_UNPACKING: Mapping[str, Callable[[], Any]] = {
    "NONE": _Plain,
    "GZIP": lambda: _Packed(lambda: zlib.decompressobj(wbits=31)),
    "BZIP2": lambda: _Packed(bz2.BZ2Decompressor),
}
