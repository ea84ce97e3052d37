"""What a wall clock shows, and when."""

from datetime import UTC, datetime, tzinfo


def moment_of(local: datetime, zone: tzinfo) -> float | None:
    """When clocks in `zone` show this naive time, the first time where they do so twice; None where they skip it."""
    moment = local.replace(tzinfo=zone).astimezone(UTC)
    shown = moment.astimezone(zone).replace(tzinfo=None, fold=0)
    return moment.timestamp() if shown == local else None
