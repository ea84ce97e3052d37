"""EventBridge Scheduler's nouns: schedules, and the groups that they are in. Times are epoch seconds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

DEFAULT_GROUP = "default"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleGroup:
    name: str
    state: Literal["ACTIVE", "DELETING"] = "ACTIVE"
    tags: Mapping[str, str] = field(default_factory=dict)
    client_token: str | None = None
    created_at: float
    modified_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleRecord:
    """`target` and `window` are as CreateSchedule was given them, `since` is when a rate began to count."""

    account_id: str
    region: str
    group: str
    name: str
    expression: str
    time_zone: str = "UTC"
    start: float | None = None
    end: float | None = None
    since: float
    description: str | None = None
    state: Literal["ENABLED", "DISABLED"] = "ENABLED"
    target: Mapping[str, Any]
    window: Mapping[str, Any]
    action_after_completion: Literal["NONE", "DELETE"] = "NONE"
    client_token: str | None = None
    created_at: float
    modified_at: float

    def arn(self, partition: str = "aws") -> str:
        return f"arn:{partition}:scheduler:{self.region}:{self.account_id}:schedule/{self.group}/{self.name}"


def group_arn(partition: str, region: str, account_id: str, name: str) -> str:
    return f"arn:{partition}:scheduler:{region}:{account_id}:schedule-group/{name}"
