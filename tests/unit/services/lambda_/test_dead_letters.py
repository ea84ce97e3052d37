from typing import Any

import pytest

from lambent.model.lambda_errors import InvalidParameterValueException, ServiceException_
from lambent.store.ports.errors import StoreFullError

QUEUE = "arn:aws:sqs:us-east-1:123456789012:q"
TOPIC = "arn:aws:sns:us-east-1:123456789012:t"


async def update(aws: Any, **settings: Any) -> Any:
    updated = await aws.call("UpdateFunctionConfiguration", FunctionName="hello", **settings)
    await aws.settle()
    return updated


async def test_a_target_is_set_shown_kept_published_and_removed(aws: Any) -> None:
    created = await aws.create(DeadLetterConfig={"TargetArn": QUEUE})
    assert created["DeadLetterConfig"] == {"TargetArn": QUEUE}
    assert (await update(aws, Timeout=5))["DeadLetterConfig"] == {"TargetArn": QUEUE}
    await aws.call("PublishVersion", FunctionName="hello")
    assert (await update(aws, DeadLetterConfig={"TargetArn": TOPIC}))["DeadLetterConfig"] == {
        "TargetArn": TOPIC
    }
    assert "DeadLetterConfig" not in await update(aws, DeadLetterConfig={"TargetArn": ""})
    first = await aws.call("GetFunctionConfiguration", FunctionName="hello", Qualifier="1")
    assert first["DeadLetterConfig"] == {"TargetArn": QUEUE}


@pytest.mark.parametrize(
    ("action", "target", "what"),
    [("sqs:SendMessage", QUEUE, "SendMessage on SQS"), ("sns:Publish", TOPIC, "Publish on SNS")],
)
async def test_the_role_must_be_able_to_send(aws: Any, action: str, target: str, what: str) -> None:
    aws.policies.denied.add((action, target))
    with pytest.raises(InvalidParameterValueException) as raised:
        await aws.create(DeadLetterConfig={"TargetArn": target})
    assert raised.value.message == f"The provided execution role does not have permissions to call {what}"
    await aws.create()
    with pytest.raises(InvalidParameterValueException, match=what):
        await update(aws, DeadLetterConfig={"TargetArn": target})


async def test_a_new_role_must_be_able_to_send_too(aws: Any) -> None:
    created = await aws.create(DeadLetterConfig={"TargetArn": QUEUE})
    aws.policies.denied.add(("sqs:SendMessage", QUEUE))
    with pytest.raises(InvalidParameterValueException, match="SendMessage on SQS"):
        await update(aws, Role=created["Role"])


@pytest.mark.parametrize(
    "target", ["arn:aws:lambda:us-east-1:123456789012:function:f", "arn:aws:s3:::b", "arn:x:y"]
)
async def test_other_targets_are_refused(aws: Any, target: str) -> None:
    with pytest.raises(InvalidParameterValueException):
        await aws.create(DeadLetterConfig={"TargetArn": target})


async def test_invoke_async_enqueues(aws: Any) -> None:
    await aws.create()
    assert await aws.call("InvokeAsync", FunctionName="hello", InvokeArgs=b"[1]") == {"Status": 202}
    ((kind, invocation),) = aws.invoker.calls
    assert (kind, invocation.payload, invocation.request_id) == ("enqueue", b"[1]", "request-1")


async def test_invoke_async_takes_128_kb_of_json(aws: Any) -> None:
    await aws.create()
    for args, code in (
        (b'"' + b"x" * 131_071 + b'"', "RequestEntityTooLarge"),
        (b"{", "InvalidRequestContent"),
    ):
        with pytest.raises(Exception, match=r"smaller than 131072|parse") as raised:
            await aws.call("InvokeAsync", FunctionName="hello", InvokeArgs=args)
        assert raised.value.code.startswith(code)
    assert aws.invoker.calls == []


async def test_a_full_disk_refuses_new_events(aws: Any) -> None:
    async def enqueue(invocation: Any) -> None:
        raise StoreFullError("no space left")

    await aws.create()
    aws.invoker.enqueue = enqueue
    for operation, settings in (
        ("Invoke", {"InvocationType": "Event", "Payload": b"{}"}),
        ("InvokeAsync", {"InvokeArgs": b"{}"}),
    ):
        with pytest.raises(ServiceException_, match="disk of this host is full") as raised:
            await aws.call(operation, FunctionName="hello", **settings)
        assert raised.value.code == "ServiceException"
