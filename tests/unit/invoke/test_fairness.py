from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from lambent.invoke.fairness import share_out
from lambent.model.function import FunctionId
from lambent.model.invocation import EventLine


def f(name, account="1", tenant=None):
    return EventLine(FunctionId(account, "r", name), tenant)


def much(function):
    return 1000


def test_one_function_alone_leaves_half_of_the_places():
    assert share_out([f("a")], {}, much, 256) == {f("a"): 128}
    assert share_out([f("a")], {f("a"): 128}, much, 128) == {}


def test_functions_get_the_same():
    assert share_out([f("a"), f("b"), f("c")], {}, much, 8) == {f("a"): 2, f("b"): 2, f("c"): 2}


def test_accounts_get_the_same_however_many_functions_they_have():
    waiting = [f(f"f{n}") for n in range(50)] + [f("g", "2")]
    begun = share_out(waiting, {}, much, 16)
    of_account = Counter()
    for function, count in begun.items():
        of_account[function.function.account_id] += count
    assert of_account["2"] >= 5


def test_nobody_gets_more_than_the_limits_of_concurrency_allow():
    assert share_out([f("a"), f("b")], {}, lambda function: 1 if function.name == "a" else 0, 100) == {
        f("a"): 1
    }


def test_without_places_or_events_nothing_begins():
    assert share_out([], {}, much, 10) == {}
    assert share_out([f("a")], {}, much, 0) == {}


def test_tenants_get_the_same_within_what_their_function_gets():
    waiting = [f("a", tenant=str(n)) for n in range(10)] + [f("b")]
    begun = share_out(waiting, {}, much, 24)
    assert begun[f("b")] >= 7
    assert sum(count for line, count in begun.items() if line.function.name == "a") >= 7


def test_the_room_of_a_function_is_its_tenants_together():
    waiting = [f("a", tenant=str(n)) for n in range(10)]
    assert sum(share_out(waiting, {}, lambda function: 3, 100).values()) == 3


LINES = [f(name, account, tenant) for name in "ab" for account in "12" for tenant in (None, "x")]


@given(
    st.sets(st.sampled_from(LINES)),
    st.dictionaries(st.sampled_from(LINES), st.integers(0, 20)),
    st.dictionaries(st.sampled_from([line.function for line in LINES]), st.integers(0, 20)),
    st.integers(0, 64),
)
def test_places_are_never_given_twice_and_a_newcomer_finds_one(waiting, running, rooms, free):
    begun = share_out(list(waiting), running, lambda function: rooms.get(function, 3), free)
    assert sum(begun.values()) <= free
    assert set(begun) <= waiting
    used = Counter()
    for line, count in begun.items():
        assert count > 0
        used[line.function] += count
    assert all(count <= rooms.get(function, 3) for function, count in used.items())
    for line in waiting - set(running):
        found = begun.get(line) or used[line.function] == rooms.get(line.function, 3)
        assert found or sum(begun.values()) == free
