"""Attributes of messages: their MD5 as AWS computes it, which may be sent, which are selected."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.model.queue import MessageAttribute
from lambent.services.sqs.errors import InvalidParameterValueException
from lambent.services.sqs.message_attributes import (
    attribute_members,
    attributes_md5,
    attributes_size,
    parse_attributes,
    selected,
    valid_characters,
)


def text(value: str, data_type: str = "String") -> MessageAttribute:
    return MessageAttribute(data_type=data_type, string_value=value)


HELLO = {"Hello": text("There"), "General": text("Kenobi"), "Help.Me": text("Me")}


@pytest.mark.parametrize(
    ("attributes", "digest"),
    [
        (HELLO, "4c360f3fdafd970e05fae2f149d997f5"),
        ({"Hello": text("There")}, "a311262e065454b75da111d535b8dacd"),
        ({"attr1": text("99.12", "Number")}, "d302007e9aa062660afc85fd0a482472"),
        ({"UserId": text("1234567890123456789012", "Number.bigint")}, "797ab158d73dcb5242dedc4412c8e855"),
        (
            {
                "attr1": MessageAttribute(
                    data_type="Binary",
                    binary_value=b"traceparent\x1e00-774062d6c37081a5a0b9b5b88e30627c-2d2482211f6489da-01",
                )
            },
            "8cbe4db156db8a94db8b801b7addb984",
        ),
    ],
)
def test_the_md5_that_aws_was_seen_to_answer(attributes: dict[str, MessageAttribute], digest: str) -> None:
    assert attributes_md5(attributes) == digest


NAMES = st.from_regex(r"[A-Za-z0-9_-]{1,20}", fullmatch=True).filter(
    lambda name: not name.lower().startswith(("aws.", "amazon."))
)
CHARACTERS = st.text(st.characters(min_codepoint=0x20, max_codepoint=0xD7FF), min_size=1, max_size=30)
ATTRIBUTES = st.one_of(
    st.builds(text, CHARACTERS),
    st.builds(lambda number: text(str(number), "Number.int"), st.integers()),
    st.builds(
        lambda value: MessageAttribute(data_type="Binary.png", binary_value=value), st.binary(min_size=1)
    ),
)


@given(st.dictionaries(NAMES, ATTRIBUTES, min_size=1, max_size=10))
def test_attributes_there_and_back(attributes: dict[str, MessageAttribute]) -> None:
    members = attribute_members(attributes)
    assert parse_attributes(members) == attributes
    assert attributes_size(attributes) >= len(attributes)
    assert attributes_md5(dict(reversed(attributes.items()))) == attributes_md5(attributes)


@given(st.dictionaries(NAMES, ATTRIBUTES, min_size=1, max_size=5))
def test_the_md5_by_its_definition(attributes: dict[str, MessageAttribute]) -> None:
    """As SDKs have it: lengths of four bytes before each part, a byte for the kind of value."""
    encoded = b""
    for name, one in sorted(attributes.items()):
        value = one.binary_value if one.binary_value is not None else (one.string_value or "").encode()
        for part in (name.encode(), one.data_type.encode()):
            encoded += len(part).to_bytes(4, "big") + part
        encoded += (
            (b"\x02" if one.binary_value is not None else b"\x01") + len(value).to_bytes(4, "big") + value
        )
    assert attributes_md5(attributes) == hashlib.md5(encoded).hexdigest()


@pytest.mark.parametrize(
    ("name", "member", "message"),
    [
        (
            "",
            {"DataType": "String", "StringValue": "x"},
            "must contain non-empty message \\(user\\) attribute names",
        ),
        ("a" * 257, {"DataType": "String", "StringValue": "x"}, "name must be shorter than 256 bytes"),
        ("a b", {"DataType": "String", "StringValue": "x"}, "upper and lower score characters"),
        ("AWS.a", {"DataType": "String", "StringValue": "x"}, "beginning with 'AWS.' or 'Amazon'"),
        ("a..b", {"DataType": "String", "StringValue": "x"}, "name 'a..b' is invalid"),
        ("a", {}, "'a' must contain a non-empty message attribute value"),
        ("a", {"StringValue": "x"}, "'a' must contain a non-empty message attribute type"),
        (
            "a",
            {"DataType": "Text", "StringValue": "x"},
            "The type of message \\(user\\) attribute 'a' is invalid",
        ),
        (
            "a",
            {"DataType": "string", "StringValue": "x"},
            "The type of message \\(user\\) attribute 'a' is invalid",
        ),
        (
            "a",
            {"DataType": "String", "StringValue": ""},
            "'a' must contain a non-empty value of type 'String'",
        ),
        (
            "a",
            {"DataType": "Binary", "BinaryValue": b""},
            "'a' must contain a non-empty value of type 'Binary'",
        ),
        (
            "a",
            {"DataType": "Number", "StringValue": "x"},
            "Can't cast the value of message \\(user\\) attribute 'a'",
        ),
        ("a", {"DataType": "String", "StringValue": "\x00"}, "Invalid characters found"),
        ("a", {"DataType": "StringList", "StringListValues": ["x"]}, "list values in SendMessage operation"),
    ],
)
def test_what_may_not_be_sent(name: str, member: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidParameterValueException, match=message):
        parse_attributes({name: member})


def test_ten_at_most() -> None:
    member = {"DataType": "String", "StringValue": "x"}
    parse_attributes({f"a{n}": member for n in range(10)})
    with pytest.raises(InvalidParameterValueException, match=r"\[11\] exceeds the allowed maximum \[10\]"):
        parse_attributes({f"a{n}": member for n in range(11)})


@pytest.mark.parametrize(
    ("names", "found"),
    [
        ([], set()),
        (["All"], {"Hello", "General", "Help.Me"}),
        (["*"], {"Hello", "General", "Help.Me"}),
        ([".*"], {"Hello", "General", "Help.Me"}),
        (["Hel.*"], {"Hello", "Help.Me"}),
        (["Hello", "Nobody"], {"Hello"}),
        (["AWS.", "..foo"], set()),
    ],
)
def test_selection(names: list[str], found: set[str]) -> None:
    assert selected(HELLO, names).keys() == found


@pytest.mark.parametrize(
    ("body", "valid"),
    [
        ("a\t\n\r", True),
        ("\U0001f600", True),
        ("\ufffd", True),
        ("\x0b", False),
        ("\ufffe", False),
        ("\ud800", False),
    ],
)
def test_characters(body: str, valid: bool) -> None:
    assert valid_characters(body) is valid
