"""What AWS refuses, in its words and with its places: most of the messages here were recorded from EventBridge."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.model.event_pattern import InvalidPatternError, parse_pattern


def refusal(text: str) -> str:
    with pytest.raises(InvalidPatternError) as refused:
        parse_pattern(text)
    return str(refused.value)


RECORDED = [
    ('{"int": 42}', '"int" must be an object or an array', 11),
    ('{"string": "my-value"}', '"string" must be an object or an array', 13),
    ('{"resources": []}', "Empty arrays are not allowed", 17),
    ('{"my_key": [{"EXISTS": true}]}', "Unrecognized match type EXISTS", 28),
    ('{"detail": {"equal": [{"NUMERIC": ["=", 5]}]}}', "Unrecognized match type NUMERIC", 36),
    (
        '{"detail": {"c-count": [{"numeric": [">", 0, ">", 0]}]}}',
        "Bad numeric range operator: >",
        49,
    ),
    ('{"detail": {"c-count": [{"numeric": [">", 0, "<"]}]}}', "Value of < must be numeric", 50),
    ('{"EventBusArn": [{"wildcard": 123}]}', "wildcard match pattern must be a string", 34),
    ('{"EventBusArn": [{"wildcard": ["a"]}]}', "wildcard match pattern must be a string", 32),
    ('{"key": [{"wildcard": "abc**def"}]}', "Consecutive wildcard characters at pos 4", 33),
    ('{"time": [{"prefix": ["2022-07-13"]}]}', "prefix match pattern must be a string", 23),
    ('{"time": [{"prefix": 123}]}', "prefix match pattern must be a string", 25),
    ('{"FileName": [{"suffix": [".png"]}]}', "suffix match pattern must be a string", 27),
    (
        '{"detail-type": [{"equals-ignore-case": ["ec2"]}]}',
        "equals-ignore-case match pattern must be a string",
        42,
    ),
    (
        '{"detail": {"state": [{"anything-but": {"equals-ignore-case": 123}}]}}',
        "Inside anything-but/equals-ignore-case list, number|start|null|boolean is not supported.",
        66,
    ),
    (
        '{"detail": {"FilePath": [{"anything-but": {"wildcard": 123}}]}}',
        "wildcard match pattern must be a string",
        59,
    ),
    (
        '{"detail": {"state": [{"anything-but": {"prefix": 123}}]}}',
        "prefix/suffix match pattern must be a string",
        54,
    ),
    (
        '{"detail": {"FileName": [{"anything-but": {"prefix": {"equals-ignore-case": "file"}}}]}}',
        "Value of anything-but must be an array or single string/number value.",
        55,
    ),
    (
        '{"detail": {"sourceIPAddress": [{"cidr": ["bad-type"]}]}}',
        "prefix match pattern must be a string",
        43,
    ),
    (
        "{'bad': 'quotation'}",
        "Unexpected character (''' (code 39)): was expecting double-quote to start field name",
        2,
    ),
    ('["not", "a", "dict"]', "Filter is not an object", 2),
    (
        "this is no JSON",
        "Unrecognized token 'this': was expecting (JSON String, Number, Array, Object or token 'null', 'true' or"
        " 'false')",
        5,
    ),
]


@pytest.mark.parametrize(("text", "reason", "column"), RECORDED)
def test_reasons_and_places(text, reason, column):
    assert refusal(text) == f'{reason}\n at [Source: (String)"{text}"; line: 1, column: {column}]'


def test_a_list_says_its_place_twice():
    text = '{"detail": {"state": [{"anything-but": {"prefix": [123, "test"]}}]}}'
    place = f'\n at [Source: (String)"{text}"; line: 1, column: 55]'
    assert refusal(text) == f"prefix/suffix match pattern must be a string{place}{place}"


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ({"cidr": "10.0.0.1"}, "Malformed CIDR, one '/' required"),
        ({"cidr": "10.0.0.1/xx"}, "Malformed CIDR, mask bits must be an integer"),
        ({"cidr": "10.0.0.1/-1"}, "Malformed CIDR, mask bits must not be negative"),
        ({"cidr": "10.0.0.1/32"}, "IPv4 mask bits must be < 32"),
        ({"cidr": "::/128"}, "IPv6 mask bits must be < 128"),
        ({"cidr": "xx.11.xx/8"}, "Nonstandard IP address: xx.11.xx"),
        (
            {"wildcard": "*:*:*:*:*:event-bus/*"},
            "Rule is too complex - try using fewer wildcard characters or fewer repeating character sequences after"
            " a wildcard character",
        ),
    ],
)
def test_reasons_without_a_place(expression, reason):
    assert refusal(json.dumps({"a": [expression]})) == reason


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ({}, "Empty objects are not allowed"),
        ({"a": {}}, "Empty objects are not allowed"),
        ({"a": [[1]]}, "Match value must be String, number, true, false, or null"),
        ({"a": [{}]}, "Match expression name not found"),
        ({"a": [{"prefix": "x", "suffix": "y"}]}, "Only one key allowed in match expression"),
        ({"a": [{"numeric": ["<", 1, ">", 0]}]}, "Too many elements in numeric expression"),
        ({"a": [{"numeric": [">", 1, "<", 2, 3]}]}, "Too many terms in numeric range expression"),
        ({"a": [{"numeric": [">", 2, "<", 1]}]}, "Bottom must be less than top"),
        ({"a": [{"numeric": ["=", "1"]}]}, "Value of equals must be numeric"),
        ({"a": [{"numeric": ["!", 1]}]}, "Unrecognized numeric range operator: !"),
        ({"a": [{"numeric": 1}]}, "Value of numeric must be an array."),
        ({"a": [{"numeric": [1, 2]}]}, "Invalid member in numeric match: 1"),
        ({"a": [{"numeric": []}]}, "Invalid member in numeric match: ]"),
        ({"a": [{"exists": 1}]}, "exists match pattern must be either true or false."),
        (
            {"a": [{"anything-but": True}]},
            "Value of anything-but must be an array or single string/number value.",
        ),
        (
            {"a": [{"anything-but": [1, "a"]}]},
            "Inside anything but list, either all values are number or string, mixed type is not supported",
        ),
        (
            {"a": [{"anything-but": [None]}]},
            "Inside anything but list, start|null|boolean is not supported.",
        ),
        ({"a": [{"anything-but": {"prefix": ""}}]}, "Null prefix/suffix not allowed"),
        ({"a": [{"anything-but": {"exists": True}}]}, "Unsupported anything-but pattern: exists"),
        ({"a": [{"prefix": {"suffix": "x"}}]}, "Unsupported prefix pattern: suffix"),
        ({"a": [{"wildcard": "a\\b"}]}, "Invalid escape character at pos 2"),
        ({"$or": {"a": [1]}}, "It must be an Array followed with $or."),
        ({"$or": [{"a": [1]}]}, "There must have at least 2 Objects in $or relationship."),
        ({"$or": [{"a": [1]}, 2]}, "Only JSON object is allowed in array of $or relationship."),
        (
            {"$or": [{"prefix": [1]}, {"a": [1]}]},
            "prefix is Ruler reserved fieldName which cannot be used inside $or.",
        ),
    ],
)
def test_reasons(pattern, reason):
    with pytest.raises(InvalidPatternError) as refused:
        parse_pattern(pattern)
    assert refused.value.reason == reason


def test_alternatives_that_multiply_beyond_measure_are_refused():
    pair = [{"a": [1]}, {"b": [1]}]
    text = '{"x": {' + ", ".join(f'"{n}": {{"$or": {json.dumps(pair)}}}' for n in range(40)) + "}}"
    assert "combinations" in refusal(text)


def test_long_patterns_are_shown_in_part():
    text = '{"a": ["' + "x" * 600 + '"], "b": 1}'
    assert f'{text[:500]}"[truncated {len(text) - 500} chars]; line: 1' in refusal(text)


def test_places_count_lines():
    assert refusal('{\n "a": [\n ]\n}').endswith("; line: 3, column: 3]")


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "{",
        '{"a"',
        '{"a":',
        '{"a":[',
        '{"a":[1',
        '{"a":[1]',
        '{"a":[1,]}',
        '{"a":["',
        '{"a":[1}',
        '{"a":]}',
    ],
)
def test_broken_json_is_refused(text):
    refusal(text)


def test_no_depth_of_nesting_breaks_the_reader():
    refusal('{"a":' * 100_000)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["a", "b", "$or", "prefix", "anything-but", "numeric", "exists", "cidr", "wildcard"]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["a", "$or", "b"]), JSON, max_size=3) | JSON)
def test_everything_is_parsed_or_refused(pattern):
    try:
        parsed = parse_pattern(json.dumps(pattern))
    except InvalidPatternError:
        return
    assert parsed.matches({}) in (True, False)


@given(st.text(alphabet='{}[]":,a1 tru\\\n', max_size=20))
def test_every_text_is_parsed_or_refused(text):
    try:
        parse_pattern(text)
    except InvalidPatternError:
        return
    assert text.strip().startswith("{")
