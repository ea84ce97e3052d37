"""Subscription filters of log groups: whose matching events go where, as they come in.

Source: the SubscriptionFilter shape of the logs service model.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionFilter:
    pattern: str
    destination_arn: str
    """Of a function, or of its version or alias."""
    created_ms: int
