"""What is measured of invocations: counted in memory as they end, and handed on once a second.

Source: https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

from lambent.environments.pools import Pools
from lambent.invoke.concurrency import Concurrency
from lambent.model.function import FunctionId
from lambent.model.invocation import Invocation, InvocationResult
from lambent.model.metric import Metrics

_EVERY_SECONDS = 1.0
_NAMESPACE = "AWS/Lambda"


class Meter:
    """What ended since the last reading, of one function through one qualifier. `durations` is in ms."""

    __slots__ = ("durations", "errors", "throttles")

    def __init__(self) -> None:
        self.durations: list[float] = []
        self.errors = 0
        self.throttles = 0


class _Account:
    """What runs of all functions of an account together. `function` is one that ran here lately."""

    def __init__(self) -> None:
        self.running = 0
        self.unreserved = 0
        self.function: FunctionId | None = None

    def add(self, running: int, *, reserved: bool) -> None:
        self.running += running
        self.unreserved += 0 if reserved else running

    def raise_to(self, running: int, *, reserved: bool) -> None:
        self.running = max(self.running, running)
        self.unreserved = max(self.unreserved, 0 if reserved else running)


class Meters:
    def __init__(self, metrics: Metrics, concurrency: Concurrency, pools: Pools) -> None:
        self._metrics = metrics
        self._concurrency = concurrency
        self._pools = pools
        self._meters: dict[tuple[FunctionId, str | None], Meter] = {}
        self.elsewhere: Callable[[], Mapping[FunctionId, int]] = dict
        """How much runs of each function on other nodes."""

    def of(self, function: FunctionId, qualifier: str | None) -> Meter:
        """To be asked for when something has ended, and not kept: the next reading takes it away."""
        meter = self._meters.get((function, qualifier))
        if meter is None:
            meter = self._meters[function, qualifier] = Meter()
        return meter

    def ended(self, invocation: Invocation, result: InvocationResult) -> None:
        key = (invocation.function, invocation.qualifier)
        meter = self._meters.get(key)
        if meter is None:
            meter = self._meters[key] = Meter()
        meter.durations.append(round(invocation.duration_ms, 2))
        if result.function_error is not None:
            meter.errors += 1

    def loop_ended(self, function: FunctionId) -> None:
        self._put(function, "RecursiveInvocationsDropped", 1, {"FunctionName": function.name})

    async def run(self) -> None:
        """For ever."""
        while True:
            await asyncio.sleep(_EVERY_SECONDS)
            self.flush()

    def flush(self) -> None:
        """Hands on what was measured since the last time."""
        meters, self._meters = self._meters, {}
        for (function, qualifier), meter in meters.items():
            self._put_meter(function, qualifier, meter)
        self._put_concurrency()
        for function, version, provisioned in self._pools.all_provisioned():
            dimensions = {"FunctionName": function.name, "Resource": f"{function.name}:{version}"}
            running = provisioned.ready - len(provisioned.idle)
            self._put(function, "ProvisionedConcurrentExecutions", running, dimensions)
            self._put(function, "ProvisionedConcurrencyUtilization", running / provisioned.wanted, dimensions)
            taken, spilled = provisioned.read_counts()
            if taken:
                self._put(function, "ProvisionedConcurrencyInvocations", taken, dimensions)
            if spilled:
                self._put(function, "ProvisionedConcurrencySpilloverInvocations", spilled, dimensions)

    def _put_concurrency(self) -> None:
        """Of each function the most that ran here at a time, and what runs on other nodes; of all together what runs
        now, or the most of one."""
        elsewhere = self.elsewhere()
        accounts: dict[tuple[str, str], _Account] = defaultdict(_Account)
        for function, running in (*self._concurrency.all_running(), *elsewhere.items()):
            reserved = self._concurrency.has_reservation(function)
            accounts[function.account_id, function.region].add(running, reserved=reserved)
        for function, peak in self._concurrency.peaks():
            most = peak + elsewhere.get(function, 0)
            self._put(function, "ConcurrentExecutions", most, {"FunctionName": function.name})
            account = accounts[function.account_id, function.region]
            account.raise_to(most, reserved=self._concurrency.has_reservation(function))
            account.function = function
        for account in accounts.values():
            if (of := account.function) is not None:
                taken = self._concurrency.taken(of.account_id, of.region)
                self._put(of, "ConcurrentExecutions", account.running, {})
                self._put(of, "UnreservedConcurrentExecutions", account.unreserved, {})
                self._put(of, "ClaimedAccountConcurrency", account.unreserved + taken, {})

    def _put_meter(self, function: FunctionId, qualifier: str | None, meter: Meter) -> None:
        dimensions = [{"FunctionName": function.name}]
        if qualifier is not None:
            dimensions.append({"FunctionName": function.name, "Resource": f"{function.name}:{qualifier}"})
        if meter.durations:  # of all functions together, too
            self._put(function, "Invocations", len(meter.durations), {})
            self._put(function, "Errors", meter.errors, {})
        if meter.durations or meter.throttles:
            self._put(function, "Throttles", meter.throttles, {})
        for each in dimensions:
            if meter.durations:
                self._put(function, "Invocations", len(meter.durations), each)
                self._put(function, "Errors", meter.errors, each)
                self._put(function, "Duration", meter.durations, each, unit="Milliseconds")
            if meter.durations or meter.throttles:
                self._put(function, "Throttles", meter.throttles, each)

    def _put(
        self,
        function: FunctionId,
        name: str,
        value: float | Sequence[float],
        dimensions: Mapping[str, str],
        *,
        unit: str = "Count",
    ) -> None:
        self._metrics.put(
            function.account_id, function.region, _NAMESPACE, name, value, unit=unit, dimensions=dimensions
        )
