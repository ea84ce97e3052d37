"""What an alarm's datapoints decide: M out of N beyond the threshold, and what missing ones count for.

Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

import orjson

from lambent.model.alarm import State
from lambent.services.cloudwatch.input import moment_text
from lambent.services.cloudwatch.thresholds import NO_LIMITS, Band, Limits, Threshold, threshold_of

_SAMPLES_BEYOND = 10
"""So many measurements must lie beyond a percentile: 10/(1-p) of all above the median, 10/p below."""
_TREATED = {"breaching": "Breaching", "notBreaching": "NonBreaching"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """`state` None: it stays what it is. `reason` and `data` are AWS's StateReason and StateReasonData."""

    state: State | None
    reason: str = ""
    data: str = ""


def judge(
    settings: Mapping[str, Any],
    points: Sequence[tuple[int, float | None]],
    period: int,
    now: float,
    samples: Mapping[int, float] = MappingProxyType({}),
    limits: Limits = NO_LIMITS,
) -> Verdict:
    """`points` are the periods that are looked at, oldest first, None where one has no data; `samples` says of how
    many measurements each is, as far as that is known. `limits` are those of an alarm on a band."""
    wanted = settings["EvaluationPeriods"]
    needed = settings.get("DatapointsToAlarm", wanted)
    threshold = threshold_of(settings, limits)
    missing = settings.get("TreatMissingData", "missing")
    # Data that comes late does not hide older data: the last known ones are looked at.
    known = [(at, value) for at, value in points if value is not None and threshold.judges(at)][-wanted:]
    told = _Told(settings, threshold, known, [at for at, _ in points[-wanted:]], samples, period, now)
    breaches = [threshold.is_crossed(at, value) for at, value in known]
    lacking = wanted - len(breaches)
    if not known and missing == "ignore":
        return Verdict(state=None)
    if not known and missing == "missing":
        return told.verdict("INSUFFICIENT_DATA")
    if known and _too_few(settings, [samples.get(at, 0.0) for at, _ in known]):
        return Verdict(state=None)
    if missing == "breaching":
        breaches += [True] * lacking
    breaching = sum(breaches)
    state: State = "ALARM" if breaching >= needed else "OK"
    if missing == "ignore" and state == "OK" and breaching + lacking >= needed and lacking:
        return Verdict(state=None)
    return told.verdict(state)


def _too_few(settings: Mapping[str, Any], samples: Sequence[float]) -> bool:
    """Whether a percentile of so few measurements says nothing, and the alarm is to ignore it then."""
    if settings.get("EvaluateLowSampleCountPercentile") != "ignore":
        return False
    percent = float(settings["ExtendedStatistic"].removeprefix("p"))
    return min(samples) * min(percent, 100 - percent) < 100 * _SAMPLES_BEYOND


@dataclass(frozen=True, slots=True)
class _Told:
    """A state in AWS's words. `known` are the datapoints that decided, `moments` the periods that were asked for."""

    settings: Mapping[str, Any]
    threshold: Threshold
    known: Sequence[tuple[int, float]]
    moments: Sequence[int]
    samples: Mapping[int, float]
    period: int
    now: float

    def verdict(self, state: State) -> Verdict:
        reason = self._reason(state) if self.known else self._lack()
        return Verdict(state=state, reason=reason, data=orjson.dumps(self._data()).decode())

    def _reason(self, state: State) -> str:
        """Where DatapointsToAlarm is given, only the datapoints that count are named."""
        wanted, needed = self.settings["EvaluationPeriods"], self.settings.get("DatapointsToAlarm")
        by_band = isinstance(self.threshold, Band)
        breaching = state == "ALARM"
        shown = [one for one in self.known if self.threshold.is_crossed(*one) is breaching]
        if (needed is None and not by_band) or not shown:
            shown = list(self.known)
        count = len(shown)
        listed = ", ".join(f"{value} ({_moment(at)})" for at, value in reversed(shown))
        were = f"[{listed}] {_were(count)} {self.threshold.words(shown, breaching)}"
        if needed is None and not by_band:
            return f"Threshold Crossed: {_counted(count, 'datapoint')} {were}."
        needed = needed or wanted
        least = needed if breaching else wanted - needed + 1
        change = "OK -> ALARM" if breaching else "ALARM -> OK"
        return (
            f"Threshold{'s' if by_band else ''} Crossed: {count} out of the last {wanted} datapoints {were} "
            f"(minimum {_counted(least, 'datapoint')} for {change} transition)."
        )

    def _lack(self) -> str:
        wanted = self.settings["EvaluationPeriods"]
        treated = _TREATED.get(self.settings.get("TreatMissingData", "missing"))
        if treated is None:
            return f"Insufficient Data: {_counted(wanted, 'datapoint')} {_were(wanted)} unknown."
        return (
            f"Threshold Crossed: no datapoints were received for {_counted(wanted, 'period')} and "
            f"{_counted(wanted, 'missing datapoint')} {_were(wanted)} treated as [{treated}]."
        )

    def _data(self) -> dict[str, Any]:
        settings = self.settings
        data: dict[str, Any] = {"version": "1.0", "queryDate": moment_text(self.now)}
        if self.known:
            data["startDate"] = moment_text(self.known[0][0])
        if "Unit" in settings:
            data["unit"] = settings["Unit"]
        if statistic := settings.get("Statistic") or settings.get("ExtendedStatistic"):
            data["statistic"] = statistic
        evaluated: list[dict[str, Any]] = [{"timestamp": moment_text(at)} for at in reversed(self.moments)]
        if self.known:
            evaluated = [self._evaluated(at, value) for at, value in reversed(self.known)]
        return data | {
            "period": self.period,
            "recentDatapoints": [value for _, value in self.known],
            **self.threshold.data(self.known),
            "evaluatedDatapoints": evaluated,
        }

    def _evaluated(self, at: int, value: float) -> dict[str, Any]:
        count = {"sampleCount": self.samples[at]} if at in self.samples else {}
        return {"timestamp": moment_text(at), **count, "value": value, **self.threshold.data_at(at)}


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _were(number: int) -> str:
    return "was" if number == 1 else "were"


def _moment(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%d/%m/%y %H:%M:%S")
