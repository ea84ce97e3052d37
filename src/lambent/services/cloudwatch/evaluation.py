"""What an alarm's datapoints decide: M out of N beyond the threshold, and what missing ones count for.

Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html
"""

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from lambent.model.alarm import State
from lambent.services.cloudwatch.input import moment_text

_COMPARE: Mapping[str, tuple[Callable[[float, float], bool], str]] = {
    "GreaterThanOrEqualToThreshold": (operator.ge, "greater than or equal to"),
    "GreaterThanThreshold": (operator.gt, "greater than"),
    "LessThanThreshold": (operator.lt, "less than"),
    "LessThanOrEqualToThreshold": (operator.le, "less than or equal to"),
}
COMPARISONS = frozenset(_COMPARE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """`state` None: it stays what it is. `reason` and `data` are AWS's StateReason and StateReasonData."""

    state: State | None
    reason: str = ""
    data: str = ""


def judge(
    settings: Mapping[str, Any], points: Sequence[tuple[int, float | None]], period: int, now: float
) -> Verdict:
    """`points` are the periods that are looked at, oldest first, None where one has no data."""
    wanted = settings["EvaluationPeriods"]
    needed = settings.get("DatapointsToAlarm", wanted)
    threshold = float(settings["Threshold"])
    compare, words = _COMPARE[settings["ComparisonOperator"]]
    missing = settings.get("TreatMissingData", "missing")
    known = [(at, value) for at, value in points if value is not None]
    # Data that comes late does not hide older data: the last known ones are looked at.
    breaches = [compare(value, threshold) for _, value in known[-wanted:]]
    lacking = wanted - len(breaches)
    if not known and missing == "ignore":
        return Verdict(state=None)
    if not known and missing == "missing":
        return _verdict("INSUFFICIENT_DATA", _lack(wanted, missing), settings, [], period, now)
    if missing == "breaching":
        breaches += [True] * lacking
    breaching = sum(breaches)
    state: State = "ALARM" if breaching >= needed else "OK"
    if missing == "ignore" and state == "OK" and breaching + lacking >= needed and lacking:
        return Verdict(state=None)
    reason = _reason(known[-wanted:], state, needed, wanted, words, threshold, missing)
    return _verdict(state, reason, settings, known[-wanted:], period, now)


def _reason(
    known: Sequence[tuple[int, float]],
    state: State,
    needed: int,
    wanted: int,
    words: str,
    threshold: float,
    missing: str,
) -> str:
    if not known:
        return _lack(wanted, missing)
    shown = ", ".join(f"{value} ({_moment(at)})" for at, value in reversed(known))
    if state == "ALARM":
        least = f"(minimum {_counted(needed, 'datapoint')} for OK -> ALARM transition)"
        return (
            f"Threshold Crossed: {needed} out of the last {wanted} datapoints [{shown}] {_were(needed)} {words} "
            f"the threshold ({threshold}) {least}."
        )
    count = len(known)
    return (
        f"Threshold Crossed: {_counted(count, 'datapoint')} [{shown}] {_were(count)} not {words} "
        f"the threshold ({threshold})."
    )


def _lack(wanted: int, missing: str) -> str:
    treated = {"breaching": "Breaching", "notBreaching": "NonBreaching"}.get(missing)
    if treated is None:
        return f"Insufficient Data: {_counted(wanted, 'datapoint')} {_were(wanted)} unknown."
    return (
        f"Threshold Crossed: no datapoints were received for {_counted(wanted, 'period')} and "
        f"{_counted(wanted, 'missing datapoint')} {_were(wanted)} treated as [{treated}]."
    )


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _were(number: int) -> str:
    return "was" if number == 1 else "were"


def _verdict(
    state: State,
    reason: str,
    settings: Mapping[str, Any],
    known: Sequence[tuple[int, float]],
    period: int,
    now: float,
) -> Verdict:
    data: dict[str, Any] = {"version": "1.0", "queryDate": moment_text(now)}
    if known:
        data["startDate"] = moment_text(known[0][0])
    if "Statistic" in settings:
        data["statistic"] = settings["Statistic"]
    data |= {
        "period": period,
        "recentDatapoints": [value for _, value in known],
        "threshold": float(settings["Threshold"]),
        "evaluatedDatapoints": [
            {"timestamp": moment_text(at), "value": value} for at, value in reversed(known)
        ],
    }
    return Verdict(state=state, reason=reason, data=orjson.dumps(data).decode())


def _moment(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%d/%m/%y %H:%M:%S")
