"""Schedule expressions: rate(5 minutes), cron(0 10 ? * MON-FRI *), at(2026-03-01T09:00:00). Pure.

A schedule knows the time after a time. Crons and one-time schedules are of a time zone: a local time that clocks skip
does not happen, one that they pass twice happens once. A rate counts elapsed time, whatever clocks do.

Source: https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
"""

from lambent.model.schedule.expression import InvalidScheduleError, Once, Rate, Schedule, parse_schedule

__all__ = ["InvalidScheduleError", "Once", "Rate", "Schedule", "parse_schedule"]
