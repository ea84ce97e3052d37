"""What is attached to a resource to say who else may use it: a queue's policy, a function's permissions."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourcePolicy:
    """`account_id` owns the resource. `document` is the policy's JSON text; without one (None) only its owner's
    account may use it."""

    account_id: str
    document: str | None
