"""SNS topics and their subscriptions. Moments are milliseconds since the Unix epoch."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from lambent.base.arn import partition_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """`attributes` are those that were given, under AWS's names; others have their defaults."""

    account_id: str
    region: str
    name: str
    attributes: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    created_at: int
    archived_since: int | None = None
    """Since when there is an archive; None where there is no ArchivePolicy."""

    @property
    def arn(self) -> str:
        return f"arn:{partition_of(self.region)}:sns:{self.region}:{self.account_id}:{self.name}"

    @property
    def is_fifo(self) -> bool:
        return self.name.endswith(".fifo")


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """`confirmed` says whether it gets messages, `authenticated` whether who confirmed it signed that;
    `unsubscribe_authenticated` whether a signature is needed to end it. `link_base` is the address of this server that
    the subscriber knows, for the links in what it is sent."""

    arn: str
    topic_arn: str
    protocol: str
    endpoint: str
    owner: str
    principal_arn: str
    attributes: Mapping[str, str] = field(default_factory=dict)
    confirmed: bool
    authenticated: bool = False
    unsubscribe_authenticated: bool = False
    link_base: str
    created_at: int
