import pytest

from lambent.event_sources.pipes.template import Event, as_text, transformed
from lambent.model.input_template import InvalidInputError

RECORD = {
    "messageId": "m",
    "body": '{"id": 7, "who": "the \\"boss\\"", "list": [1]}',
    "attributes": {"SenderId": "A"},
}
VARIABLES = {"pipe-name": "p", "event.ingestion-time": "2026-03-01T12:00:00Z"}


@pytest.fixture
def event() -> Event:
    return Event.of_message(RECORD)


@pytest.mark.parametrize(
    ("template", "made"),
    [
        ('"Hello, sender"', '"Hello, sender"'),
        ("<$.attributes.SenderId>", '"A"'),
        ('"Hello, <$.attributes.SenderId>"', '"Hello, A"'),
        (
            '{ "key": <$.body.id>, "d": <aws.pipes.event.ingestion-time> }',
            '{"key":7,"d":"2026-03-01T12:00:00Z"}',
        ),
        ('{"in": "<aws.pipes.pipe-name>-<$.body.id>", "none": <$.body.nothing>}', '{"in":"p-7","none":""}'),
        ('"list <$.body.list>"', '"list [1]"'),
        ('{"whole": <$.body>}', '{"whole":{"id":7,"who":"the \\"boss\\"","list":[1]}}'),
    ],
)
def test_templates_look_into_a_body_that_is_json(event, template, made):
    assert transformed(template, event, VARIABLES) == made


def test_the_event_is_as_it_came_or_with_its_body_read(event):
    assert '"body":"{' in transformed('{"e": <aws.pipes.event>}', event, VARIABLES)
    assert '"body":{' in transformed('{"e": <aws.pipes.event.json>}', event, VARIABLES)


def test_a_body_that_is_none_stays_a_text():
    event = Event.of_message({"body": "plain"})
    assert transformed('{"b": <$.body>}', event, {}) == '{"b":"plain"}'


def test_quotes_within_quotes_make_no_json(event):
    with pytest.raises(InvalidInputError):
        transformed('{"who": "<$.body.who>"}', event, VARIABLES)


@pytest.mark.parametrize(
    ("template", "made", "text"),
    [
        ("<$.body>", '"plain"', "plain"),
        ("<$.body>", '{"a":1}', '{"a":1}'),
        ('"<$.body>"', '"plain"', '"plain"'),
        (None, '{"a":1}', '{"a":1}'),
    ],
)
def test_nothing_but_a_text_is_one_without_quotes(template, made, text):
    assert as_text(template, made) == text
