import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.invoke.concurrency import Capacity, Concurrency
from lambent.model.function import FunctionId
from lambent.model.lambda_errors import TooManyRequestsException


def f(name="f", account="1", region="r"):
    return FunctionId(account, region, name)


def refused(concurrency, function):
    with pytest.raises(TooManyRequestsException, match=r"^Rate Exceeded\.$") as raised:
        concurrency.acquire(function)
    assert raised.value.members["Type"] == "User"
    return raised.value.members["Reason"]


def test_at_the_limit_the_next_is_refused_until_one_is_given_back():
    concurrency = Concurrency(2)
    first = concurrency.acquire(f("a"))
    concurrency.acquire(f("b"))
    assert refused(concurrency, f("c")) == "ConcurrentInvocationLimitExceeded"
    assert concurrency.running("1", "r") == 2
    first()
    concurrency.acquire(f("c"))


def test_accounts_and_regions_are_counted_apart():
    concurrency = Concurrency(1)
    concurrency.acquire(f())
    concurrency.acquire(f(region="other"))
    concurrency.acquire(f(account="2"))
    assert concurrency.running("3", "r") == 0


def test_giving_back_twice_is_a_bug():
    lease = Concurrency(1).acquire(f())
    lease()
    with pytest.raises(AssertionError, match="twice"):
        lease()


def test_what_is_reserved_is_the_functions_and_never_more():
    concurrency = Concurrency(10)
    concurrency.allot(f("own"), 2, 0)
    for _ in range(8):
        concurrency.acquire(f("other"))
    assert refused(concurrency, f("other")) == "ConcurrentInvocationLimitExceeded"
    assert concurrency.room(f("own")) == 2
    concurrency.acquire(f("own"))
    concurrency.acquire(f("own"))
    assert refused(concurrency, f("own")) == "ReservedFunctionConcurrentInvocationLimitExceeded"


def test_a_reservation_of_nothing_closes_the_function():
    concurrency = Concurrency(10)
    concurrency.allot(f(), 0, 0)
    assert concurrency.closed(f())
    assert refused(concurrency, f()) == "ReservedFunctionConcurrentInvocationLimitExceeded"
    concurrency.allot(f(), None, 0)
    assert not concurrency.closed(f())
    concurrency.acquire(f())


def test_what_is_provisioned_is_always_free_for_its_function():
    concurrency = Concurrency(5)
    concurrency.allot(f("warm"), None, 2)
    for _ in range(3):
        concurrency.acquire(f("other"))
    refused(concurrency, f("other"))
    leases = [concurrency.acquire(f("warm")), concurrency.acquire(f("warm"))]
    refused(concurrency, f("warm"))
    for lease in leases:
        lease()
    assert concurrency.room(f("warm")) == 2
    assert concurrency.room(f("other")) == 0


def test_beyond_what_is_provisioned_the_rest_is_shared():
    concurrency = Concurrency(5)
    concurrency.allot(f("warm"), None, 2)
    for _ in range(5):
        concurrency.acquire(f("warm"))
    assert refused(concurrency, f("other")) == "ConcurrentInvocationLimitExceeded"


def test_the_rate_of_requests_is_ten_times_the_concurrency():
    capacity = Capacity(2, reserved=True)
    for _ in range(20):
        capacity.count_request(7.3)
    with pytest.raises(TooManyRequestsException) as raised:
        capacity.count_request(7.9)
    assert raised.value.members["Reason"] == "ReservedFunctionInvocationRateLimitExceeded"
    capacity.count_request(8.0)


def test_peaks_are_told_once():
    concurrency = Concurrency(5)
    leases = [concurrency.acquire(f()) for _ in range(3)]
    leases[0]()
    assert list(concurrency.peaks()) == [(f(), 3)]
    assert list(concurrency.peaks()) == [(f(), 2)]
    for lease in leases[1:]:
        lease()
    assert list(concurrency.peaks()) == [(f(), 2)]
    assert list(concurrency.peaks()) == []


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("acquire"), st.sampled_from("abc")),
        st.tuples(st.just("release"), st.integers(0, 30)),
        st.tuples(st.just("allot"), st.sampled_from("abc"), st.none() | st.integers(0, 3), st.integers(0, 3)),
    ),
    max_size=60,
)


@given(STEPS)
def test_whatever_is_promised_meanwhile_nothing_is_lost_or_counted_twice(steps):
    concurrency, leases = Concurrency(12), []
    for kind, *arguments in steps:
        if kind == "acquire":
            try:
                leases.append(concurrency.acquire(f(arguments[0])))
            except TooManyRequestsException:
                assert concurrency.room(f(arguments[0])) == 0
        elif kind == "release" and leases:
            leases.pop(arguments[0] % len(leases))()
        elif kind == "allot":
            concurrency.allot(f(arguments[0]), *arguments[1:])
        assert concurrency.running("1", "r") == len(leases)
    for lease in leases:
        lease()
    for name in "abc":
        concurrency.allot(f(name), None, 0)
    for _ in range(12):
        concurrency.acquire(f("a"))
    refused(concurrency, f("b"))
