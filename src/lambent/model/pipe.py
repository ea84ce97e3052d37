"""EventBridge Pipes' noun: what takes records from a source, may enrich them, and gives them to a target."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

PIPES = "pipes.amazonaws.com"
BATCH_DEFAULT = 10

PipeState = Literal["RUNNING", "STOPPED", "CREATING", "UPDATING", "DELETING", "STARTING", "STOPPING"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipe:
    """As it is wanted (`desired_state`) and as it is (`state`). The parameters are as CreatePipe was given them, times
    are epoch seconds; a change does not show as over before `settles_at`."""

    account_id: str
    region: str
    name: str
    description: str | None = None
    desired_state: Literal["RUNNING", "STOPPED", "DELETED"] = "RUNNING"
    state: PipeState
    settles_at: float
    source: str
    source_parameters: Mapping[str, Any] = field(default_factory=dict)
    enrichment: str | None = None
    enrichment_parameters: Mapping[str, Any] = field(default_factory=dict)
    target: str
    target_parameters: Mapping[str, Any] = field(default_factory=dict)
    log_configuration: Mapping[str, Any] = field(default_factory=dict)
    role_arn: str
    tags: Mapping[str, str] = field(default_factory=dict)
    created_at: float
    modified_at: float

    def arn(self, partition: str = "aws") -> str:
        return pipe_arn(partition, self.region, self.account_id, self.name)

    @property
    def in_transition(self) -> bool:
        return self.state not in ("RUNNING", "STOPPED")


def pipe_arn(partition: str, region: str, account_id: str, name: str) -> str:
    return f"arn:{partition}:pipes:{region}:{account_id}:pipe/{name}"


def batching(pipe: Pipe) -> Mapping[str, Any]:
    """How its queue is read: BatchSize, MaximumBatchingWindowInSeconds where it is given."""
    return {"BatchSize": BATCH_DEFAULT, **pipe.source_parameters.get("SqsQueueParameters", {})}
