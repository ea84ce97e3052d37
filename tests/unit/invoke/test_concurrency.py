import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.invoke.concurrency import Capacity, Concurrency
from lambent.model.function import FunctionId
from lambent.model.lambda_errors import TooManyRequestsException


def f(name="f", account="1", region="r"):
    return FunctionId(account, region, name)


def acquire(concurrency, function, version="1"):
    return concurrency.share(function).lane(version).acquire()


def refused(concurrency, function, version="1"):
    with pytest.raises(TooManyRequestsException, match=r"^Rate Exceeded\.$") as raised:
        acquire(concurrency, function, version)
    assert raised.value.members["Type"] == "User"
    return raised.value.members["Reason"]


def test_at_the_limit_the_next_is_refused_until_one_is_given_back():
    concurrency = Concurrency(2)
    first = acquire(concurrency, f("a"))
    acquire(concurrency, f("b"))
    assert refused(concurrency, f("c")) == "ConcurrentInvocationLimitExceeded"
    assert concurrency.running("1", "r") == 2
    first()
    acquire(concurrency, f("c"))


def test_accounts_and_regions_are_counted_apart():
    concurrency = Concurrency(1)
    acquire(concurrency, f())
    acquire(concurrency, f(region="other"))
    acquire(concurrency, f(account="2"))
    assert concurrency.running("3", "r") == 0


def test_giving_back_twice_is_a_bug():
    lease = acquire(Concurrency(1), f())
    lease()
    with pytest.raises(AssertionError, match="twice"):
        lease()


def test_what_is_reserved_is_the_functions_and_never_more():
    concurrency = Concurrency(10)
    concurrency.allot(f("own"), 2, 0, {})
    for _ in range(8):
        acquire(concurrency, f("other"))
    assert refused(concurrency, f("other")) == "ConcurrentInvocationLimitExceeded"
    assert concurrency.room(f("own")) == 2
    acquire(concurrency, f("own"))
    acquire(concurrency, f("own"))
    assert refused(concurrency, f("own")) == "ReservedFunctionConcurrentInvocationLimitExceeded"


def test_a_reservation_of_nothing_closes_the_function():
    concurrency = Concurrency(10)
    concurrency.allot(f(), 0, 0, {})
    assert concurrency.closed(f())
    assert refused(concurrency, f()) == "ReservedFunctionConcurrentInvocationLimitExceeded"
    concurrency.allot(f(), None, 0, {})
    assert not concurrency.closed(f())
    acquire(concurrency, f())


def test_what_is_provisioned_is_always_free_for_its_function():
    concurrency = Concurrency(5)
    concurrency.allot(f("warm"), None, 2, {"1": 2})
    for _ in range(3):
        acquire(concurrency, f("other"))
    refused(concurrency, f("other"))
    leases = [acquire(concurrency, f("warm")), acquire(concurrency, f("warm"))]
    refused(concurrency, f("warm"))
    for lease in leases:
        lease()
    assert concurrency.room(f("warm")) == 2
    assert concurrency.room(f("other")) == 0


def test_beyond_what_is_provisioned_the_rest_is_shared():
    concurrency = Concurrency(5)
    concurrency.allot(f("warm"), None, 2, {"1": 2})
    for _ in range(5):
        acquire(concurrency, f("warm"))
    assert refused(concurrency, f("other")) == "ConcurrentInvocationLimitExceeded"


def test_what_is_provisioned_for_a_version_is_not_the_other_versions():
    concurrency = Concurrency(10)
    concurrency.allot(f(), 3, 2, {"1": 2})
    acquire(concurrency, f(), "$LATEST")
    assert refused(concurrency, f(), "$LATEST") == "ReservedFunctionConcurrentInvocationLimitExceeded"
    lease = acquire(concurrency, f(), "1")
    acquire(concurrency, f(), "1")
    refused(concurrency, f(), "1")
    lease()
    refused(concurrency, f(), "$LATEST")
    assert concurrency.room(f()) == 1


def test_what_is_promised_to_a_version_that_cannot_run_yet_is_nobodys():
    concurrency = Concurrency(5)
    concurrency.allot(f(), None, 4, {})
    assert concurrency.room(f()) == 1
    concurrency.allot(f(), None, 4, {"1": 4})
    assert concurrency.room(f()) == 5


def test_the_rate_of_requests_is_ten_times_the_concurrency():
    capacity = Capacity("q", 2, reserved=True)
    for _ in range(20):
        capacity.count_request(7.3)
    with pytest.raises(TooManyRequestsException) as raised:
        capacity.count_request(7.9)
    assert raised.value.members["Reason"] == "ReservedFunctionInvocationRateLimitExceeded"
    capacity.count_request(8.0)


def test_peaks_are_told_once():
    concurrency = Concurrency(5)
    leases = [acquire(concurrency, f()) for _ in range(3)]
    leases[0]()
    assert list(concurrency.peaks()) == [(f(), 3)]
    assert list(concurrency.peaks()) == [(f(), 2)]
    for lease in leases[1:]:
        lease()
    assert list(concurrency.peaks()) == [(f(), 2)]
    assert list(concurrency.peaks()) == []


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("acquire"), st.sampled_from("abc"), st.sampled_from("12")),
        st.tuples(st.just("release"), st.integers(0, 30)),
        st.tuples(
            st.just("allot"),
            st.sampled_from("abc"),
            st.none() | st.integers(0, 3),
            st.dictionaries(st.sampled_from("12"), st.integers(0, 2)),
        ),
    ),
    max_size=60,
)


@given(STEPS)
def test_whatever_is_promised_meanwhile_nothing_is_lost_or_counted_twice(steps):
    concurrency, leases = Concurrency(12), []
    for kind, *arguments in steps:
        if kind == "acquire":
            try:
                leases.append(acquire(concurrency, f(arguments[0]), arguments[1]))
            except TooManyRequestsException:
                share = concurrency.share(f(arguments[0]))
                assert share.capacity.running >= share.capacity.limit
                lane = share.lane(arguments[1])
                assert lane.running >= lane.provisioned
        elif kind == "release" and leases:
            leases.pop(arguments[0] % len(leases))()
        elif kind == "allot":
            name, reserved, provisioned = arguments
            concurrency.allot(f(name), reserved, sum(provisioned.values()), provisioned)
        assert concurrency.running("1", "r") == len(leases)
    for lease in leases:
        lease()
    for name in "abc":
        concurrency.allot(f(name), None, 0, {})
    for _ in range(12):
        acquire(concurrency, f("a"))
    refused(concurrency, f("b"))
