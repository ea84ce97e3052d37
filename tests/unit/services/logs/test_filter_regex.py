"""The linear matcher agrees with Python's on everything that the language can say."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.services.logs.filter_pattern.regex import Regex

ONE = st.sampled_from(["a", "b", "c", ".", "[ab]", "[^ab]", r"\d", r"\W", r"\x61", "[a-c1]", r"[\d-]", r"\."])
REPEAT = st.sampled_from(["", "", "?", "*", "+", "{2}", "{1,2}", "{0,3}", "{2,}"])
SEQUENCE = st.tuples(
    st.sampled_from(["", "^"]),
    st.lists(st.tuples(ONE, REPEAT).map("".join), max_size=5),
    st.sampled_from(["", "$"]),
).map(lambda parts: parts[0] + "".join(parts[1]) + parts[2])
EXPRESSION = st.lists(SEQUENCE, min_size=1, max_size=3).map("|".join)


@given(EXPRESSION, st.text(alphabet="abc1.-é\n", max_size=12))
def test_agrees_with_re(expression: str, text: str) -> None:
    reference = re.compile(expression.replace("$", r"\Z"), re.DOTALL | re.ASCII)
    assert Regex(expression).search(text) == bool(reference.search(text))


@pytest.mark.parametrize(
    ("expression", "matching", "other"),
    [
        ("a{,2}b$", "aab", "aac"),
        ("^a{3,5}$", "aaaa", "aaaaaa"),
        (r"\x28\d+\x29", "x(12)", "x(a)"),
        (r"\[.\]", "[]]", "[]"),
        ("^[hc]at", "cat", "a cat"),
        ("/resource/[0-9]+$", "GET /resource/67", "/resource/67/part"),
    ],
)
def test_examples(expression: str, matching: str, other: str) -> None:
    regex = Regex(expression)
    assert regex.search(matching)
    assert not regex.search(other)


def test_what_makes_others_backtrack_takes_linear_work() -> None:
    regex = Regex(".*" * 100 + "x{200}y")
    assert not regex.search("x" * 20_000)
    assert regex.search("x" * 20_000 + "y")
