"""An alarm on a metric, or on other alarms, as it was put, with its state."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

State = Literal["OK", "ALARM", "INSUFFICIENT_DATA"]
Suppression = Literal["WaitPeriod", "ExtensionPeriod", "Alarm"]
_ACTIONS_OF = {"OK": "OKActions", "ALARM": "AlarmActions", "INSUFFICIENT_DATA": "InsufficientDataActions"}
ACTIONS = tuple(_ACTIONS_OF.values())
COMPOSITE = "composite"
"""The parent by which composite alarms are found among all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """`settings` are members of PutMetricAlarm or PutCompositeAlarm. Times are epoch seconds; `transitioned_at` is when
    the state was another one last.

    Of a composite alarm, `seen` is what its children's states were when it was looked at last (None: it was not, since
    it was put), and `owes` whether actions for its state were suppressed and are still to be carried out."""

    name: str
    account_id: str
    region: str
    settings: Mapping[str, Any]
    configured_at: float
    tags: Mapping[str, str] = field(default_factory=dict)
    state: State = "INSUFFICIENT_DATA"
    reason: str = "Unchecked: Initial alarm creation"
    reason_data: str | None = None
    updated_at: float
    transitioned_at: float
    seen: Mapping[str, State] | None = None
    suppressed_by: Suppression | None = None
    owes: bool = False

    def arn(self, partition: str) -> str:
        return alarm_arn(partition, self.region, self.account_id, self.name)

    @property
    def actions_enabled(self) -> bool:
        return bool(self.settings.get("ActionsEnabled", True))

    @property
    def is_composite(self) -> bool:
        return "AlarmRule" in self.settings

    @property
    def kind(self) -> str:
        """Of the AlarmType shape."""
        return "CompositeAlarm" if self.is_composite else "MetricAlarm"

    @property
    def suppressed_reason(self) -> str:
        return f"Actions suppressed by {self.suppressed_by}"

    def actions(self, state: State) -> list[str]:
        """ARNs of what is to be told when it enters a state."""
        return list(self.settings.get(_ACTIONS_OF[state], ()))


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmHistoryItem:
    """`kind` is ConfigurationUpdate, StateUpdate or Action; `data` is JSON text; `alarm_kind` is of AlarmType."""

    alarm_name: str
    at: float
    kind: str
    summary: str
    data: str
    alarm_kind: str = "MetricAlarm"


def alarm_arn(partition: str, region: str, account_id: str, name: str) -> str:
    return f"arn:{partition}:cloudwatch:{region}:{account_id}:alarm:{name}"
