"""Answers of a query as bytes.

Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_OutputSerialization.html
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from lambent.services.s3.select.errors import InvalidDataSource, OverMaxRecordSize
from lambent.services.s3.select.records import RECORD_MOST
from lambent.services.s3.select.values import is_absent, text_of

Write = Callable[[Mapping[str, Any]], str]


def writer_of(serialization: Mapping[str, Any]) -> Callable[[Mapping[str, Any]], bytes]:
    """Raises InvalidDataSource."""
    if "JSON" in serialization:
        write = _json_writer(serialization["JSON"] or {})
    elif "CSV" in serialization:
        write = _csv_writer(serialization["CSV"] or {})
    else:
        raise InvalidDataSource()

    def written(answer: Mapping[str, Any]) -> bytes:
        text = write(answer)
        if len(text) > RECORD_MOST:
            raise OverMaxRecordSize()
        return text.encode()

    return written


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _json_writer(options: Mapping[str, Any]) -> Write:
    ends = str(options.get("RecordDelimiter", "\n"))
    return lambda answer: _json(answer) + ends


def _csv_writer(options: Mapping[str, Any]) -> Write:
    ends, between = str(options.get("RecordDelimiter", "\n")), str(options.get("FieldDelimiter", ","))
    quote = str(options.get("QuoteCharacter", '"'))
    escape = str(options.get("QuoteEscapeCharacter") or quote)
    always = options.get("QuoteFields") == "ALWAYS"
    special = [text for text in (ends, between, quote) if text]

    def field(value: Any) -> str:
        text = "" if is_absent(value) else _json(value) if isinstance(value, dict | list) else text_of(value)
        if quote and (always or any(one in text for one in special)):
            return quote + text.replace(quote, escape + quote) + quote
        return text

    return lambda answer: between.join(map(field, answer.values())) + ends
