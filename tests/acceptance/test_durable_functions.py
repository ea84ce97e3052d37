"""Durable functions with AWS's own SDK for Python, from their first step to their end."""

import base64
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from durable_functions import DurableFunctions, fetch_sdk
from lambent_server import Lambent, eventually

NewServer = Callable[..., Lambent]
STEP_AND_WAIT = """
@durable_execution
def handler(event, context):
    doubled = context.step(lambda step: event["n"] * 2, name="double")
    context.wait(Duration.from_seconds(1), name="pause")
    return {"doubled": doubled}
"""
WAIT = """
@durable_execution
def handler(event, context):
    context.step(lambda step: "done", name="before")
    context.wait(Duration.from_seconds(event), name="pause")
    return context.step(lambda step: "after", name="after")
"""
CALLBACK = """
@durable_execution
def handler(event, context):
    config = WaitForCallbackConfig(timeout=Duration.from_seconds(event))
    return context.wait_for_callback(lambda id, c: print("asked for", id), name="approval", config=config)
"""


@pytest.fixture(scope="session")
def sdk(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return fetch_sdk(tmp_path_factory.mktemp("durable-sdk"))


@pytest.fixture(scope="module")
def durable(lambent: Lambent, sdk: dict[str, bytes]) -> DurableFunctions:
    return DurableFunctions(lambent, sdk)


def refused(call: Callable[..., Any], **parameters: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as refusal:
        call(**parameters)
    error = refusal.value.response["Error"]
    return error["Code"], error["Message"]


def test_steps_and_waits(durable: DurableFunctions) -> None:
    name = durable.deploy(STEP_AND_WAIT)
    execution, answer = durable.run(name, {"n": 21}, DurableExecutionName="order-1")
    assert answer == {"doubled": 42}
    arn = execution["DurableExecutionArn"]
    assert arn.startswith(f"{execution['FunctionArn']}/durable-execution/order-1/")
    shown = {key: execution[key] for key in ("Status", "InputPayload", "Result", "Version", "DurableConfig")}
    assert shown == {
        "Status": "SUCCEEDED",
        "InputPayload": '{"n": 21}',
        "Result": '{"doubled": 42}',
        "Version": "$LATEST",
        "DurableConfig": {"ExecutionTimeout": 60, "RetentionPeriodInDays": 1},
    }
    assert "ExpectedExecutionTimeoutTimestamp" not in execution
    history = durable.history(arn)
    assert [event["EventType"] for event in history] == [
        "ExecutionStarted", "StepStarted", "StepSucceeded", "WaitStarted", "InvocationCompleted", "WaitSucceeded",
        "InvocationCompleted", "ExecutionSucceeded",
    ]  # fmt: skip
    assert [event["EventId"] for event in history] == list(range(1, 9))
    assert history[2]["Name"] == "double"
    assert history[2]["StepSucceededDetails"] == {
        "Result": {"Payload": "42", "Truncated": False},
        "RetryDetails": {"CurrentAttempt": 1},
    }
    paged = durable.history(arn, PaginationConfig={"PageSize": 3}, ReverseOrder=True)
    assert paged == history[::-1]
    compact = durable.history(arn, IncludeExecutionData=False)
    assert compact[-1]["ExecutionSucceededDetails"] == {"Result": {"Truncated": True}}
    assert "Result" not in durable.client.get_durable_execution(
        DurableExecutionArn=arn, IncludeExecutionData=False
    )


def test_a_name_is_given_once(durable: DurableFunctions) -> None:
    name = durable.deploy(STEP_AND_WAIT)
    first, _ = durable.run(name, {"n": 1}, DurableExecutionName="same")
    again, answer = durable.run(name, {"n": 1}, DurableExecutionName="same")
    assert (again, answer) == (first | {"ResponseMetadata": again["ResponseMetadata"]}, {"doubled": 2})
    assert durable.start(name, {"n": 1}, DurableExecutionName="same") == first["DurableExecutionArn"]
    other = {
        "FunctionName": name,
        "Qualifier": "$LATEST",
        "Payload": '{"n": 2}',
        "DurableExecutionName": "same",
    }
    assert refused(durable.client.invoke, **other) == (
        "DurableExecutionAlreadyStartedException",
        f"Execution already started: {first['DurableExecutionArn']}",
    )
    (listed,) = durable.client.list_durable_executions_by_function(FunctionName=name)["DurableExecutions"]
    assert listed["DurableExecutionName"] == "same"


def test_how_a_durable_function_may_be_invoked(durable: DurableFunctions) -> None:
    name = durable.deploy(STEP_AND_WAIT, seconds=901)
    for type in ("RequestResponse", "Event", "DryRun"):
        assert refused(durable.client.invoke, FunctionName=name, InvocationType=type) == (
            "InvalidParameterValueException",
            "You cannot invoke a durable function using an unqualified ARN.",
        )
    assert refused(durable.client.invoke, FunctionName=name, Qualifier="$LATEST") == (
        "InvalidParameterValueException",
        "You cannot synchronously invoke a durable function with an executionTimeout greater than 15 minutes.",
    )
    durable.client.invoke(FunctionName=name, Qualifier="$LATEST", InvocationType="DryRun")
    assert durable.ended(durable.start(name, {"n": 1}))["Status"] == "SUCCEEDED"


def test_the_tail_of_the_log_is_the_last_runs(durable: DurableFunctions) -> None:
    name = durable.deploy(
        "@durable_execution\ndef handler(event, context):\n"
        "    print('again' if event is None else 'once')\n    context.wait(Duration.from_seconds(1))\n    return 1\n"
    )
    answer = durable.client.invoke(FunctionName=name, Qualifier="$LATEST", Payload=b"null", LogType="Tail")
    tail = base64.b64decode(answer["LogResult"]).decode()
    assert tail.startswith("START RequestId: ")
    assert "again\n" in tail
    assert tail.count("REPORT RequestId: ") == 1
    assert "LogResult" not in durable.client.invoke(FunctionName=name, Qualifier="$LATEST", Payload=b"null")


def test_a_failure_is_the_callers(durable: DurableFunctions) -> None:
    name = durable.deploy(
        "@durable_execution\ndef handler(event, context):\n    raise KeyError('gone wrong')\n"
    )
    execution, answer = durable.run(name)
    assert answer == {"errorMessage": "'gone wrong'", "errorType": "KeyError"}
    assert (execution["Status"], execution["Error"]["ErrorType"]) == ("FAILED", "KeyError")


def test_a_step_is_tried_again_when_its_time_has_come(durable: DurableFunctions) -> None:
    name = durable.deploy("""
def flaky(step):
    attempts = len(os.listdir("/tmp"))
    open(f"/tmp/{attempts}", "w").close()
    if attempts < 1:
        raise ValueError("not yet")
    return attempts

@durable_execution
def handler(event, context):
    strategy = RetryStrategyConfig(max_attempts=3, initial_delay=Duration.from_seconds(1),
                                   jitter_strategy=JitterStrategy.NONE)
    return context.step(flaky, config=StepConfig(retry_strategy=create_retry_strategy(strategy)))
""")
    execution, answer = durable.run(name)
    assert answer == 1
    details = durable.event(execution["DurableExecutionArn"], "StepFailed")
    assert details["RetryDetails"] == {"CurrentAttempt": 1, "NextAttemptDelaySeconds": 1}
    assert details["Error"]["Payload"]["ErrorType"] == "ValueError"


def test_callbacks(durable: DurableFunctions) -> None:
    name = durable.deploy(CALLBACK)
    client = durable.client
    arns = [durable.start(name, seconds) for seconds in (50, 50, 1)]
    succeeded, failed, _ = (durable.event(arn, "CallbackStarted")["CallbackId"] for arn in arns)
    client.send_durable_execution_callback_heartbeat(CallbackId=succeeded)
    client.send_durable_execution_callback_success(CallbackId=succeeded, Result=b'"yes"')
    client.send_durable_execution_callback_failure(
        CallbackId=failed, Error={"ErrorType": "Denied", "ErrorMessage": "no"}
    )
    ends = [durable.ended(arn) for arn in arns]
    assert [end["Status"] for end in ends] == ["SUCCEEDED", "FAILED", "FAILED"]
    assert "yes" in ends[0]["Result"]
    assert ends[1]["Error"]["ErrorMessage"] == "no"
    assert durable.event(arns[2], "CallbackTimedOut")
    closed = ("CallbackTimeoutException", "The callback is either timed out or already completed")
    assert refused(client.send_durable_execution_callback_success, CallbackId=succeeded) == closed
    assert refused(client.send_durable_execution_callback_heartbeat, CallbackId="AAAA") == (
        "InvalidParameterValueException",
        "Invalid callback id",
    )


def test_branches_maps_and_child_contexts(durable: DurableFunctions) -> None:
    name = durable.deploy("""
def one(context, item, index, items):
    doubled = context.step(lambda step: item * 2)
    context.wait(Duration.from_seconds(1))
    return doubled

@durable_execution
def handler(event, context):
    mapped = context.map([1, 2, 3], one, name="doubles").get_results()
    branches = [lambda c: c.step(lambda step: "a"), lambda c: c.step(lambda step: "b")]
    parallel = context.parallel(branches).get_results()
    child = context.run_in_child_context(lambda c: c.step(lambda step: "child"))
    return [mapped, parallel, child]
""")
    _, answer = durable.run(name)
    assert answer == [[2, 4, 6], ["a", "b"], "child"]


def test_polling_for_a_condition(durable: DurableFunctions) -> None:
    name = durable.deploy("""
from aws_durable_execution_sdk_python.waits import WaitForConditionConfig, WaitForConditionDecision

def strategy(state, attempts):
    if state == 2:
        return WaitForConditionDecision.stop_polling()
    return WaitForConditionDecision.continue_waiting(Duration.from_seconds(1))

@durable_execution
def handler(event, context):
    config = WaitForConditionConfig(wait_strategy=strategy, initial_state=0)
    return context.wait_for_condition(lambda state, check: state + 1, config)
""")
    execution, answer = durable.run(name)
    assert answer == 2
    assert durable.events(execution["DurableExecutionArn"]).count("StepSucceeded") == 2


def test_chained_invocations(durable: DurableFunctions) -> None:
    plain = durable.lambent.python(
        "def handler(event, context):\n    if event == 'fail': raise ValueError('plain')\n    return ['plain', event]\n"
    )
    child = durable.deploy("""
@durable_execution
def handler(event, context):
    context.wait(Duration.from_seconds(1))
    if event == "fail": raise ValueError("child")
    return ["child", event]
""")
    parent = durable.deploy("""
@durable_execution
def handler(targets, context):
    answers = []
    for target in targets:
        for event in ("ok", "fail"):
            try:
                answers.append(context.invoke(target, event))
            except Exception as error:
                answers.append(str(error))
    return answers
""")
    execution, answer = durable.run(parent, [plain, f"{child}:$LATEST", child, "nowhere"])
    unqualified = "You cannot invoke a durable function using an unqualified ARN."
    nowhere = (
        f"Function not found: arn:aws:lambda:us-east-1:{durable.lambent.account_id}:function:nowhere:$LATEST"
    )
    assert answer == [
        ["plain", "ok"], "plain", ["child", "ok"], "child", unqualified, unqualified, nowhere, nowhere,
    ]  # fmt: skip
    started = [
        event["ChainedInvokeStartedDetails"]
        for event in durable.history(execution["DurableExecutionArn"])
        if event["EventType"] == "ChainedInvokeStarted"
    ]
    arns = {details.get("DurableExecutionArn") for details in started} - {None}
    assert {durable.get(arn)["Status"] for arn in arns} == {"SUCCEEDED", "FAILED"}


def test_a_role_that_may_not_invoke_chains_nothing(durable: DurableFunctions) -> None:
    role = durable.lambent.make_role("only-checkpoints")
    allowed = {"Effect": "Allow", "Action": "lambda:CheckpointDurableExecution", "Resource": "*"}
    durable.lambent.iam.put_role_policy(
        RoleName="only-checkpoints",
        PolicyName="p",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": allowed}),
    )
    plain = durable.lambent.python("def handler(event, context): return event\n")
    name = durable.deploy(
        "@durable_execution\ndef handler(event, context): return context.invoke(event, 1)\n", Role=role
    )
    _, answer = durable.run(name, plain)
    assert "is not authorized to perform: lambda:InvokeFunction" in answer["errorMessage"]


def test_a_role_that_may_not_checkpoint_fails(durable: DurableFunctions) -> None:
    name = durable.deploy(STEP_AND_WAIT, Role=durable.lambent.role)
    execution, _ = durable.run(name, {"n": 1})
    assert execution["Status"] == "FAILED"
    assert "CheckpointDurableExecution" in execution["Error"]["ErrorMessage"]


def test_the_time_of_an_execution_ends(durable: DurableFunctions) -> None:
    execution, answer = durable.run(durable.deploy(WAIT, seconds=1), 100)
    assert execution["Status"] == "TIMED_OUT"
    assert answer == {"errorMessage": "Execution timed out after 1 seconds."}


def test_stopping_and_deleting(durable: DurableFunctions) -> None:
    arn = durable.start(durable.deploy(WAIT), 100)
    durable.event(arn, "WaitStarted")
    assert (
        refused(durable.client.delete_durable_execution, DurableExecutionArn=arn)[0]
        == "ResourceConflictException"
    )
    stopped = durable.client.stop_durable_execution(DurableExecutionArn=arn, Error={"ErrorType": "Enough"})
    again = durable.client.stop_durable_execution(DurableExecutionArn=arn)
    assert again["StopTimestamp"] == stopped["StopTimestamp"]
    execution = durable.get(arn)
    assert (execution["Status"], execution["Error"]) == ("STOPPED", {"ErrorType": "Enough"})
    durable.client.delete_durable_execution(DurableExecutionArn=arn)
    missing = ("ResourceNotFoundException", "Durable Execution does not exist")
    eventually(lambda: _error_of(durable.client.get_durable_execution, arn) == missing)


def _error_of(call: Callable[..., Any], arn: str) -> tuple[str, str] | None:
    try:
        call(DurableExecutionArn=arn)
    except ClientError as error:
        return error.response["Error"]["Code"], error.response["Error"]["Message"]
    return None


def test_a_pause_holds_the_function_back(durable: DurableFunctions) -> None:
    arn = durable.start(durable.deploy(WAIT), 1)
    durable.event(arn, "WaitStarted")
    durable.client.pause_durable_execution(DurableExecutionArn=arn, Reason="look at it")
    paused = eventually(lambda: (found := durable.get(arn))["Status"] == "PAUSED" and found)
    assert paused["PauseDetails"]["Reason"] == "look at it"
    assert paused["PauseDetails"]["ExecutionTimeoutPaused"] is True
    durable.event(arn, "WaitSucceeded")
    assert durable.events(arn)[-1] == "WaitSucceeded"
    durable.client.resume_durable_execution(DurableExecutionArn=arn)
    assert durable.ended(arn)["Result"] == '"after"'
    assert (
        refused(durable.client.resume_durable_execution, DurableExecutionArn=arn)[0]
        == "ResourceConflictException"
    )


def test_a_queue_that_a_durable_function_works_off(durable: DurableFunctions) -> None:
    sqs = durable.lambent.client("sqs")
    allowed = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
    allowed.append("lambda:CheckpointDurableExecution")
    role = durable.lambent.make_role("durable-poller")
    statement = {"Effect": "Allow", "Action": allowed, "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": statement})
    durable.lambent.iam.put_role_policy(RoleName="durable-poller", PolicyName="p", PolicyDocument=document)
    source = "@durable_execution\ndef handler(event, context):\n"
    source += "    return context.step(lambda step: [record['body'] for record in event['Records']])\n"
    name = durable.deploy(source, Role=role)
    queue = sqs.create_queue(QueueName=f"work-of-{name}")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    mapping = {"EventSourceArn": arn, "FunctionName": name}
    assert refused(durable.client.create_event_source_mapping, **mapping)[1] == (
        "You cannot invoke a durable function using an unqualified ARN."
    )
    mapping["FunctionName"] = f"{name}:$LATEST"
    made = durable.client.create_event_source_mapping(**mapping)
    sqs.send_message(QueueUrl=queue, MessageBody="one")

    def done() -> list[dict[str, Any]]:
        listed = durable.client.list_durable_executions_by_function(FunctionName=name, Statuses=["SUCCEEDED"])
        found: list[dict[str, Any]] = listed["DurableExecutions"]
        return found

    (execution,) = eventually(done, seconds=20)
    assert durable.get(execution["DurableExecutionArn"])["Result"] == '["one"]'
    durable.client.delete_event_source_mapping(UUID=made["UUID"])


def test_what_becomes_of_executions_is_told_on_the_default_bus(durable: DurableFunctions) -> None:
    lambent = durable.lambent
    events, sqs = lambent.client("events"), lambent.client("sqs")
    name = durable.deploy("@durable_execution\ndef handler(event, context): return 1\n")
    queue = sqs.create_queue(QueueName=f"told-{name}")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    statement = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": arn}
    statement |= {"Principal": {"Service": "events.amazonaws.com"}}
    policy = json.dumps({"Version": "2012-10-17", "Statement": statement})
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": policy})
    pattern = {"source": ["aws.lambda"], "detail": {"functionArn": [{"suffix": f":{name}:$LATEST"}]}}
    events.put_rule(Name=name, EventPattern=json.dumps(pattern))
    events.put_targets(Rule=name, Targets=[{"Id": "queue", "Arn": arn}])
    execution, _ = durable.run(name)
    told: list[dict[str, Any]] = []
    while len(told) < 2:
        answer = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=10)
        assert "Messages" in answer, f"only {told}"
        told += [json.loads(message["Body"]) for message in answer["Messages"]]
    assert {event["detail-type"] for event in told} == {"Durable Execution Status Change"}
    details = sorted((event["detail"] for event in told), key=lambda detail: "endTimestamp" in detail)
    assert [detail["status"] for detail in details] == ["RUNNING", "SUCCEEDED"]
    assert {detail["durableExecutionArn"] for detail in details} == {execution["DurableExecutionArn"]}


