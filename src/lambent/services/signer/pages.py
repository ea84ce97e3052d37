"""Lists in pages: maxResults and nextToken, which is the name of the last entry that was seen."""

from collections.abc import Callable
from typing import TypeVar

from lambent.model.caller import Caller, Parameters
from lambent.store.ports.named_records import NamedRecords

T = TypeVar("T")

_MOST = 25


async def page(
    records: NamedRecords[T],
    caller: Caller,
    parameters: Parameters,
    member: str,
    wanted: Callable[[T], bool],
    describe: Callable[[T], Parameters],
) -> Parameters:
    limit = parameters.get("maxResults", _MOST)
    after = parameters.get("nextToken", "")
    found: list[Parameters] = []
    while True:
        batch = await records.page(caller.account_id, caller.region, after=("", after), limit=_MOST)
        for name, value in batch:
            if wanted(value):
                if len(found) == limit:
                    return {member: found, "nextToken": after}
                found.append(describe(value))
            after = name.name
        if len(batch) < _MOST:
            return {member: found}
