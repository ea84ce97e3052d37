"""An alarm on a metric, as PutMetricAlarm made it, with its state."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

State = Literal["OK", "ALARM", "INSUFFICIENT_DATA"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """`settings` are members of PutMetricAlarm. Times are epoch seconds; `transitioned_at` is when the state was
    another one last."""

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

    def arn(self, partition: str) -> str:
        return alarm_arn(partition, self.region, self.account_id, self.name)

    @property
    def actions_enabled(self) -> bool:
        return bool(self.settings.get("ActionsEnabled", True))

    def actions(self, state: State) -> list[str]:
        """ARNs of what is to be told when it enters a state."""
        name = {"OK": "OKActions", "ALARM": "AlarmActions", "INSUFFICIENT_DATA": "InsufficientDataActions"}[
            state
        ]
        return list(self.settings.get(name, ()))


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmHistoryItem:
    """`kind` is ConfigurationUpdate, StateUpdate or Action; `data` is JSON text."""

    alarm_name: str
    at: float
    kind: str
    summary: str
    data: str


def alarm_arn(partition: str, region: str, account_id: str, name: str) -> str:
    return f"arn:{partition}:cloudwatch:{region}:{account_id}:alarm:{name}"
