"""The statement that AddPermission of queues and topics makes: accounts may call actions of one resource."""

from collections.abc import Sequence
from typing import Any


def account_statement(
    sid: str, *, accounts: Sequence[str], actions: Sequence[str], resource: str, partition: str
) -> dict[str, Any]:
    """As AWS writes it: one principal, or one action, stands alone and not in a list."""
    roots = [f"arn:{partition}:iam::{account}:root" for account in accounts]
    return {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": {"AWS": _one_or_all(roots)},
        "Action": _one_or_all(actions),
        "Resource": resource,
    }


def _one_or_all(values: Sequence[str]) -> str | list[str]:
    return values[0] if len(values) == 1 else list(values)
