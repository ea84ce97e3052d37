from types import SimpleNamespace

import pytest

from lambent.invoke.concurrency import Concurrency
from lambent.invoke.meters import Meters
from lambent.model.function import FunctionId

F = FunctionId("1", "r", "f")


class Metrics:
    def __init__(self):
        self.put_values = []

    def put(self, account_id, region, namespace, name, value, *, unit="None", dimensions=None):
        assert (account_id, region, namespace) == ("1", "r", "AWS/Lambda")
        self.put_values.append((name, value, unit, dimensions.get("Resource", "f" if dimensions else "all")))


class Pools:
    def __init__(self):
        self.provisions = []

    def all_provisioned(self):
        return iter(self.provisions)


@pytest.fixture
def parts():
    metrics, concurrency, pools = Metrics(), Concurrency(10), Pools()
    return Meters(metrics, concurrency, pools), metrics, concurrency, pools


def test_what_ended_is_handed_on_once(parts):
    meters, metrics, _, _ = parts
    meters.of(F, None).durations += [1.5, 2.5]
    meters.of(F, None).errors += 1
    meters.flush()
    assert metrics.put_values == [
        ("Invocations", 2, "Count", "all"),
        ("Errors", 1, "Count", "all"),
        ("Throttles", 0, "Count", "all"),
        ("Invocations", 2, "Count", "f"),
        ("Errors", 1, "Count", "f"),
        ("Duration", [1.5, 2.5], "Milliseconds", "f"),
        ("Throttles", 0, "Count", "f"),
    ]
    meters.flush()
    assert len(metrics.put_values) == 7


def test_a_qualifier_is_measured_for_itself_too(parts):
    meters, metrics, _, _ = parts
    meters.of(F, "live").throttles += 2
    meters.flush()
    assert metrics.put_values == [("Throttles", 2, "Count", of) for of in ("all", "f", "f:live")]


def test_concurrency_is_the_most_that_ran_at_a_time(parts):
    meters, metrics, concurrency, _ = parts
    leases = [concurrency.share(F).lane("1").acquire() for _ in range(3)]
    for lease in leases:
        lease()
    meters.flush()
    assert metrics.put_values == [
        ("ConcurrentExecutions", 3, "Count", "f"),
        ("ConcurrentExecutions", 3, "Count", "all"),
        ("UnreservedConcurrentExecutions", 3, "Count", "all"),
        ("ClaimedAccountConcurrency", 3, "Count", "all"),
    ]


def test_functions_are_counted_together_too(parts):
    meters, metrics, concurrency, _ = parts
    for _ in range(2):
        concurrency.share(F).lane("1").acquire()
        concurrency.share(FunctionId("1", "r", "f2")).lane("1").acquire()
    meters.flush()
    assert ("ConcurrentExecutions", 4, "Count", "all") in metrics.put_values


def test_what_runs_on_other_nodes_is_counted_with_what_runs_here(parts):
    meters, metrics, concurrency, _ = parts
    meters.elsewhere = lambda: {F: 3, FunctionId("1", "r", "f2"): 2, FunctionId("2", "r", "theirs"): 9}
    concurrency.share(F).lane("1").acquire()
    meters.flush()
    assert metrics.put_values[:2] == [
        ("ConcurrentExecutions", 4, "Count", "f"),
        ("ConcurrentExecutions", 6, "Count", "all"),
    ]


def test_what_is_reserved_is_claimed_whether_it_runs_or_not(parts):
    meters, metrics, concurrency, _ = parts
    concurrency.allot(F, 5, 0, {})
    for function in (F, FunctionId("1", "r", "f2")):
        concurrency.share(function).lane("1").acquire()
    meters.flush()
    assert metrics.put_values[-3:] == [
        ("ConcurrentExecutions", 2, "Count", "all"),
        ("UnreservedConcurrentExecutions", 1, "Count", "all"),
        ("ClaimedAccountConcurrency", 6, "Count", "all"),
    ]


def test_provisioned_environments_are_measured_while_there_are_some(parts):
    meters, metrics, _, pools = parts
    pools.provisions = [(F, "1", SimpleNamespace(ready=4, wanted=4, idle=[1], read_counts=lambda: (7, 2)))]
    meters.flush()
    assert metrics.put_values == [
        ("ProvisionedConcurrentExecutions", 3, "Count", "f:1"),
        ("ProvisionedConcurrencyUtilization", 0.75, "Count", "f:1"),
        ("ProvisionedConcurrencyInvocations", 7, "Count", "f:1"),
        ("ProvisionedConcurrencySpilloverInvocations", 2, "Count", "f:1"),
    ]


def test_a_loop_that_was_ended_is_told_at_once(parts):
    meters, metrics, _, _ = parts
    meters.loop_ended(F)
    assert metrics.put_values == [("RecursiveInvocationsDropped", 1, "Count", "f")]
