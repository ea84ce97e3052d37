"""What becomes of a composite alarm when it is looked at: its state, and whether its actions are suppressed.

A pure function of the alarm, its children and its suppressor.

Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-suppression.html
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import orjson

from lambent.base.arn import partition_of
from lambent.model.alarm import Alarm, State, Suppression
from lambent.services.cloudwatch.alarm_rule import parse_rule
from lambent.services.cloudwatch.input import moment_text

Children = Mapping[str, Alarm | None]
"""By what the rule calls them. None: there is none (any more)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """`acts`: the actions for its state are to be carried out. `due_at`: when a suppression may be over."""

    alarm: Alarm
    acts: bool
    due_at: float | None


def look(alarm: Alarm, children: Children, suppressor: Alarm | None, now: float) -> Look:
    """An alarm whose state was set by hand keeps it until a child changes."""
    seen: dict[str, State] = {
        name: "INSUFFICIENT_DATA" if child is None else child.state for name, child in children.items()
    }
    after = alarm if alarm.seen == seen else _evaluated(alarm, children, seen, now)
    changed = after.state != alarm.state
    suppressed_by, until = _suppression(after, suppressor, now, changed=changed)
    acts = (changed or after.owes) and suppressed_by is None
    owes = (changed or after.owes) and not acts
    return Look(alarm=replace(after, suppressed_by=suppressed_by, owes=owes), acts=acts, due_at=until)


def _evaluated(alarm: Alarm, children: Children, seen: Mapping[str, State], now: float) -> Alarm:
    state: State = "ALARM" if parse_rule(alarm.settings["AlarmRule"]).holds(seen) else "OK"
    after = replace(alarm, seen=seen)
    if state == alarm.state:
        return after
    partition = partition_of(alarm.region)
    known = [child for child in children.values() if child is not None]
    if alarm.seen is None:
        change = "created" if alarm.state == "INSUFFICIENT_DATA" else "updated"
        reason = f"{alarm.arn(partition)} was {change} and its alarm rule evaluates to {state}"
    else:
        before = alarm.seen
        moved = [
            child for name, child in children.items() if child is not None and before.get(name) != child.state
        ]
        cause = max(moved or known, key=lambda child: child.transitioned_at)
        known = [cause]
        at = datetime.fromtimestamp(cause.transitioned_at, UTC).strftime("%A %d %B, %Y %H:%M:%S UTC")
        reason = f"{cause.arn(partition)} transitioned to {cause.state} at {at}"
    told = [
        {
            "arn": child.arn(partition),
            "state": {"value": child.state, "timestamp": moment_text(child.updated_at)},
        }
        for child in known
    ]
    data = orjson.dumps({"triggeringAlarms": told}).decode()
    return replace(after, state=state, reason=reason, reason_data=data, updated_at=now, transitioned_at=now)


def _suppression(
    alarm: Alarm, suppressor: Alarm | None, now: float, *, changed: bool
) -> tuple[Suppression | None, float | None]:
    if suppressor is None:
        return None, None
    if suppressor.state == "ALARM":
        return "Alarm", None
    if alarm.suppressed_by in ("Alarm", "ExtensionPeriod"):
        until = suppressor.transitioned_at + alarm.settings["ActionsSuppressorExtensionPeriod"]
        return ("ExtensionPeriod", until) if now < until else (None, None)
    if changed or alarm.suppressed_by == "WaitPeriod":
        until = alarm.transitioned_at + alarm.settings["ActionsSuppressorWaitPeriod"]
        return ("WaitPeriod", until) if now < until else (None, None)
    return None, None
