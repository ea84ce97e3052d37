"""An event source mapping: which records of which source go to which function, and how.

Source: the EventSourceMappingConfiguration shape of the lambda service model, and
https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventsourcemapping.html
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lambent.base.arn import partition_of
from lambent.model.function import FunctionId


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedCriteria:
    """Filter criteria under a data key, as JSON; and that key as KMS has encrypted it. Both in Base64."""

    text: str
    data_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EventSourceMapping:
    """As the control plane wants it (`enabled`, `settings`) and as the data plane has made it (`state`).

    `state` is AWS's: Creating, Enabling, Enabled, Updating, Disabling, Disabled or Deleting. Times are epoch seconds.
    """

    account_id: str
    region: str
    uuid: str
    function_name: str
    qualifier: str | None = None
    """As the caller named the function: a version, an alias or None."""
    kind: str
    """The name of its SourceKind: "sqs", "kinesis", …"""
    source_arn: str | None = None
    settings: Mapping[str, Any]
    """The members of EventSourceMappingConfiguration that this mapping has beside those that are fields here, with
    their defaults; timestamps are epoch seconds."""
    enabled: bool = True
    state: str
    settles_at: float = 0.0
    """Before this a transition is not shown as over (`--state-transition-seconds`)."""
    last_modified: float
    revision_id: str
    """Another one after each change."""
    tags: Mapping[str, str] = field(default_factory=dict)
    sealed_criteria: SealedCriteria | None = None
    """`FilterCriteria`, which then are not among the settings: where these name a `KMSKeyArn`."""

    @property
    def function(self) -> FunctionId:
        return FunctionId(self.account_id, self.region, self.function_name)

    @property
    def function_arn(self) -> str:
        return self.function.arn(self.qualifier, partition_of(self.region))

    @property
    def arn(self) -> str:
        return mapping_arn(self.account_id, self.region, self.uuid)

    @property
    def source(self) -> tuple[str, ...]:
        """What the records come from. A function has one mapping for each."""
        endpoints = self.settings.get("SelfManagedEventSource", {}).get("Endpoints", {})
        brokers = ",".join(sorted(broker for names in endpoints.values() for broker in names))
        return (
            self.source_arn or brokers,
            *self.settings.get("Topics", ()),
            *self.settings.get("Queues", ()),
        )

    @property
    def encryption_context(self) -> Mapping[str, str]:
        """KMS's, for the filter criteria: those of one source and function are nothing to others.

        Source: https://docs.aws.amazon.com/lambda/latest/dg/security-encryption-at-rest.html"""
        source = {"aws:lambda:EventSourceArn": self.source_arn} if self.source_arn else {}
        return {**source, "aws:lambda:FunctionArn": self.function_arn}

    @property
    def in_transition(self) -> bool:
        """Whether the data plane still has something to do, after which the state is another."""
        return self.state not in ("Enabled", "Disabled")


def mapping_arn(account_id: str, region: str, uuid: str) -> str:
    return f"arn:{partition_of(region)}:lambda:{region}:{account_id}:event-source-mapping:{uuid}"
