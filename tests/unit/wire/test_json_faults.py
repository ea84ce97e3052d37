import json

import pytest

from lambent.wire.json_faults import why_not_json

SOURCE = "[Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled)"
VALUES = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')"


@pytest.mark.parametrize(
    ("body", "message", "line", "column"),
    [
        (b"bad", f"Unrecognized token 'bad': was expecting {VALUES}", 1, 4),
        (b"nullify", f"Unrecognized token 'nullify': was expecting {VALUES}", 1, 8),
        (b'{"a": tru}', f"Unrecognized token 'tru': was expecting {VALUES}", 1, 11),
        (b"'a'", f"Unexpected character (''' (code 39)): expected a valid value {VALUES}", 1, 1),
        (b"\x85", f"Unexpected character ((CTRL-CHAR, code 133)): expected a valid value {VALUES}", 1, 1),
        (b"n\x80", "Invalid UTF-8 start byte 0x80", 1, 3),
        (b"n\xc3x", "Invalid UTF-8 middle byte 0x78", 1, 4),
        (
            b"{a:1}",
            "Unexpected character ('a' (code 97)): was expecting double-quote to start field name",
            1,
            2,
        ),
        (
            b'{"a":1,\n}',
            "Unexpected character ('}' (code 125)): was expecting double-quote to start field name",
            2,
            1,
        ),
        (
            b'{"a"\n\n 1}',
            "Unexpected character ('1' (code 49)): was expecting a colon to separate field name and value",
            3,
            2,
        ),
        (
            b'{"a":1 "b":2}',
            "Unexpected character ('\"' (code 34)): was expecting comma to separate Object entries",
            1,
            8,
        ),
        (
            "[1 €]".encode(),
            "Unexpected character ('€' (code 8364 / 0x20ac)): was expecting comma to separate Array entries",
            1,
            6,
        ),
        (b'"abc', "Unexpected end-of-input: was expecting closing quote for a string value", 1, 5),
        (b'{"abc', "Unexpected end-of-input in field name", 1, 6),
        (b'{"a":', "Unexpected end-of-input within/between Object entries", 1, 6),
        (b" ", "No content to map due to end-of-input", 1, 2),
        (b'"\\x"', "Unrecognized character escape 'x' (code 120)", 1, 3),
        (b"-x", "Invalid numeric value", 1, 2),
    ],
)
def test_the_fault_is_told_with_its_place(body: bytes, message: str, line: int, column: int) -> None:
    told = f"{message}\n at {SOURCE}; line: {line}, column: {column}]"
    assert why_not_json(body, ValueError("unknown")) == told


def test_what_is_left_open_is_told_with_where_it_was_opened() -> None:
    assert why_not_json(b'[1, {"a":2', ValueError()).startswith(
        "Unexpected end-of-input: expected close marker for Object "
        f"(start marker at {SOURCE}; line: 1, column: 5])\n"
    )
    assert why_not_json(b"[1}", ValueError()).startswith(
        "Unexpected close marker '}': expected ']' (for Array starting at [Source"
    )


def test_bytes_that_are_not_utf8_within_a_string() -> None:
    with pytest.raises(UnicodeDecodeError) as refused:
        str(b'{"a":"\xff"}', "utf-8")
    assert why_not_json(b'{"a":"\xff"}', refused.value).startswith("Invalid UTF-8 start byte 0xff\n")


def test_what_is_json_or_too_long_is_told_in_the_words_of_the_parser() -> None:
    document = json.dumps({"a": [1, -2.5e3, None, True, {"b": "\n\u1234"}], "c": {}, "d": []}).encode()
    for body in (document, b"{} {}", b"[" * 300_000):
        assert why_not_json(body, ValueError("its own words")) == "its own words"


def test_depth_is_no_matter() -> None:
    assert why_not_json(b"[" * 100_000, ValueError()).startswith("Unexpected end-of-input: expected close")
