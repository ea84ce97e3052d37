import pytest

from lambent.invoke.concurrency import Concurrency
from lambent.model.lambda_errors import TooManyRequestsException


def test_at_the_limit_the_next_is_refused_until_one_is_given_back():
    concurrency = Concurrency(2)
    first = concurrency.acquire("1", "r")
    concurrency.acquire("1", "r")
    with pytest.raises(TooManyRequestsException, match=r"Rate Exceeded\.") as raised:
        concurrency.acquire("1", "r")
    assert raised.value.members == {"Reason": "ConcurrentInvocationLimitExceeded", "Type": "User"}
    assert concurrency.running("1", "r") == 2
    first()
    concurrency.acquire("1", "r")


def test_accounts_and_regions_are_counted_apart():
    concurrency = Concurrency(1)
    concurrency.acquire("1", "r")
    concurrency.acquire("1", "other")
    concurrency.acquire("2", "r")
    assert concurrency.running("3", "r") == 0


def test_giving_back_twice_is_a_bug():
    lease = Concurrency(1).acquire("1", "r")
    lease()
    with pytest.raises(AssertionError, match="twice"):
        lease()
