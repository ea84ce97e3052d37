"""The right to run one invocation, counted per account and region, and per function where it has a reservation.

An account's functions share what is neither reserved nor provisioned. A function with a reservation has that and never
more. What is provisioned for a version is its own: that many of its invocations at a time take nothing from the rest,
and the function's other versions have what is left of its reservation.
Source: https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html
"""

from collections.abc import Callable, Iterator, Mapping

from lambent.invoke.lineage import mark_of
from lambent.model.function import FunctionId
from lambent.model.lambda_errors import TooManyRequestsException

_REQUESTS_PER_EXECUTION = 10
"""In a second: AWS's limit of the rate of requests."""


class Capacity:
    """How many may run at a time of those who share it: `limit` on this node, `total` on all. Alone a node has all;
    where there are others it has a part, which it has to be granted (quotas.py)."""

    __slots__ = ("granted", "limit", "name", "reserved", "running", "second", "started", "total")

    def __init__(self, name: str, total: int, *, reserved: bool, granted: int | None = None) -> None:
        self.name = name
        self.total = total
        self.granted = granted
        """None where all is."""
        self.limit = total if granted is None else min(granted, total)
        self.reserved = reserved
        self.running = 0
        self.second = 0
        self.started = 0
        """How many requests came in this `second`."""

    def change(self, total: int) -> None:
        self.total = total
        self.limit = total if self.granted is None else min(self.granted, total)

    def grant(self, amount: int) -> None:
        self.granted = amount
        self.limit = min(amount, self.total)

    @property
    def room(self) -> int:
        return max(0, self.limit - self.running)

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


class Lane:
    """What runs of one version. `provisioned` of it at a time do not count in the function's capacity."""

    __slots__ = ("provisioned", "running", "share")

    def __init__(self, share: "Share") -> None:
        self.share = share
        self.provisioned = 0
        self.running = 0

    def acquire(self) -> Callable[[], None]:
        """Returns how to give the lease back, once. Raises TooManyRequestsException at the limit."""
        share, running = self.share, self.running
        if running >= self.provisioned:
            capacity = share.capacity
            if capacity.running >= capacity.limit:
                raise capacity.refusal()
            capacity.running += 1
        self.running = running + 1
        share.running = running = share.running + 1
        if running > share.peak:  # noqa: PLR1730 - a call of max() costs more than the rest of this
            share.peak = running
        return self.release

    @property
    def has_room(self) -> bool:
        """Whether a lease could be had now."""
        capacity = self.share.capacity
        return self.running < self.provisioned or capacity.running < capacity.limit

    def release(self) -> None:
        self.running -= 1
        assert self.running >= 0, "a lease was given back twice"
        self.share.running -= 1
        if self.running >= self.provisioned:
            self.share.capacity.running -= 1


class Share:
    """What one function uses."""

    __slots__ = ("capacity", "lanes", "mark", "peak", "running")

    def __init__(self, capacity: Capacity, mark: str) -> None:
        self.capacity = capacity
        self.mark = mark
        """Stands for the function in tracing headers (lineage.py)."""
        self.lanes: dict[str, Lane] = {}
        """By version."""
        self.running = 0
        self.peak = 0
        """The most that ran at a time since the last `peaks`."""

    def lane(self, version: str) -> Lane:
        lane = self.lanes.get(version)
        if lane is None:
            lane = self.lanes[version] = Lane(self)
        return lane

    def move(self, capacity: Capacity, provisioned: Mapping[str, int]) -> None:
        """What runs meanwhile is counted where it would have been if it had begun now."""
        self.capacity.running -= self._spilled()
        self.capacity = capacity
        for lane in self.lanes.values():
            lane.provisioned = 0
        for version, count in provisioned.items():
            self.lane(version).provisioned = count
        self.capacity.running += self._spilled()

    def _spilled(self) -> int:
        return sum(max(0, lane.running - lane.provisioned) for lane in self.lanes.values())

    def idle_provisioned(self) -> int:
        return sum(max(0, lane.provisioned - lane.running) for lane in self.lanes.values())