def test_lists(durable: DurableFunctions) -> None:
    name = durable.deploy("@durable_execution\ndef handler(event, context): return 1 / event\n")
    arns = [durable.run(name, event)[0]["DurableExecutionArn"] for event in (1, 0, 1)]
    pages = durable.client.get_paginator("list_durable_executions_by_function")

    def listed(**settings: Any) -> list[str]:
        settings = {"FunctionName": name, "PaginationConfig": {"PageSize": 2}} | settings
        return [
            one["DurableExecutionArn"]
            for page in pages.paginate(**settings)
            for one in page["DurableExecutions"]
        ]

    assert listed() == arns[::-1]
    assert listed(ReverseOrder=True) == arns
    assert listed(Statuses=["FAILED"]) == [arns[1]]
    assert listed(Qualifier="$LATEST") == arns[::-1]
    before = durable.get(arns[0])["StartTimestamp"] - timedelta(minutes=1)
    assert listed(StartedAfter=before) == arns[::-1]
    assert listed(StartedBefore=before) == []


def test_executions_go_on_after_the_server_was_killed(new_server: NewServer, sdk: dict[str, bytes]) -> None:
    lambent = new_server()
    durable = DurableFunctions(lambent, sdk)
    waiting = durable.start(durable.deploy(WAIT), 2)
    slow = "@durable_execution\ndef handler(event, context):\n    def work(step):\n        print('in')\n"
    slow += "        time.sleep(0 if os.path.exists('/tmp/x') else 3)\n        return 'worked'\n"
    slow += "    return context.step(work)\n"
    working = durable.deploy(slow)
    running = durable.start(working)
    approval = durable.start(durable.deploy(CALLBACK), 50)
    callback = durable.event(approval, "CallbackStarted")["CallbackId"]
    durable.event(waiting, "WaitStarted")
    durable.event(running, "StepStarted")
    lambent.kill()
    lambent.start_again()
    durable.client = lambent.lambda_
    durable.client.send_durable_execution_callback_success(CallbackId=callback, Result=b"1")
    assert [durable.ended(arn)["Status"] for arn in (waiting, running, approval)] == ["SUCCEEDED"] * 3
    assert durable.events(waiting).count("StepStarted") == 2
