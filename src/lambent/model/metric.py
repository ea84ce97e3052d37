"""What the parts of the server measure, in the terms of CloudWatch: who counts does not know who keeps it."""

from collections.abc import Mapping, Sequence
from typing import Protocol


class Metrics(Protocol):
    """Where measurements go."""

    def put(
        self,
        account_id: str,
        region: str,
        namespace: str,
        name: str,
        value: float | Sequence[float],
        *,
        unit: str = "None",
        dimensions: Mapping[str, str] | None = None,
        at: float | None = None,
    ) -> None:
        """Costs about a microsecond and never fails: kept in memory, stored in batches behind whoever measures. Several
        values at once cost little more than one.

        `namespace` and `name` are AWS's ("AWS/SQS", "NumberOfMessagesSent"), `unit` is of the StandardUnit shape.
        `at` (epoch seconds) is when it was, where that is not now."""
        ...
