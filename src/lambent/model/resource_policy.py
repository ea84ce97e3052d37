"""What is attached to a resource to say who else may use it: a queue's policy, a function's permissions."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourcePolicy:
    """`account_id` owns the resource. `document` is the policy's JSON text; without one (None) only its owner's
    account may use it. Where it is `exclusive`, a principal's own policies count only as far as it lets their account
    decide (a KMS key's)."""

    account_id: str
    document: str | None
    exclusive: bool = False
