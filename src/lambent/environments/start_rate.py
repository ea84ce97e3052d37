"""How fast a function may get new environments: 1,000 in ten seconds, given out continuously.

Source: https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html#scaling-rate
"""

from lambent.model.lambda_errors import TooManyRequestsException

_MOST = 1000.0
_PER_SECOND = 100.0


class StartRate:
    """Of one function. What is not used is not saved up."""

    def __init__(self, now: float) -> None:
        self._left = _MOST
        self._at = now

    def take(self, now: float) -> None:
        """Raises TooManyRequestsException where too many were started lately."""
        self._left = min(_MOST, self._left + (now - self._at) * _PER_SECOND)
        self._at = now
        if self._left < 1.0:
            raise TooManyRequestsException(
                "Rate Exceeded.", members={"Reason": "ConcurrentInvocationLimitExceeded"}
            )
        self._left -= 1.0
