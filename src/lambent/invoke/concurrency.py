"""The right to run one invocation, counted per account and region, and per function where it has a reservation.

An account's functions share what is neither reserved nor provisioned. A function with a reservation has that and never
more. What is provisioned for a function is its own: that many of its invocations at a time take nothing from the rest.
Source: https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html
"""

from collections.abc import Callable, Iterator

from lambent.invoke.lineage import mark_of
from lambent.model.function import FunctionId
from lambent.model.lambda_errors import TooManyRequestsException

_REQUESTS_PER_EXECUTION = 10
"""In a second: AWS's limit of the rate of requests."""


class Capacity:
    """How many may run at a time of those who share it."""

    __slots__ = ("limit", "reserved", "running", "second", "started")

    def __init__(self, limit: int, *, reserved: bool) -> None:
        self.limit = limit
        self.reserved = reserved
        self.running = 0
        self.second = 0
        self.started = 0
        """How many requests came in this `second`."""

    def refusal(self) -> TooManyRequestsException:
        what = "ReservedFunctionConcurrent" if self.reserved else "Concurrent"
        return _rate_exceeded(f"{what}InvocationLimitExceeded")

    def count_request(self, now: float) -> None:
        """Raises TooManyRequestsException where too many came in this second."""
        second = int(now)
        if second != self.second:
            self.second = second
            self.started = 0
        self.started += 1
        if self.started > _REQUESTS_PER_EXECUTION * self.limit and self.limit > 0:
            what = "ReservedFunction" if self.reserved else "Function"
            raise _rate_exceeded(f"{what}InvocationRateLimitExceeded")


class Share:
    """What one function uses. `provisioned` of its invocations at a time do not count in its capacity."""

    __slots__ = ("capacity", "mark", "peak", "provisioned", "running")

    def __init__(self, capacity: Capacity, mark: str) -> None:
        self.capacity = capacity
        self.mark = mark
        """Stands for the function in tracing headers (lineage.py)."""
        self.provisioned = 0
        self.running = 0
        self.peak = 0
        """The most that ran at a time since the last `peaks`."""

    def acquire(self) -> Callable[[], None]:
        running = self.running
        if running >= self.provisioned:
            capacity = self.capacity
            if capacity.running >= capacity.limit:
                raise capacity.refusal()
            capacity.running += 1
        self.running = running = running + 1
        if running > self.peak:  # noqa: PLR1730 - a call of max() costs more than the rest of this
            self.peak = running
        return self.release

    def release(self) -> None:
        self.running -= 1
        assert self.running >= 0, "a lease was given back twice"
        if self.running >= self.provisioned:
            self.capacity.running -= 1

    def move(self, capacity: Capacity, provisioned: int) -> None:
        """What runs meanwhile is counted where it would have been if it had begun now."""
        self.capacity.running -= max(0, self.running - self.provisioned)
        self.capacity = capacity
        self.provisioned = provisioned
        self.capacity.running += max(0, self.running - provisioned)


class Concurrency:
    """Leases are taken before an environment is, and given back when the invocation is over, even if its caller has
    left long ago."""

    def __init__(self, account_limit: int) -> None:
        self._account_limit = account_limit
        self._unreserved: dict[tuple[str, str], Capacity] = {}
        self._shares: dict[FunctionId, Share] = {}
        self._reserved: dict[FunctionId, int] = {}

    def share(self, function: FunctionId) -> Share:
        share = self._shares.get(function)
        if share is None:
            share = self._shares[function] = Share(self._capacity_of_account(function), mark_of(function))
        return share

    def acquire(self, function: FunctionId) -> Callable[[], None]:
        """Returns how to give the lease back, once. Raises TooManyRequestsException at the limit."""
        return self.share(function).acquire()

    def allot(self, function: FunctionId, reserved: int | None, provisioned: int) -> None:
        """What the function has from now on. What is provisioned is part of what is reserved."""
        share, account = self.share(function), self._capacity_of_account(function)
        account.limit += self._taken(function, share)
        if reserved is None:
            self._reserved.pop(function, None)
            share.move(account, provisioned)
        else:
            self._reserved[function] = reserved
            share.move(Capacity(reserved, reserved=True), 0)
        account.limit -= self._taken(function, share)

    def _taken(self, function: FunctionId, share: Share) -> int:
        return self._reserved.get(function, share.provisioned)

    def _capacity_of_account(self, function: FunctionId) -> Capacity:
        key = (function.account_id, function.region)
        capacity = self._unreserved.get(key)
        if capacity is None:
            capacity = self._unreserved[key] = Capacity(self._account_limit, reserved=False)
        return capacity

    def room(self, function: FunctionId) -> int:
        """How many more invocations of it could begin now."""
        share = self.share(function)
        own = max(0, share.provisioned - share.running)
        return own + max(0, share.capacity.limit - share.capacity.running)

    def room_for_events(self, function: FunctionId) -> int:
        """The same for events. Those of a function that may run nothing end without being run, and need no room."""
        return self._account_limit if self.closed(function) else self.room(function)

    def closed(self, function: FunctionId) -> bool:
        """Whether nothing of it may ever run: it has a reservation of 0."""
        return self._reserved.get(function) == 0

    def running(self, account_id: str, region: str) -> int:
        return sum(
            share.running
            for function, share in self._shares.items()
            if (function.account_id, function.region) == (account_id, region)
        )

    def peaks(self) -> Iterator[tuple[FunctionId, int]]:
        """The most that ran at a time since this was asked last, of every function of which something ran."""
        for function, share in list(self._shares.items()):
            if share.peak:
                yield function, share.peak
                share.peak = share.running


def _rate_exceeded(reason: str) -> TooManyRequestsException:
    return TooManyRequestsException("Rate Exceeded.", members={"Reason": reason, "Type": "User"})
