"""What SendMessageBatch, DeleteMessageBatch and ChangeMessageVisibilityBatch have in common: entries with ids, of which
some may fail."""

import re
from collections.abc import Sequence
from typing import Any

from lambent.model.caller import Parameters
from lambent.model.error import ServiceException
from lambent.services.sqs.errors import (
    BatchEntryIdsNotDistinct,
    EmptyBatchRequest,
    InvalidBatchEntryId,
    MissingRequiredParameterException,
    TooManyEntriesInBatchRequest,
)
from lambent.wire.sqs_query import ERROR_CODES

_ENTRIES_MOST = 10
_ID = re.compile(r"[A-Za-z0-9_-]{1,80}")


def check_entries(entries: Sequence[Parameters], kind: str) -> None:
    """`kind` is the entries' name in the model. Raises what is wrong with the batch as a whole."""
    if not entries:
        raise EmptyBatchRequest(f"There should be at least one {kind} in the request.")
    if len(entries) > _ENTRIES_MOST:
        raise TooManyEntriesInBatchRequest(
            f"Maximum number of entries per request are {_ENTRIES_MOST}. You have sent {len(entries)}."
        )
    seen: set[str] = set()
    for number, entry in enumerate(entries, 1):
        id = entry.get("Id")
        if id is None:
            raise MissingRequiredParameterException(f"{kind}.{number}.Id")
        if not _ID.fullmatch(id):
            raise InvalidBatchEntryId(
                "A batch entry id can only contain alphanumeric characters, hyphens and underscores. "
                "It can be at most 80 letters long."
            )
        if id in seen:
            raise BatchEntryIdsNotDistinct(f"Id {id} repeated.")
        seen.add(id)


def failed(id: str, error: ServiceException) -> dict[str, Any]:
    """An entry of a batch's Failed, with the code that the query protocol has for it."""
    return {
        "Id": id,
        "SenderFault": True,
        "Code": ERROR_CODES.get(error.code, error.code),
        "Message": error.message,
    }


def outcome(successful: Sequence[Any], failures: Sequence[Any]) -> Parameters:
    """Lists without entries are left out."""
    output: Parameters = {"Successful": list(successful)} if successful else {}
    return output | ({"Failed": list(failures)} if failures else {})
