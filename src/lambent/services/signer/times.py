"""Times and periods, as requests give them."""

from datetime import UTC, datetime

from lambent.model.signing import PeriodType

_DAY = 86_400.0


def seconds(moment: datetime | float) -> float:
    """Epoch seconds of what came over the wire, or from within."""
    return moment.timestamp() if isinstance(moment, datetime) else float(moment)


def after(start: float, value: int, type: PeriodType) -> float:
    """Epoch seconds of the end of a period. A month later is on the same day, or on the last of its month."""
    if type == "DAYS":
        return start + value * _DAY
    begun = datetime.fromtimestamp(start, UTC)
    months = begun.year * 12 + begun.month - 1 + value * (12 if type == "YEARS" else 1)
    year, month = divmod(months, 12)
    for day in range(begun.day, begun.day - 4, -1):
        try:
            return begun.replace(year=year, month=month + 1, day=day).timestamp()
        except ValueError:
            continue
    raise AssertionError("every month has 28 days")
