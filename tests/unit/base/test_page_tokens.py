import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.base.page_tokens import read_structured, read_token, write_structured, write_token

STORABLE = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))


@given(STORABLE)
def test_a_token_says_where_to_go_on(name: str) -> None:
    assert read_token(write_token(name)) == name


@given(st.tuples(STORABLE, st.integers(-(2**63), 2**63 - 1), st.booleans()))
def test_a_token_says_several_things(content: tuple[str, int, bool]) -> None:
    assert read_structured(write_structured(content), tuple[str, int, bool]) == content


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        assert "\0" not in read_token(text)
    except ValueError:
        return


@pytest.mark.parametrize("padding", ["", "="])
def test_padding_may_be_there_or_not(padding: str) -> None:
    assert read_token("YWI" + padding) == "ab"


@pytest.mark.parametrize("forged", ["a\0b", 2**63, -(2**63) - 1, math.inf, ["a"], {"a": "b"}, None])
def test_what_no_database_takes_is_refused(forged: object) -> None:
    with pytest.raises(ValueError):
        read_structured(write_structured([forged]), tuple[str | int | float])
