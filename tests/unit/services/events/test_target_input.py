import json

import pytest

from lambent.model.input_template import InvalidInputError
from lambent.services.events.event import Event, event_of
from lambent.services.events.target_input import check_input, target_input

ARN = "arn:aws:events:eu-west-1:123456789012:rule/r"
EVENT = {
    "version": "0",
    "id": "i-1",
    "detail-type": "Order placed",
    "source": "shop",
    "account": "123456789012",
    "time": "2026-03-01T12:00:00Z",
    "region": "eu-west-1",
    "resources": ["arn:a", "arn:b"],
    "detail": {"total": 2.5, "who": 'the "boss"', "lines": [{"sku": "x"}, {"sku": "y"}], "none": None},
}


@pytest.fixture
def event() -> Event:
    return event_of(json.dumps(EVENT).encode())


def made(event: Event, **target) -> str:
    return target_input(target, event, rule_arn=ARN, rule="r", now=1_772_366_400.0).decode()


def filled(event: Event, template: str, **paths: str) -> str:
    return made(event, InputTransformer={"InputPathsMap": paths, "InputTemplate": template})


def test_without_anything_a_target_gets_the_event_as_it_came(event):
    assert made(event).encode() == event.text


def test_a_constant_is_given_as_it_is(event):
    assert made(event, Input='{"a":  1}') == '{"a":  1}'


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("$", EVENT),
        ("$.detail.who", 'the "boss"'),
        ("$.detail-type", "Order placed"),
        ("$.resources[1]", "arn:b"),
        ("$['detail']['total']", 2.5),
        ("$.detail.lines[*].sku", ["x", "y"]),
        ("$.detail.lines[0]", {"sku": "x"}),
        ("$.detail.none", None),
        ("$.detail.nothing", None),
        ("$.detail.lines[9].sku", None),
    ],
)
def test_a_path_leads_to_a_part_of_the_event(event, path, expected):
    assert json.loads(made(event, InputPath=path)) == expected


def test_placeholders_in_quotes_are_text_and_others_are_json(event):
    template = '{"by": "<source>", "raw": <who>, "total": <total>, "said": "total <total>", "lines": <lines>}'
    paths = {"who": "$.detail.who", "total": "$.detail.total", "lines": "$.detail.lines"}
    text = filled(event, template, source="$.source", **paths)
    assert json.loads(text) == {
        "by": "shop",
        "raw": 'the "boss"',
        "total": 2.5,
        "said": "total 2.5",
        "lines": EVENT["detail"]["lines"],
    }


def test_a_template_may_be_a_string_or_several(event):
    text = filled(event, '"<t> from <s>"\n"second \\"<t>\\" line"', t="$.detail-type", s="$.source")
    assert text == '"Order placed from shop"\n"second \\"Order placed\\" line"'


def test_what_is_not_there_is_empty(event):
    assert filled(event, '"it is <x>"', x="$.detail.nothing") == '"it is "'
    assert json.loads(filled(event, '{"x": <x>}', x="$.detail.nothing")) == {"x": ""}


def test_predefined_variables(event):
    template = (
        '{"a": "<aws.events.rule-arn> <aws.events.rule-name>", "t": "<aws.events.event.ingestion-time>"}'
    )
    assert json.loads(filled(event, template)) == {"a": f"{ARN} r", "t": "2026-03-01T12:00:00Z"}
    whole = json.loads(filled(event, '{"e": <aws.events.event>, "j": <aws.events.event.json>}'))
    assert whole["j"] == EVENT
    without = {name: value for name, value in EVENT.items() if name not in ("detail", "detail-type")}
    assert whole["e"] == {**without, "detailType": "Order placed"}


def test_json_is_minified_but_for_what_is_in_its_strings(event):
    template = '{ "a b" : [ <t>,\n 1.50 ],  "c\\" d" : "<s>  x" }'
    assert (
        filled(event, template, t="$.detail-type", s="$.source")
        == '{"a b":["Order placed",1.50],"c\\" d":"shop  x"}'
    )


@pytest.mark.parametrize("template", ['{"x": "<who>"}', '{"x": "<lines>"}', '["<aws.events.event.json>"]'])
def test_values_in_quotes_are_not_escaped_and_may_make_what_is_no_json(event, template):
    with pytest.raises(InvalidInputError):
        filled(event, template, who="$.detail.who", lines="$.detail.lines")


def test_objects_lose_their_quotes_within_a_string(event):
    text = filled(event, '"<lines> of <who>"', lines="$.detail.lines", who="$.detail.who")
    assert text == '"[{sku:x},{sku:y}] of the "boss""'


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ({"Input": "{"}, "JSON syntax error in Input for target {id}."),
        ({"InputPath": "detail"}, "Invalid InputPath for target {id}."),
        ({"InputPath": "$.a[b]"}, "Invalid InputPath for target {id}."),
        (
            {"Input": "{}", "InputPath": "$"},
            "Only one of Input, InputPath, or InputTransformer must be provided for target {id}.",
        ),
        (
            {"InputTransformer": {"InputTemplate": '"<nobody>"'}},
            "InputTemplate for target {id} contains invalid placeholder nobody.",
        ),
        (
            {"InputTransformer": {"InputPathsMap": {"aws.x": "$"}, "InputTemplate": '"<aws.x>"'}},
            "InputPathsMap for target {id} contains reserved key aws.x.",
        ),
        (
            {"InputTransformer": {"InputPathsMap": {"x": "x"}, "InputTemplate": '"<x>"'}},
            "Invalid JSON path for key x in InputPathsMap for target {id}.",
        ),
        (
            {"InputTransformer": {"InputPathsMap": {"x": "$.x"}, "InputTemplate": '{"a": <x>'}},
            "Invalid InputTemplate for target {id} : the template is not valid JSON.",
        ),
    ],
)
def test_inputs_that_cannot_be_made(target, message):
    with pytest.raises(InvalidInputError) as refused:
        check_input(target)
    assert str(refused.value) == message


@pytest.mark.parametrize(
    "target",
    [
        {},
        {"Input": "7"},
        {"InputPath": "$.detail['a b'][0]"},
        {"InputTransformer": {"InputPathsMap": {"x": "$.x"}, "InputTemplate": '{"a": <x>, "b": "<x>"}'}},
        {"InputTransformer": {"InputTemplate": '"{[/special <aws.events.rule-name>"'}},
    ],
)
def test_inputs_that_can(target):
    check_input(target)
