"""From the text of a schedule expression to the times that it means."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Protocol

from lambent.model.schedule.cron import Cron, parse_cron
from lambent.model.schedule.invalid import InvalidScheduleError
from lambent.model.schedule.local_time import moment_of

__all__ = ["InvalidScheduleError", "Once", "Rate", "Schedule", "parse_schedule"]

_RATE = re.compile(r"rate\(([0-9]{1,9}) (minute|hour|day)(s?)\)")
_AT = re.compile(r"at\(([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})\)")
_CRON = re.compile(r"cron\((.*)\)")
_SECONDS: Mapping[str, int] = {"minute": 60, "hour": 3600, "day": 86_400}


class Schedule(Protocol):
    """Moments are epoch seconds."""

    def next(self, after: float, *, since: float) -> float | None:
        """The first moment later than `after`; None where there is none any more. Rates count from `since`, and
        `since` itself is their first."""
        ...


@dataclass(frozen=True, slots=True)
class Rate:
    seconds: int

    def next(self, after: float, *, since: float) -> float | None:
        if after < since:
            return since
        return since + (math.floor((after - since) / self.seconds) + 1) * self.seconds


@dataclass(frozen=True, slots=True)
class Once:
    moment: float | None
    """None where clocks skip it."""

    def next(self, after: float, *, since: float) -> float | None:
        return self.moment if self.moment is not None and self.moment > after else None


@dataclass(frozen=True, slots=True)
class Recurring:
    cron: Cron
    zone: tzinfo

    def next(self, after: float, *, since: float) -> float | None:
        return self.cron.next(after, self.zone)


def parse_schedule(text: str, zone: tzinfo, *, any_number: bool = False) -> Schedule:
    """`any_number` takes "1 minutes" and "2 minute" too, as Scheduler does and EventBridge does not. Raises
    InvalidScheduleError."""
    if found := _RATE.fullmatch(text):
        number = int(found[1])
        if number < 1 or not (any_number or (found[3] == "s") == (number > 1)):
            raise InvalidScheduleError(text)
        return Rate(number * _SECONDS[found[2]])
    if found := _AT.fullmatch(text):
        try:
            return Once(moment_of(datetime.fromisoformat(found[1]), zone))
        except ValueError:
            raise InvalidScheduleError(text) from None
    if found := _CRON.fullmatch(text):
        return Recurring(parse_cron(found[1]), zone)
    raise InvalidScheduleError(text)
