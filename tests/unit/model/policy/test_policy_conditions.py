import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.model.policy import MalformedPolicyError
from lambent.model.policy.condition import condition

KEY = "aws:Key"


def holds(operator, expected, *values):
    """Whether the condition holds for a request whose key has `values`."""
    wanted = tuple(expected) if isinstance(expected, list) else (expected,)
    made = condition(operator, KEY, wanted, variables=True)
    return made.holds({"aws:key": values, "aws:userid": ("me",)} if values else {"aws:userid": ("me",)})


@pytest.mark.parametrize(
    ("operator", "expected", "value", "result"),
    [
        ("StringEquals", "a", "a", True),
        ("StringEquals", "a", "A", False),
        ("StringEquals", ["x", "a"], "a", True),
        ("StringEquals", "a*", "ab", False),
        ("StringEquals", "${aws:userid}", "me", True),
        ("StringNotEquals", "a", "b", True),
        ("StringNotEquals", ["a", "b"], "b", False),
        ("StringEqualsIgnoreCase", "aB", "Ab", True),
        ("StringNotEqualsIgnoreCase", "aB", "Ab", False),
        ("StringLike", "a*c?", "abbcd", True),
        ("StringLike", "home/${aws:userid}/*", "home/me/x", True),
        ("StringNotLike", "a*", "b", True),
        ("NumericEquals", "10", "10.0", True),
        ("NumericNotEquals", "10", "11", True),
        ("NumericLessThan", "10", "9", True),
        ("NumericLessThan", "10", "10", False),
        ("NumericLessThanEquals", "10", "10", True),
        ("NumericGreaterThan", "10", "10.5", True),
        ("NumericGreaterThanEquals", "10", "9", False),
        ("NumericEquals", "10", "ten", False),
        ("NumericLessThan", "10", "nan", False),
        ("DateEquals", "2024-01-01T00:00:00Z", "1704067200", True),
        ("DateEquals", "2024-01-01", "2024-01-01T00:00:00Z", True),
        ("DateEquals", "2024", "2024-01-01T00:00:00Z", True),
        ("DateEquals", "2024-01-01T01:00:00+01:00", "2024-01-01T00:00:00Z", True),
        ("DateNotEquals", "2024-01-01", "2024-01-02", True),
        ("DateLessThan", "2024-01-02", "2024-01-01", True),
        ("DateGreaterThan", "2024-01-02", "2024-01-01", False),
        ("DateGreaterThanEquals", "2024-01-02", "2024-01-02", True),
        ("DateLessThanEquals", "2024-01-02", "not a date", False),
        ("Bool", "true", "true", True),
        ("Bool", "True", "true", True),
        ("Bool", "false", "true", False),
        ("BinaryEquals", "QmluYXJ5", "QmluYXJ5", True),
        ("BinaryEquals", "QmluYXJ5", "Binary", False),
        ("IpAddress", "203.0.113.0/24", "203.0.113.9", True),
        ("IpAddress", "203.0.113.7", "203.0.113.9", False),
        ("IpAddress", "2001:db8::/32", "2001:db8::1", True),
        ("IpAddress", "0.0.0.0/0", "not an address", False),
        ("NotIpAddress", "203.0.113.0/24", "198.51.100.1", True),
        ("ArnEquals", "arn:aws:sns:*:1:t*", "arn:aws:sns:eu-west-1:1:topic", True),
        ("ArnLike", "arn:aws:sns:*:1:t", "arn:aws:sns:eu-west-1:1:t", True),
        ("ArnLike", "arn:aws:sns:*:t", "arn:aws:sns:eu-west-1:1:t", False),
        ("ArnLike", "*", "arn:aws:sns:eu-west-1:1:t", True),
        ("ArnLike", "arn:aws:iam::1:user/${aws:userid}", "arn:aws:iam::1:user/me", True),
        ("ArnNotEquals", "arn:aws:sns:*:1:t", "arn:aws:sns:eu-west-1:2:t", True),
        ("ArnNotLike", "arn:aws:sns:*:1:*", "arn:aws:sns:eu-west-1:1:t", False),
    ],
)
def test_operators(operator, expected, value, result):
    assert holds(operator, expected, value) is result
    assert holds(operator + "IfExists", expected, value) is result
    assert holds(f"ForAnyValue:{operator}", expected, value) is result
    assert holds(f"ForAllValues:{operator}", expected, value) is result


@pytest.mark.parametrize(
    ("operator", "result"),
    [
        ("StringEquals", False),
        ("StringNotEquals", True),
        ("StringEqualsIfExists", True),
        ("StringNotEqualsIfExists", True),
        ("ForAnyValue:StringEquals", False),
        ("ForAnyValue:StringNotEquals", False),
        ("ForAnyValue:StringEqualsIfExists", True),
        ("ForAllValues:StringEquals", True),
    ],
)
def test_a_key_that_the_request_lacks(operator, result):
    assert holds(operator, "a") is result


@pytest.mark.parametrize(
    ("operator", "values", "result"),
    [
        ("ForAllValues:StringEquals", ("a", "b"), True),
        ("ForAllValues:StringEquals", ("a", "c"), False),
        ("ForAnyValue:StringEquals", ("c", "b"), True),
        ("ForAnyValue:StringEquals", ("c", "d"), False),
        ("ForAllValues:StringNotEquals", ("c", "d"), True),
        ("ForAllValues:StringNotEquals", ("c", "a"), False),
        ("ForAnyValue:StringNotEquals", ("c", "a"), True),
        ("ForAnyValue:StringNotEquals", ("b", "a"), False),
    ],
)
def test_several_values(operator, values, result):
    assert holds(operator, ["a", "b"], *values) is result


def test_null():
    assert holds("Null", "true") and not holds("Null", "false")
    assert holds("Null", "false", "x") and not holds("Null", "true", "x")


@given(st.sampled_from(["", "IfExists"]), st.text(alphabet="ab*?", max_size=4), st.text("ab", max_size=4))
def test_a_negative_is_the_opposite(suffix, expected, value):
    for operator, negative in (
        ("StringEquals", "StringNotEquals"),
        ("StringLike", "StringNotLike"),
        ("StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase"),
    ):
        assert holds(operator + suffix, expected, value) is not holds(negative + suffix, expected, value)


@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6))
def test_numbers_are_in_order(limit, number):
    less = holds("NumericLessThan", str(limit), str(number))
    equal = holds("NumericEquals", str(limit), str(number))
    greater = holds("NumericGreaterThan", str(limit), str(number))
    assert [less, equal, greater].count(True) == 1
    assert holds("NumericLessThanEquals", str(limit), str(number)) is (less or equal)


@pytest.mark.parametrize(
    ("operator", "value"),
    [
        ("Equals", "a"),
        ("stringequals", "a"),
        ("ForSomeValues:StringEquals", "a"),
        ("ForAnyValue::StringEquals", "a"),
        ("NullIfExists", "true"),
        ("Null", "maybe"),
        ("NumericEquals", "ten"),
        ("DateEquals", "sometime"),
        ("DateEquals", "2024-13-01"),
        ("DateEquals", "9223372036854775808"),
        ("Bool", "maybe"),
        ("BinaryEquals", "*"),
        ("IpAddress", "203.0.113.0/99"),
    ],
)
def test_what_cannot_be_compared_is_refused(operator, value):
    with pytest.raises(MalformedPolicyError):
        condition(operator, KEY, (value,), variables=True)
