"""How a function's asynchronous invocations are handled: its event invoke configuration.

Source: the FunctionEventInvokeConfig shape of the lambda service model.
"""

from dataclasses import dataclass

from lambent.model.function import FunctionId


@dataclass(frozen=True, slots=True, kw_only=True)
class EventInvokeConfig:
    """Of one `qualifier`: `$LATEST` (which unqualified invocations have, too), a version or an alias.

    None is AWS's default. `last_modified` is epoch seconds; destinations are ARNs."""

    function: FunctionId
    qualifier: str
    maximum_retry_attempts: int | None = None
    maximum_event_age_seconds: int | None = None
    on_success: str | None = None
    on_failure: str | None = None
    last_modified: float
