import pytest
from durable_driver import FUNCTION, Driver, start, step, update, wait

from lambent.model.durable_execution.apply_update import ChainedTarget
from lambent.model.durable_execution.tokens import CheckpointToken
from lambent.model.durable_execution.values import error_object
from lambent.model.lambda_errors import InvalidParameterValueException


@pytest.fixture
def run():
    driver = Driver()
    driver.advance()
    return driver


def refused(run, *updates, **settings):
    before = (run.execution, dict(run.state.operations), len(run.state.events))
    with pytest.raises(InvalidParameterValueException) as refusal:
        run.checkpoint(*updates, **settings)
    assert (run.execution, run.state.operations, len(run.state.events)) == before
    return str(refusal.value)


def test_a_token_is_good_for_one_checkpoint_of_one_invocation_of_one_execution(run):
    first = run.token
    run.checkpoint(step("a"))
    assert refused(run, step("b"), token=first) == "Invalid checkpoint token"
    assert refused(run, step("b"), token="%%") == "Invalid checkpoint token"
    other = str(CheckpointToken("e-2", "i-1", 1))
    assert (
        refused(run, step("b"), token=other) == "Checkpoint token is not valid for the durable execution ARN"
    )
    old = run.token
    run.crash()
    run.advance()
    assert refused(run, step("b"), token=old) == "Invalid checkpoint token"
    run.checkpoint(step("b"))


def test_a_checkpoint_that_is_sent_again_is_answered_again_and_applied_once(run):
    sent = run.token
    answer = run.checkpoint(step("a"), client_token="c")
    again = run.checkpoint(step("a"), token=sent, client_token="c")
    assert (again.token, again.operations) == (answer.token, answer.operations)
    assert run.events.count("StepStarted") == 1
    assert refused(run, step("a"), token=sent, client_token="d") == "Invalid checkpoint token"
    run.now += 901
    assert refused(run, step("a"), token=sent, client_token="c") == "Invalid checkpoint token"


def test_the_answer_has_what_changed_since_the_last_one(run):
    answer = run.checkpoint(step("a"), wait("w", 5))
    assert [operation.id for operation in answer.operations] == ["a", "w"]
    assert run.checkpoint().operations == []
    run.now += 5
    answer = run.checkpoint(step("a", "SUCCEED", Payload="1"))
    assert [(one.id, one.status) for one in answer.operations] == [("a", "SUCCEEDED"), ("w", "SUCCEEDED")]


def test_a_step_that_is_tried_again(run):
    run.checkpoint(step("a", Name="charge", SubType="Step"))
    error = error_object("no", "ValueError")
    run.checkpoint(step("a", "RETRY", Error=error, StepOptions={"NextAttemptDelaySeconds": 3}))
    assert (run["a"].status, run["a"].attempt, run["a"].next_attempt_at) == ("PENDING", 1, run.now + 3)
    assert run.details["RetryDetails"] == {"CurrentAttempt": 1, "NextAttemptDelaySeconds": 3}
    run.finish({"Status": "PENDING"})
    assert run.advance(2).launch is None
    launch = run.advance(1).launch
    assert launch.updated == ["a"]
    assert run["a"].status == "READY"
    run.checkpoint(step("a"), step("a", "SUCCEED", Payload='"ok"'))
    assert (run["a"].status, run["a"].attempt, run["a"].result) == ("SUCCEEDED", 2, '"ok"')
    assert run.details == {
        "Result": {"Payload": '"ok"', "Truncated": False},
        "RetryDetails": {"CurrentAttempt": 2},
    }


@pytest.mark.parametrize(
    ("updates", "message"),
    [
        ([update("x", "EXECUTION", "SUCCEED")] * 2, "Cannot checkpoint multiple EXECUTION updates."),
        ([update("x", "EXECUTION", "SUCCEED"), step("b")], "EXECUTION checkpoint must be the last update."),
        ([step("b"), step("b")], "Cannot update the same operation twice in a single request."),
        ([wait("b"), wait("b")], "Cannot update the same operation twice in a single request."),
        ([step("b", ParentId="nowhere")], "Invalid parent operation id."),
        ([step("b", ParentId="a")], "Invalid parent operation id."),
        ([wait("a")], "Inconsistent operation type."),
        ([step("a", "FAIL", Name="other")], "Inconsistent operation name."),
        ([step("a", "FAIL", SubType="Other")], "Inconsistent operation subtype."),
        ([step("a", "FAIL", ParentId="c")], "Inconsistent parent operation id."),
        ([step("a")], "Invalid current STEP state to start."),
        ([step("done", "FAIL")], "Invalid current STEP state to close."),
        ([step("a", "RETRY")], "Invalid StepOptions for the given action."),
        ([step("a", "CANCEL")], "Invalid action for the given operation type."),
        ([step("a", "FAIL", Payload="1")], "Cannot provide a Payload for FAIL action."),
        ([step("a", "SUCCEED", Error={})], "Cannot provide an Error for SUCCEED action."),
        ([update("c", "CONTEXT", "START")], "Cannot start a CONTEXT that already exist."),
        ([update("w", "WAIT", "CANCEL")], "Cannot cancel a WAIT that does not exist or has already completed."),
        ([update("w", "WAIT", "START")], "Update for WAIT operation requires WaitOptions."),
        (
            [update("w", "CHAINED_INVOKE", "START")],
            "Update for CHAINED_INVOKE operation requires ChainedInvokeOptions.",
        ),
        (
            [step("b", "SUCCEED", Payload="é" * 524_289)],
            "STEP output payload size must be less than or equal to 1048576 bytes.",
        ),
        (
            [step("b", "FAIL", Error={"ErrorData": "x" * 1_048_577})],
            "Error object size must be less than 1048576 bytes.",
        ),
    ],
)  # fmt: skip
def test_a_refused_batch_changes_nothing(run, updates, message):
    run.checkpoint(
        step("a", Name="a", SubType="Step"),
        update("c", "CONTEXT", "START"),
        step("done"),
        step("done", "SUCCEED"),
    )
    assert refused(run, step("new"), *updates) == message


