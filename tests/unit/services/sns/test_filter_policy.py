"""Which messages a subscription gets, and which policies are refused."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.model.queue import MessageAttribute
from lambent.model.topic import Subscription, Topic
from lambent.services.sns.filter_policy import (
    ATTRIBUTES_SCOPE,
    BODY_SCOPE,
    SubscriptionAttributeError,
    check_filter_policy,
    wants,
    why_unwanted,
)
from lambent.services.sns.subscription_attributes import check as check_attribute


def subscription(policy: Any, scope: str = ATTRIBUTES_SCOPE) -> Subscription:
    return Subscription(
        arn="arn:aws:sns:r:1:t:1",
        topic_arn="arn:aws:sns:r:1:t",
        protocol="sqs",
        endpoint="e",
        owner="1",
        principal_arn="p",
        attributes={"FilterPolicy": json.dumps(policy), "FilterPolicyScope": scope},
        confirmed=True,
        link_base="",
        created_at=0,
    )


def attributes(**values: Any) -> dict[str, MessageAttribute]:
    def one(value: Any) -> MessageAttribute:
        if isinstance(value, bytes):
            return MessageAttribute(data_type="Binary", binary_value=value)
        if isinstance(value, list):
            return MessageAttribute(data_type="String.Array", string_value=json.dumps(value))
        if isinstance(value, int | float):
            return MessageAttribute(data_type="Number", string_value=str(value))
        return MessageAttribute(data_type="String", string_value=value)

    return {name: one(value) for name, value in values.items()}


@pytest.mark.parametrize(
    ("policy", "values", "wanted"),
    [
        ({"a": ["x"]}, {"a": "x"}, True),
        ({"a": ["x"]}, {"a": "y"}, False),
        ({"a": ["x"]}, {}, False),
        ({"a": [7]}, {"a": 7}, True),
        ({"a": [7]}, {"a": "7"}, False),
        ({"a": [{"numeric": [">", 0, "<=", 100]}]}, {"a": 99.12}, True),
        ({"a": [{"numeric": [">", 0, "<=", 100]}]}, {"a": 101}, False),
        ({"a": ["tennis"]}, {"a": ["rugby", "tennis"]}, True),
        ({"a": [{"anything-but": ["x", "y"]}]}, {"a": "z"}, True),
        ({"a": [{"exists": False}]}, {"b": "x"}, True),
        ({"a": [{"exists": True}]}, {"a": b"\x00"}, True),
        ({"$or": [{"a": ["x"]}, {"b": ["y"]}]}, {"b": "y"}, True),
        ({"a": [{"equals-ignore-case": "ABC"}]}, {"a": "abc"}, True),
        ({"a": [{"cidr": "10.0.0.0/24"}]}, {"a": "10.0.0.255"}, True),
    ],
)
def test_by_attributes(policy: Any, values: dict[str, Any], wanted: bool) -> None:
    check_filter_policy(json.dumps(policy), ATTRIBUTES_SCOPE)
    assert wants(subscription(policy), "body", attributes(**values)) is wanted


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        ('{"a": {"b": "x"}}', True),
        ('{"a": [{"b": "y"}, {"b": "x"}]}', True),
        ('{"a": {"b": "y"}}', False),
        ('["a"]', False),
        ("no JSON", False),
        ("", False),
    ],
)
def test_by_the_body(body: str, wanted: bool) -> None:
    policy = {"a": {"b": ["x"]}}
    check_filter_policy(json.dumps(policy), BODY_SCOPE)
    assert wants(subscription(policy, BODY_SCOPE), body, {}) is wanted


NAMES = st.text(st.characters(codec="ascii", exclude_characters="$."), min_size=1, max_size=5)
VALUES = st.one_of(st.text(max_size=5), st.integers(-(10**6), 10**6), st.booleans(), st.none())


@given(st.dictionaries(NAMES, st.lists(VALUES, min_size=1, max_size=3), min_size=1, max_size=3), st.data())
def test_a_message_of_wanted_values_is_wanted(policy: dict[str, list[Any]], data: st.DataObject) -> None:
    text = json.dumps(policy)
    check_filter_policy(text, BODY_SCOPE)
    body = {name: data.draw(st.sampled_from(values)) for name, values in policy.items()}
    assert wants(subscription(policy, BODY_SCOPE), json.dumps(body), {})
    missing = dict(body)
    del missing[next(iter(policy))]
    assert not wants(subscription(policy, BODY_SCOPE), json.dumps(missing), {})


@given(st.text())
def test_any_text_is_a_policy_or_refused_in_words(text: str) -> None:
    try:
        check_filter_policy(text, BODY_SCOPE)
    except SubscriptionAttributeError as error:
        assert str(error)
    else:
        assert isinstance(json.loads(text), dict)


@given(st.text())
def test_no_body_breaks_a_filter(body: str) -> None:
    assert wants(subscription({"a": ["x"]}, BODY_SCOPE), body, {}) in (True, False)


@pytest.mark.parametrize(
    ("policy", "scope", "message"),
    [
        ({"a": {"b": ["x"]}}, ATTRIBUTES_SCOPE, "does not support nested filter policy"),
        ({f"k{n}": ["x"] for n in range(6)}, ATTRIBUTES_SCOPE, "can not have more than 5 keys"),
        ({"a": list(range(151))}, ATTRIBUTES_SCOPE, "Filter policy is too complex"),
        ({"a": list(range(12)), "b": list(range(13))}, ATTRIBUTES_SCOPE, "Filter policy is too complex"),
        ({"a": {"b": {"c": list(range(51))}}}, BODY_SCOPE, "Filter policy is too complex"),
        ({"a": "x"}, ATTRIBUTES_SCOPE, '"a" must be an object or an array'),
        ({"a": [{"wrong-operator": True}]}, ATTRIBUTES_SCOPE, "Unrecognized match type wrong-operator"),
        ({"a": [["x"]]}, ATTRIBUTES_SCOPE, "Match value must be String, number, true, false, or null"),
    ],
)
def test_policies_that_are_refused(policy: Any, scope: str, message: str) -> None:
    with pytest.raises(SubscriptionAttributeError, match=message):
        check_filter_policy(json.dumps(policy), scope)


def test_what_is_no_json_is_told_as_aws_was_recorded_to() -> None:
    with pytest.raises(SubscriptionAttributeError) as caught:
        check_filter_policy("{invalidjson}", ATTRIBUTES_SCOPE)
    assert str(caught.value) == (
        "FilterPolicy: failed to parse JSON. Unexpected character ('i' (code 105)): was expecting double-quote to "
        "start field name\n at [Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); "
        "line: 1, column: 2]"
    )


def test_a_redrive_policy_has_one_attribute() -> None:
    topic = Topic(account_id="1", region="r", name="t", created_at=0)
    arn = "arn:aws:sqs:r:1:q"
    check_attribute(subscription({}), topic, "RedrivePolicy", json.dumps({"deadLetterTargetArn": arn}), 0)
    text = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 3})
    with pytest.raises(SubscriptionAttributeError, match="Attribute maxReceiveCount is unknown"):
        check_attribute(subscription({}), topic, "RedrivePolicy", text, 0)
    with pytest.raises(SubscriptionAttributeError, match="RedrivePolicy: failed to parse JSON"):
        check_attribute(subscription({}), topic, "RedrivePolicy", "{invalidjson}", 0)


@pytest.mark.parametrize(
    ("expression", "reason", "column"),
    [
        ({"anything-but": {"wrong-operator": None}}, "Unsupported anything-but pattern: wrong-operator", 47),
        ({"anything-but": {"suffix": "test"}}, "Unsupported anything-but pattern: suffix", 36),
        ({"anything-but": {"exists": False}}, "Unsupported anything-but pattern: exists", 40),
        ({"anything-but": {"prefix": False}}, "prefix match pattern must be a string", 40),
        ({"prefix": {"equals-ignore-case": "a"}}, "prefix match pattern must be a string", 20),
        ({"wildcard": "a*"}, "Unrecognized match type wildcard", 22),
    ],
)
def test_what_only_event_patterns_say_is_refused(expression: Any, reason: str, column: int) -> None:
    with pytest.raises(SubscriptionAttributeError) as caught:
        check_filter_policy(json.dumps({"key": [expression]}, separators=(",", ":")), ATTRIBUTES_SCOPE)
    said, _, place = str(caught.value).partition("\n")
    assert (said, place.endswith(f"column: {column}]")) == (f"FilterPolicy: {reason}", True), place
    check_filter_policy('{"key": [{"anything-but": {"prefix": "test-"}}]}', ATTRIBUTES_SCOPE)


def test_a_policy_of_before_still_decides() -> None:
    assert wants(subscription({"a": [{"wildcard": "x*"}]}), "body", attributes(a="xyz"))


@pytest.mark.parametrize(
    ("scope", "body", "values", "reason"),
    [
        (ATTRIBUTES_SCOPE, "{}", {}, "NoMessageAttributes"),
        (ATTRIBUTES_SCOPE, "{}", {"a": "y"}, "MessageAttributes"),
        (BODY_SCOPE, '{"a": "y"}', {"a": "x"}, "MessageBody"),
        (BODY_SCOPE, "no JSON", {"a": "x"}, "InvalidMessageBody"),
    ],
)
def test_what_is_filtered_out_is_counted_by_its_reason(
    scope: str, body: str, values: dict[str, Any], reason: str
) -> None:
    filtering = subscription({"a": ["x"]}, scope)
    assert not wants(filtering, body, attributes(**values))
    assert why_unwanted(filtering, body, attributes(**values)) == reason
