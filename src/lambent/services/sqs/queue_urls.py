"""Queue URLs: http://HOST/ACCOUNT/NAME here, and whatever else names a queue where one is asked for."""

from collections.abc import Sequence
from functools import lru_cache
from urllib.parse import urlsplit

from lambent.model.caller import Caller
from lambent.model.queue import Queue, QueueKey
from lambent.services.sqs.errors import InvalidAddress

_REMEMBERED_LENGTH_MOST = 512


def queue_url(queue: Queue, caller: Caller) -> str:
    """With the address at which the caller reached us: inside of functions that is another one."""
    return f"{caller.endpoint_url}/{queue.account_id}/{queue.name}"


def parse_queue_url(url: str, caller: Caller) -> QueueKey:
    """Hosts say nothing: one server is reached by several names. A bare name is of the caller's own account, as AWS has
    it. Raises InvalidAddress."""
    found = _remembered(url) if len(url) <= _REMEMBERED_LENGTH_MOST else _read(url)
    if found is None:
        raise InvalidAddress(f"The address {url} is not valid for this endpoint.")
    account_id, name = found
    return account_id or caller.account_id, caller.region, name


def _read(url: str) -> tuple[str, str] | None:
    """The account, "" where none is named, and the queue."""
    path = urlsplit(url).path.strip("/") if "/" in url else url
    if "/" not in path:
        return "", path
    segments: Sequence[str] = [part for part in path.split("/") if part]
    if len(segments) < 2 or not segments[-2].isdigit():
        return None
    return segments[-2], segments[-1]


_remembered = lru_cache(maxsize=1024)(_read)
"""The same few queues are asked again and again. Bounded in number and, above, in length."""
