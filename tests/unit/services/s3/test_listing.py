import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.services.s3.errors import InvalidArgument
from lambent.services.s3.listing import encoder, read_most, read_token, token_of


@given(st.text(min_size=1).filter(lambda key: key.isprintable()))
def test_a_token_says_where_to_go_on(key):
    assert read_token(token_of(key)) == key


@given(st.text())
def test_no_text_breaks_it(text):
    try:
        assert token_of(read_token(text)) == text
    except InvalidArgument as refused:
        assert refused.message == "The continuation token provided is incorrect"


def test_the_size_of_a_page():
    assert read_most({}, "MaxKeys", "maxKeys") == 1000
    assert read_most({"MaxKeys": 0}, "MaxKeys", "maxKeys") == 0
    assert read_most({"MaxKeys": 5000}, "MaxKeys", "maxKeys") == 1000
    with pytest.raises(InvalidArgument, match="Argument maxKeys must be an integer between 0 and 2147483647"):
        read_most({"MaxKeys": -1}, "MaxKeys", "maxKeys")


def test_keys_are_written_as_the_request_asks():
    assert encoder({})("a b/é%") == "a b/é%"
    assert encoder({"EncodingType": "url"})("a b/é%") == "a%20b/%C3%A9%25"
