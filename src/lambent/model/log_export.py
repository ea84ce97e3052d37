"""Export tasks of CloudWatch Logs.

Source: the ExportTask shape of the logs service model.
"""

from dataclasses import dataclass
from typing import Literal

ExportStatus = Literal["PENDING", "RUNNING", "COMPLETED", "CANCELLED", "FAILED"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LogExport:
    """Of events with from_ms <= timestamp < to_ms. `prefix` None is as if it were "exportedlogs"."""

    name: str | None
    group: str
    stream_prefix: str
    from_ms: int
    to_ms: int
    bucket: str
    prefix: str | None
    created_ms: int
    status: ExportStatus = "PENDING"
    message: str | None = None
    completed_ms: int | None = None
    seen_ms: int = 0
    """When whoever carries it out was last heard of."""
