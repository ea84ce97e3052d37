"""Resource policies of CloudWatch Logs: an account's, in a region, by name.

Source: the ResourcePolicy shape of the logs service model.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class LogResourcePolicy:
    document: str
    """As it was given."""
    updated_ms: int