def test_the_limit_of_operations(run):
    run.checkpoint(*(step(f"s{number}") for number in range(3000)))
    run.checkpoint(step("s0", "SUCCEED"))
    assert "3000 operations" in refused(run, step("one more"))


def test_the_limit_of_data(run):
    for number in range(100):
        run.checkpoint(step(f"s{number}", "SUCCEED", Payload="x" * 1_048_000))
    assert "bytes of stored data" in refused(run, step("last", "SUCCEED", Payload="x" * 1_048_000))


def test_a_context_hides_what_is_below_it_from_replays_unless_it_wants_its_children(run):
    for context, options in (("c", {}), ("d", {"ContextOptions": {"ReplayChildren": True}})):
        run.checkpoint(
            update(context, "CONTEXT", "START"),
            update(f"{context}1", "CONTEXT", "START", ParentId=context),
            step(f"{context}2", ParentId=f"{context}1"),
        )
        run.checkpoint(update(context, "CONTEXT", "SUCCEED", Payload="1", **options))
    shown, more = run.state.page(-1, items=100, size=10**6)
    assert [operation.id for operation in shown] == ["e-1", "c", "d", "d1", "d2"]
    assert not more


def test_a_cancelled_wait_waits_no_longer(run):
    run.checkpoint(wait("w", 5))
    assert run.execution.pending == 1
    run.checkpoint(update("w", "WAIT", "CANCEL"))
    assert (run["w"].status, run.execution.pending, run["w"].due_at) == ("CANCELLED", 0, None)
    assert run.events[-1] == "WaitCancelled"


def test_a_chained_invocation_of_a_durable_function_is_an_execution_of_its_own(run):
    child = start(id="e-2", name="child", input=None)
    options = {"FunctionName": "other:1"}
    run.checkpoint(
        update("i", "CHAINED_INVOKE", "START", Payload="[1]", ChainedInvokeOptions=options),
        i=ChainedTarget(version="1", child=child),
    )
    (made,) = run.children
    assert made.operation.input == "[1]"
    assert made.execution.parent.operation_id == "i"
    assert run["i"].child_arn == made.execution.arn
    assert run["i"].due_at is None
    assert run.details["DurableExecutionArn"] == made.execution.arn


@pytest.mark.parametrize(("given", "expected"), [({}, "Root=1"), ({"XAmznTraceId": "Root=2"}, "Root=2")])
def test_a_chained_invocation_belongs_to_a_trace(given, expected):
    run = Driver(trace_id="Root=1")
    run.advance()
    options = {"FunctionName": "other:1", **given}
    ask = [update(id, "CHAINED_INVOKE", "START", ChainedInvokeOptions=options) for id in ("i", "j")]
    run.checkpoint(*ask, i=ChainedTarget(child=start(id="e-2", name="child")), j=ChainedTarget(version="1"))
    assert run.children[0].execution.trace_id == expected
    assert run["j"].trace_id == expected


def test_a_chained_invocation_of_what_cannot_be_invoked_has_failed_at_once(run):
    error = error_object("Function not found: x", "ResourceNotFoundException")
    answer = run.checkpoint(
        update("i", "CHAINED_INVOKE", "START", Payload="[1]", ChainedInvokeOptions={"FunctionName": "x"}),
        i=ChainedTarget(error=error),
    )
    assert [(one.status, one.error) for one in answer.operations] == [("FAILED", error)]
    assert run.events[-2:] == ["ChainedInvokeStarted", "ChainedInvokeFailed"]
    assert run.state.events[-2].members["ChainedInvokeStartedDetails"] == {"FunctionName": "x"}


def test_the_function_may_end_the_execution_by_a_checkpoint(run):
    answer = run.checkpoint(step("a"), update("r", "EXECUTION", "SUCCEED", Payload='"large"'))
    assert answer.token is None
    assert (run.execution.status, run["e-1"].result) == ("SUCCEEDED", '"large"')
    run.finish({"Status": "SUCCEEDED", "Result": ""})
    assert run["e-1"].result == '"large"'
    assert run.events[-2:] == ["ExecutionSucceeded", "InvocationCompleted"]


@pytest.mark.parametrize(("synchronous", "largest"), [(True, 6_291_456), (False, 1_048_576)])
def test_how_large_a_result_may_be(synchronous, largest):
    run = Driver(synchronous=synchronous)
    run.advance()
    too_large = update("r", "EXECUTION", "SUCCEED", Payload="x" * (largest + 1))
    assert refused(run, too_large) == (
        f"Execution output payload size must be less than or equal to {largest} bytes."
    )
    run.finish({"Status": "SUCCEEDED", "Result": "x" * (largest + 1)})
    assert (run.execution.status, run["e-1"].error["ErrorType"]) == (
        "FAILED",
        "InvalidParameterValueException",
    )


def test_the_arn_of_an_execution(run):
    assert run.execution.arn == FUNCTION.arn("7") + "/durable-execution/order-1/e-1"
