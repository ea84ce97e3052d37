"""Queue URLs: http://HOST/ACCOUNT/NAME here, and whatever else names a queue where one is asked for."""

from collections.abc import Sequence
from urllib.parse import urlsplit

from lambent.model.caller import Caller
from lambent.model.queue import Queue, QueueKey
from lambent.services.sqs.errors import InvalidAddress


def queue_url(queue: Queue, caller: Caller) -> str:
    """With the address at which the caller reached us: inside of functions that is another one."""
    return f"{caller.endpoint_url}/{queue.account_id}/{queue.name}"


def parse_queue_url(url: str, caller: Caller) -> QueueKey:
    """Hosts say nothing: one server is reached by several names. A bare name is of the caller's own account, as AWS has
    it. Raises InvalidAddress."""
    path = urlsplit(url).path.strip("/") if "/" in url else url
    if "/" not in path:
        return caller.account_id, caller.region, path
    segments: Sequence[str] = [part for part in path.split("/") if part]
    if len(segments) < 2 or not segments[-2].isdigit():
        raise InvalidAddress(f"The address {url} is not valid for this endpoint.")
    return segments[-2], caller.region, segments[-1]
