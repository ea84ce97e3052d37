import pytest

from lambent.base.arn import Arn
from lambent.model.delivery import Delivery
from lambent.services.events.log_target import LogTarget
from lambent.targets.failure import DeliveryFailedError

GROUP = "arn:aws:logs:eu-west-1:111122223333:log-group:/g"
TEMPLATE = {"InputTransformer": {"InputTemplate": "{}"}}


class Client:
    def __init__(self) -> None:
        self.lines: list[dict[str, object]] = []

    async def __call__(self, service, operation, caller, parameters):
        self.lines += parameters.get("logEvents", ())


async def logged(clock, payload: str, account: str = "111122223333", **target):
    client = Client()
    delivery = Delivery(
        queue="events",
        account_id=account,
        region="eu-west-1",
        source_arn="arn:aws:events:eu-west-1:111122223333:rule/r",
        target={"Arn": GROUP, **target},
        payload=payload.encode(),
        accepted_at=0.0,
        due_at=0.0,
    )
    await LogTarget(client, clock).deliver(delivery, Arn.parse(GROUP))
    (line,) = client.lines
    return line["message"], line["timestamp"]


@pytest.mark.parametrize(
    ("payload", "message", "moment"),
    [
        ('{"timestamp":"2026-03-01T12:00:00Z","message":"m"}', "m", 1772366400000),
        ('{"timestamp":1772366400001,"message":{"a":[1]}}', '{"a":[1]}', 1772366400001),
        ('{"timestamp":"1772366400001","message":"m"}', "m", 1772366400001),
        ('{"message":"m"}', "m", None),
        ('{"message":"m","more":1}', '{"message":"m","more":1}', None),
        ("[1]", "[1]", None),
    ],
)
async def test_a_template_says_what_is_logged_and_when(clock, payload, message, moment):
    expected = int(clock.now() * 1000) if moment is None else moment
    assert await logged(clock, payload, **TEMPLATE) == (message, expected)


async def test_an_event_is_logged_as_it_is(clock):
    event = '{"timestamp":1,"message":"m"}'
    assert await logged(clock, event) == (event, int(clock.now() * 1000))


async def test_times_that_are_none_and_groups_of_others_fail(clock):
    with pytest.raises(DeliveryFailedError):
        await logged(clock, '{"timestamp":"noon","message":"m"}', **TEMPLATE)
    with pytest.raises(DeliveryFailedError):
        await logged(clock, "{}", account="444455556666")
