import json
from typing import Any

import pytest

from lambent.base.clock import ManualClock
from lambent.model.caller import Caller, Parameters
from lambent.model.delivery import Delivery
from lambent.model.error import AccessDeniedException, ServiceException
from lambent.model.topic import Topic
from lambent.services.sns.delivery_status import Accepted, DeliveryStatusLog, check_value, feedback
from lambent.services.sns.errors import InvalidParameter
from lambent.targets.failure import DeliveryFailedError

TOPIC = "arn:aws:sns:eu-west-1:123456789012:t"
ROLE = "arn:aws:iam::123456789012:role/logger"


class ResourceNotFoundException(ServiceException):
    pass


class ResourceAlreadyExistsException(ServiceException):
    pass


class Logs:
    """model.service.Client and model.caller.RoleCallers."""

    def __init__(self) -> None:
        self.groups: dict[str, list[str]] = {}
        self.streams: set[tuple[str, str]] = set()
        self.refuses = False

    def offers(self, service: str, operation: str) -> bool:
        return True

    async def assume(self, role_arn: str, service: str, **more: Any) -> Caller:
        if self.refuses:
            raise AccessDeniedException("no")
        assert (role_arn, service) == (ROLE, "sns.amazonaws.com")
        return Caller(account_id="1", region="r", principal_arn=role_arn, user_id="u", access_key_id="A")

    async def __call__(
        self, service: str, operation: str, caller: Caller, parameters: Parameters
    ) -> Parameters:
        group, stream = parameters["logGroupName"], parameters.get("logStreamName", "")
        match operation:
            case "CreateLogGroup":
                if group in self.groups:
                    raise ResourceAlreadyExistsException("there")
                self.groups[group] = []
            case "CreateLogStream":
                self.streams.add((group, stream))
            case "PutLogEvents":
                if (group, stream) not in self.streams:
                    raise ResourceNotFoundException("nowhere")
                self.groups[group] += [event["message"] for event in parameters["logEvents"]]
        return {}


def topic(**attributes: str) -> Topic:
    return Topic(account_id="123456789012", region="eu-west-1", name="t", attributes=attributes, created_at=0)


def delivery(protocol: str = "sqs", *, attempts: int = 0, **attributes: str) -> Delivery:
    return Delivery(
        queue="sns",
        account_id="123456789012",
        region="eu-west-1",
        source_arn=TOPIC,
        target={
            "Protocol": protocol,
            "Endpoint": "e",
            "MessageId": "m",
            "Feedback": feedback(topic(**attributes), protocol, "text"),
        },
        payload=b"",
        accepted_at=1000.25,
        due_at=1000.25,
        attempts=attempts,
    )


def status_log(logs: Logs, sample: float = 0.0) -> DeliveryStatusLog:
    return DeliveryStatusLog(logs, logs, ManualClock(1001.0), sample=lambda: sample)


async def test_a_success_is_logged_where_the_topic_says_so() -> None:
    logs = Logs()
    logs.groups["sns/eu-west-1/123456789012/t"] = []  # a stream is missing all the same
    logged = status_log(logs)
    await logged.delivered(delivery(), Accepted(200, "{}"))
    assert not logs.streams
    made = delivery(SQSSuccessFeedbackRoleArn=ROLE)
    for _ in range(2):
        await logged.delivered(made, Accepted(200, "{}"))
    entries = [json.loads(text) for text in logs.groups["sns/eu-west-1/123456789012/t"]]
    assert len(entries) == 2
    assert entries[0]["notification"]["timestamp"] == "1970-01-01 00:16:40.250"
    assert entries[0]["delivery"].pop("deliveryId") != entries[1]["delivery"]["deliveryId"]
    assert entries[0]["delivery"] == {
        "destination": "e",
        "providerResponse": "{}",
        "dwellTimeMs": 750,
        "statusCode": 200,
    }
    assert entries[0]["status"] == "SUCCESS"


@pytest.mark.parametrize(("rate", "sample", "count"), [("0", 0.0, 0), ("10", 0.1, 0), ("10", 0.09, 1)])
async def test_a_share_of_successes(rate: str, sample: float, count: int) -> None:
    logs = Logs()
    made = delivery("http", HTTPSuccessFeedbackRoleArn=ROLE, HTTPSuccessFeedbackSampleRate=rate)
    await status_log(logs, sample).delivered(made, Accepted(200, "OK"))
    assert sum(map(len, logs.groups.values())) == count


async def test_a_failure_has_a_log_of_its_own() -> None:
    logs = Logs()
    made = delivery("lambda", attempts=2, LambdaFailureFeedbackRoleArn=ROLE)
    await status_log(logs).failed(made, DeliveryFailedError("NO_PERMISSIONS", "no", cause="AccessDenied"))
    [text] = logs.groups["sns/eu-west-1/123456789012/t/Failure"]
    made_known = json.loads(text)["delivery"]
    assert (made_known["attempts"], made_known["statusCode"]) == (3, 403)
    assert json.loads(made_known["providerResponse"]) == {
        "ErrorCode": "AccessDenied",
        "ErrorMessage": "no",
        "lambdaRequestId": "Unrecoverable",
    }


async def test_an_endpoint_without_an_answer_has_no_status() -> None:
    logs = Logs()
    made = delivery("https", HTTPFailureFeedbackRoleArn=ROLE)
    await status_log(logs).failed(made, DeliveryFailedError("CONNECTION_FAILURE", "refused"))
    [text] = logs.groups["sns/eu-west-1/123456789012/t/Failure"]
    assert "statusCode" not in json.loads(text)["delivery"]


async def test_what_may_not_be_logged_fails_no_delivery() -> None:
    logs = Logs()
    logs.refuses = True
    await status_log(logs).delivered(delivery(SQSSuccessFeedbackRoleArn=ROLE), Accepted(200, "{}"))
    assert not logs.groups


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SQSSuccessFeedbackRoleArn", "logger"),
        ("SQSSuccessFeedbackRoleArn", "arn:aws:iam::123456789012:user/logger"),
        ("SQSSuccessFeedbackSampleRate", "101"),
        ("SQSSuccessFeedbackSampleRate", "-1"),
        ("SQSSuccessFeedbackSampleRate", "9" * 5000),
        ("SQSSuccessFeedbackSampleRate", "half"),
    ],
)
def test_refused_values(name: str, value: str) -> None:
    with pytest.raises(InvalidParameter, match=name):
        check_value(name, value)