class Concurrency:
    """Leases are taken before an environment is, and given back when the invocation is over, even if its caller has
    left long ago."""

    def __init__(self, account_limit: int, *, shared: bool = False) -> None:
        """`shared` with other nodes: each capacity begins with nothing, and has to be granted a part."""
        self._account_limit = account_limit
        self._first_grant = 0 if shared else None
        self.wish: Callable[[Capacity], None] = lambda capacity: None
        """Called where an event would run if more of a capacity were granted."""
        self._unreserved: dict[tuple[str, str], Capacity] = {}
        self._shares: dict[FunctionId, Share] = {}
        self._own: dict[FunctionId, Capacity] = {}
        """Of those with a reservation."""
        self._reserved: dict[FunctionId, int] = {}
        self._taken: dict[FunctionId, int] = {}
        """What the account's other functions go without."""

    def share(self, function: FunctionId) -> Share:
        share = self._shares.get(function)
        if share is None:
            share = self._shares[function] = Share(self._capacity_of_account(function), mark_of(function))
        return share

    def allot(
        self, function: FunctionId, reserved: int | None, promised: int, provisioned: Mapping[str, int]
    ) -> None:
        """What the function has from now on.

        `promised`: how much is to be provisioned in all, which is part of what is reserved; `provisioned`: what of it
        is for versions that can be invoked."""
        share, account = self.share(function), self._capacity_of_account(function)
        account.change(account.total + self._taken.pop(function, 0))
        if reserved is None:
            self._reserved.pop(function, None)
            self._own.pop(function, None)
            share.move(account, provisioned)
        else:
            self._reserved[function] = reserved
            own = self._capacity_of(function)
            own.change(max(0, reserved - promised))
            share.move(own, provisioned)
        taken = promised if reserved is None else reserved
        if taken:
            self._taken[function] = taken
            account.change(account.total - taken)

    def withdraw_provisioned(self, function: FunctionId) -> None:
        """Its versions have what the function has, and nothing of their own, until the next `allot`."""
        share = self.share(function)
        share.move(share.capacity, {})

    def _capacity_of_account(self, function: FunctionId) -> Capacity:
        key = (function.account_id, function.region)
        capacity = self._unreserved.get(key)
        if capacity is None:
            capacity = self._unreserved[key] = Capacity(
                "/".join(key), self._account_limit, reserved=False, granted=self._first_grant
            )
        return capacity

    def _capacity_of(self, function: FunctionId) -> Capacity:
        own = self._own.get(function)
        if own is None:
            name = f"{function.account_id}/{function.region}/{function.name}"
            own = self._own[function] = Capacity(name, 0, reserved=True, granted=self._first_grant)
        return own

    def capacity(self, name: str) -> Capacity | None:
        """That of an account (ACCOUNT/REGION) or of a function with a reservation (ACCOUNT/REGION/NAME)."""
        account_id, region, *function = name.split("/")
        if function:
            return self._own.get(FunctionId(account_id, region, function[0]))
        return self._capacity_of_account(FunctionId(account_id, region, ""))

    def room(self, function: FunctionId) -> int:
        """How many more invocations of it could begin now."""
        share = self.share(function)
        return share.idle_provisioned() + share.capacity.room

    def room_for_events(self, function: FunctionId) -> int:
        """The same for events. Those of a function that may run nothing end without being run, and need no room."""
        if self.closed(function):
            return self._account_limit
        room = self.room(function)
        if room == 0:
            self.wish(self.share(function).capacity)
        return room

    def closed(self, function: FunctionId) -> bool:
        """Whether nothing of it may ever run: it has a reservation of 0."""
        return self._reserved.get(function) == 0

    def running(self, account_id: str, region: str) -> int:
        return sum(
            share.running
            for function, share in self._shares.items()
            if (function.account_id, function.region) == (account_id, region)
        )

    def all_running(self) -> Iterator[tuple[FunctionId, int]]:
        """Of every function of which something runs, how much."""
        return ((function, share.running) for function, share in self._shares.items() if share.running)

    def taken(self, account_id: str, region: str) -> int:
        """What is reserved and provisioned of an account's concurrency."""
        return sum(
            taken
            for function, taken in self._taken.items()
            if (function.account_id, function.region) == (account_id, region)
        )

    def has_reservation(self, function: FunctionId) -> bool:
        return function in self._reserved

    def peaks(self) -> Iterator[tuple[FunctionId, int]]:
        """The most that ran at a time since this was asked last, of every function of which something ran."""
        for function, share in list(self._shares.items()):
            if share.peak:
                yield function, share.peak
                share.peak = share.running


def _rate_exceeded(reason: str) -> TooManyRequestsException:
    return TooManyRequestsException("Rate Exceeded.", members={"Reason": reason, "Type": "User"})
