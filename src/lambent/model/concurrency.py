"""Concurrency that a function was promised.

Source: https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html
"""

from dataclasses import dataclass
from typing import Literal

from lambent.model.function import FunctionId

UNRESERVED_LEAST = 100
"""How much of an account's concurrency must stay unreserved."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvisionedConcurrency:
    """Environments kept initialized for a version or an alias (`qualifier`). `last_modified` is epoch seconds."""

    function: FunctionId
    qualifier: str
    requested: int
    last_modified: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvisionedStatus:
    """How many of the environments of a configuration are initialized; `reason` says why others cannot be."""

    ready: int
    status: Literal["IN_PROGRESS", "READY", "FAILED"]
    reason: str | None = None
