"""Dashboards of CloudWatch: an account's, in no region."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Dashboard:
    name: str
    body: str
    """JSON, as it was given. Nothing here draws it."""
    modified_at: float


def dashboard_arn(partition: str, account_id: str, name: str) -> str:
    return f"arn:{partition}:cloudwatch::{account_id}:dashboard/{name}"
