"""The right to run one invocation, counted per account and region.

Source: https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html
"""

from collections.abc import Callable
from functools import partial

from lambent.model.lambda_errors import TooManyRequestsException


class Concurrency:
    """Leases are taken before an environment is, and given back when the invocation is over, even if its caller has
    left long ago."""

    def __init__(self, account_limit: int) -> None:
        self._limit = account_limit
        self._running: dict[tuple[str, str], int] = {}

    def acquire(self, account_id: str, region: str) -> Callable[[], None]:
        """Returns how to give the lease back, once. Raises TooManyRequestsException at the limit."""
        key = (account_id, region)
        running = self._running.get(key, 0)
        if running >= self._limit:
            raise TooManyRequestsException(
                "Rate Exceeded.", members={"Reason": "ConcurrentInvocationLimitExceeded", "Type": "User"}
            )
        self._running[key] = running + 1
        return partial(self._release, key)

    def _release(self, key: tuple[str, str]) -> None:
        self._running[key] -= 1
        assert self._running[key] >= 0, "a lease was given back twice"

    def running(self, account_id: str, region: str) -> int:
        return self._running.get((account_id, region), 0)
