import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.model.policy.pattern import Pattern

GLOBS = st.text(alphabet="ab:*?", max_size=12)
TEXTS = st.text(alphabet="ab:", max_size=12)


def matches_by_the_book(pattern: str, text: str) -> bool:
    """The definition of wildcards, slow and plain."""
    if not pattern:
        return not text
    if pattern[0] == "*":
        return any(matches_by_the_book(pattern[1:], text[n:]) for n in range(len(text) + 1))
    return bool(text) and pattern[0] in ("?", text[0]) and matches_by_the_book(pattern[1:], text[1:])


@given(GLOBS, TEXTS)
def test_wildcards(pattern, text):
    assert Pattern.of(pattern).matches(text, {}) is matches_by_the_book(pattern, text)


@given(st.text())
def test_a_text_matches_itself(text):
    assert Pattern.of(text, variables=False, wildcards=False).matches(text, {})
    assert Pattern.of(text, variables=False).matches(text, {})


@given(TEXTS, TEXTS)
def test_a_variable_stands_for_its_value(value, text):
    pattern = Pattern.of("a${aws:UserId}*")
    assert pattern.matches(text, {"aws:userid": (value,)}) is text.startswith("a" + value)


def test_wildcards_in_the_value_of_a_variable_are_plain_characters():
    pattern = Pattern.of("home/${aws:userid}/*")
    context = {"aws:userid": ("*",)}
    assert pattern.matches("home/*/x", context)
    assert not pattern.matches("home/other/x", context)


@pytest.mark.parametrize("values", [(), ("a", "b")])
def test_a_variable_without_one_value_matches_nothing(values):
    assert not Pattern.of("${aws:userid}").matches("", {"aws:userid": values})
    assert not Pattern.of("*${aws:userid}*").matches("anything", {"aws:userid": values})


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("${aws:userid, 'nobody'}", "nobody"),
        ("${aws:userid,'nobody'}", "nobody"),
        ("${*}${?}${$}", "*?$"),
    ],
)
def test_defaults_and_escapes(text, value):
    assert Pattern.of(text).matches(value, {})
    assert not Pattern.of(text).matches("xxx", {})


def test_an_old_document_takes_variables_literally():
    assert Pattern.of("${aws:userid}", variables=False).matches("${aws:userid}", {"aws:userid": ("me",)})


def test_case():
    assert Pattern.of("S3:get*", ignore_case=True).matches("s3:GetObject", {})
    assert not Pattern.of("S3:get*").matches("s3:GetObject", {})


def test_no_pattern_is_slow():
    """Were this matched with backtracking, the test would not end."""
    assert not Pattern.of("*a" * 60 + "*b").matches("a" * 2000, {})
