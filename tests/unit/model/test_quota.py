from hypothesis import given
from hypothesis import strategies as st

from lambent.model.quota import Claim, Holding, divide, settle

COUNTS = st.integers(0, 50)


@given(st.integers(0, 200), st.dictionaries(st.sampled_from("abcde"), COUNTS, min_size=1))
def test_the_whole_is_divided_and_nobody_wants_for_what_another_has_left_over(limit, wants):
    shares = divide(limit, wants)
    assert sum(shares.values()) == limit
    assert min(shares.values()) >= 0
    if sum(wants.values()) <= limit:
        assert all(shares[name] >= wanted for name, wanted in wants.items())
    else:
        assert all(share <= wants[name] for name, share in shares.items())
        served = [shares[name] for name in wants if shares[name] < wants[name]]
        assert max(served) - min(served) <= 1, "who gets less than he wants gets as much as the others who do"


def test_all_nodes_divide_alike():
    assert divide(1, {"b": 1, "a": 1}) == {"a": 0, "b": 1}
    assert divide(5, {"a": 0, "b": 0}) == {"a": 3, "b": 2}
    assert divide(10, {"a": 100, "b": 2, "c": 0}) == {"a": 8, "b": 2, "c": 0}


class Node:
    """Follows the rules of invoke.quotas: what it may use is what it was granted, less what it is to give up."""

    def __init__(self):
        self.held = self.wanted = self.usable = self.running = 0


@given(
    st.integers(1, 12),
    st.lists(
        st.tuples(
            st.sampled_from("abc"), st.sampled_from(["settle", "die", "begin", "end"]), st.integers(0, 9)
        ),
        max_size=60,
    ),
)
def test_all_together_never_run_more_than_the_limit_whatever_happens_in_which_order(limit, steps):
    nodes = {name: Node() for name in "abc"}
    for name, step, wanted in steps:
        node = nodes[name]
        if step == "settle":
            others = [
                Holding(holder=other, amount=one.held, wanted=one.wanted)
                for other, one in nodes.items()
                if other != name
            ]
            claim = Claim(name="q", limit=limit, wanted=wanted, using=node.usable)
            grant = settle(claim, name, node.held, others)
            assert grant.amount >= min(node.held, node.usable), "what is used is not taken away"
            node.held, node.wanted = grant.amount, wanted
            node.usable = min(grant.amount, max(grant.fair, node.running))
        elif step == "die":
            nodes[name] = Node()
        elif step == "begin" and node.running < node.usable:
            node.running += 1
        elif step == "end" and node.running:
            node.running -= 1
        assert sum(one.held for one in nodes.values()) <= limit
        assert all(one.running <= one.usable <= one.held for one in nodes.values())


def test_a_part_moves_to_who_wants_it_in_two_steps():
    idle = [Holding(holder="a", amount=10, wanted=0)]
    nothing_free = settle(Claim(name="q", limit=10, wanted=4, using=0), "b", 0, idle)
    assert (nothing_free.amount, nothing_free.fair) == (0, 7)
    b = [Holding(holder="b", amount=0, wanted=4)]
    told = settle(Claim(name="q", limit=10, wanted=0, using=10), "a", 10, b)
    assert (told.amount, told.fair) == (10, 3)
    assert settle(Claim(name="q", limit=10, wanted=0, using=3), "a", 10, b).amount == 3


def test_under_a_lower_limit_nobody_gets_more_and_everybody_gives_up():
    b = [Holding(holder="b", amount=5, wanted=5)]
    grant = settle(Claim(name="q", limit=2, wanted=5, using=2), "a", 5, b)
    assert (grant.amount, grant.fair) == (2, 1)
