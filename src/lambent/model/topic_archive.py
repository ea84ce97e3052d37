"""What a FIFO topic keeps of its messages, and what a subscription gets again of it. Moments are milliseconds."""

from dataclasses import dataclass
from typing import Literal

ReplayStatus = Literal["Pending", "In progress", "Completed", "Failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchivedMessage:
    """`document` is the message as SNS writes it, sealed under `data_key` (Base64) where there is one. `archived_at`
    and `number` are the store's: together they grow from message to message of a topic."""

    topic_arn: str
    archived_at: int
    number: int = 0
    document: str
    data_key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """A subscription's replay. All messages up to (`after_at`, `after_number`) have been handed to delivery, the last
    of them in `lines`, which are waited for."""

    subscription_arn: str
    topic_arn: str
    id: str
    starting_at: int
    ending_at: int | None = None
    status: ReplayStatus = "Pending"
    after_at: int
    after_number: int = 0
    lines: tuple[str, ...] = ()

    @property
    def is_over(self) -> bool:
        return self.status in ("Completed", "Failed")

    @property
    def holds(self) -> bool:
        """Whether what is published is not for this subscription: while it still gets what was before, and for good
        where the replay has an end."""
        return not self.is_over or (self.status == "Completed" and self.ending_at is not None)
