"""What one page of log events may hold."""

from collections.abc import Iterable

from lambent.store.ports.logs import LogEvent

EVENTS_MOST = 10_000
PAGE_BYTES_MOST = 1_048_576

Position = tuple[int, int]
"""(timestamp in ms, event id): a place in the order of a group's events."""


def position(event: LogEvent) -> Position:
    return event.timestamp_ms, event.id


def event_id(event: LogEvent) -> str:
    """56 digits, as AWS's; they sort as the events do."""
    return f"{event.timestamp_ms:019d}{event.id:037d}"


def fitting(events: Iterable[LogEvent], limit: int) -> list[LogEvent]:
    """The first events that fit into one page: at least one, however big it is."""
    page: list[LogEvent] = []
    size = 0
    for event in events:
        size += len(event.message.encode())
        if page and (size > PAGE_BYTES_MOST or len(page) >= limit):
            break
        page.append(event)
    return page
