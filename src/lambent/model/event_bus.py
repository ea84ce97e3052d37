"""EventBridge's nouns: buses, their rules, and the rules' targets."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

DEFAULT_BUS = "default"

RuleState = Literal["ENABLED", "DISABLED", "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EventBus:
    """`policy` is the text of the attached resource policy. `settings` are members of CreateEventBus that are only
    told again: Description, DeadLetterConfig, LogConfig."""

    name: str
    policy: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    created_at: float
    modified_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """`targets` are as PutTargets was given them, by their ids; `managed_by` is the service that made the rule for
    itself. `scheduled_from` is when its rate began to count."""

    account_id: str
    region: str
    bus: str
    name: str
    event_pattern: str | None = None
    schedule_expression: str | None = None
    state: RuleState = "ENABLED"
    description: str | None = None
    role_arn: str | None = None
    managed_by: str | None = None
    created_by: str = ""
    targets: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    scheduled_from: float | None = None

    @property
    def enabled(self) -> bool:
        return self.state != "DISABLED"

    def arn(self, partition: str = "aws") -> str:
        path = self.name if self.bus == DEFAULT_BUS else f"{self.bus}/{self.name}"
        return f"arn:{partition}:events:{self.region}:{self.account_id}:rule/{path}"


def bus_arn(partition: str, region: str, account_id: str, name: str) -> str:
    return f"arn:{partition}:events:{region}:{account_id}:event-bus/{name}"
