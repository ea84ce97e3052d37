"""The right to run one invocation, counted per account and region.

Source: https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html
"""

from lambent.model.lambda_errors import TooManyRequestsException


class Concurrency:
    """Leases are taken before an environment is, and given back when the invocation is over."""

    def __init__(self, account_limit: int) -> None:
        self._limit = account_limit
        self._running: dict[tuple[str, str], int] = {}

    def acquire(self, account_id: str, region: str) -> None:
        """Raises TooManyRequestsException at the limit."""
        key = (account_id, region)
        running = self._running.get(key, 0)
        if running >= self._limit:
            raise TooManyRequestsException(
                "Rate Exceeded.", members={"Reason": "ConcurrentInvocationLimitExceeded", "Type": "User"}
            )
        self._running[key] = running + 1

    def release(self, account_id: str, region: str) -> None:
        self._running[account_id, region] -= 1

    def running(self, account_id: str, region: str) -> int:
        return self._running.get((account_id, region), 0)
