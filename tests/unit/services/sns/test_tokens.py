"""Tokens that confirm: what was made is read in its time, anything else is refused."""

from hypothesis import given
from hypothesis import strategies as st

from lambent.services.sns.tokens import ConfirmationTokens

TOKENS = ConfirmationTokens(b"secret")
ARN = "arn:aws:sns:us-east-1:123456789012:topic:subscription"
DAYS = 86_400_000


@given(st.text(), st.text(), st.integers(0, 10**13))
def test_a_token_says_what_it_was_made_for(arn: str, document: str, now: int) -> None:
    assert TOKENS.read(TOKENS.make(arn, now, document=document), now + 3 * DAYS - 1) == (arn, document)


def test_a_token_lives_three_days() -> None:
    assert TOKENS.read(TOKENS.make(ARN, 0), 3 * DAYS) is None


@given(st.data())
def test_a_changed_token_is_none(data: st.DataObject) -> None:
    token = bytearray.fromhex(TOKENS.make(ARN, 0))
    token[data.draw(st.integers(0, len(token) - 1))] ^= data.draw(st.integers(1, 255))
    assert TOKENS.read(token.hex(), 0) is None


@given(st.text())
def test_text_is_no_token(text: str) -> None:
    assert TOKENS.read(text, 0) is None
    assert TOKENS.read(text.encode("utf-8", "replace").hex(), 0) is None
