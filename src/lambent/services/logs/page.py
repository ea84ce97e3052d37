"""What one page of log events may hold."""

from lambent.store.ports.logs import LogEvent

EVENTS_MOST = 10_000
PAGE_BYTES_MOST = 1_048_576
_FIRST_CHUNK, _CHUNK_LEAST, _CHUNK_MOST = 50, 10, 1000
_CHUNK_BYTES = 2 * 1_048_576

Position = tuple[int, int]
"""(timestamp in ms, event id): a place in the order of a group's events."""


def position(event: LogEvent) -> Position:
    return event.timestamp_ms, event.id


def event_id(event: LogEvent) -> str:
    """56 digits, as AWS's; they sort as the events do."""
    return f"{event.timestamp_ms:019d}{event.id:037d}"


def chunk_size(events: int, size: int) -> int:
    """How many events to read next, after `events` of `size` bytes in all: so that a chunk of big messages does not
    fill the memory, and one of small messages is worth its query."""
    if not events:
        return _FIRST_CHUNK
    return max(_CHUNK_LEAST, min(_CHUNK_MOST, _CHUNK_BYTES * events // max(size, 1)))
