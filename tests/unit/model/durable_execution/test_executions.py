"""An execution from its start to its end: invocations, timers, callbacks, pauses."""

import json

import pytest
from durable_driver import Driver, step, update, wait

from lambent.model.durable_execution.callbacks import complete_callback, fail_callback, heartbeat_callback
from lambent.model.durable_execution.closing import (
    ChainedOutcome,
    chained_outcome,
    complete_chained_invoke,
    delete,
    stop,
)
from lambent.model.durable_execution.describe import envelope
from lambent.model.durable_execution.history import without_data
from lambent.model.durable_execution.invocation import InvocationFailure
from lambent.model.durable_execution.pausing import pause, resume
from lambent.model.durable_execution.timers import advance
from lambent.model.durable_execution.values import error_object
from lambent.model.lambda_errors import CallbackTimeoutException, ResourceConflictException

PENDING = {"Status": "PENDING"}
FAILURE = InvocationFailure(kind="failed", error=error_object("boom", "Runtime.ExitError"))


@pytest.fixture
def run():
    driver = Driver()
    driver.advance()
    return driver


def test_the_envelope_that_the_sdks_read(run):
    run.checkpoint(wait("w", 3, Name="pause"))
    run.finish(PENDING)
    launch = run.advance(3).launch
    sent = json.loads(envelope(run.state, launch))
    assert sent["DurableExecutionArn"] == run.execution.arn
    assert sent["CheckpointToken"] == run.token
    assert sent["UpdatedOperationIds"] == ["w"]
    assert sent["InitialExecutionState"] == {
        "Operations": [
            {
                "Id": "e-1",
                "Name": "order-1",
                "Type": "EXECUTION",
                "StartTimestamp": 1_000_000,
                "Status": "STARTED",
                "ExecutionDetails": {"InputPayload": '{"order": 1}'},
            },
            {
                "Id": "w",
                "Name": "pause",
                "Type": "WAIT",
                "StartTimestamp": 1_000_000,
                "EndTimestamp": 1_003_000,
                "Status": "SUCCEEDED",
                "WaitDetails": {"ScheduledEndTimestamp": 1_003_000},
            },
        ],
        "NextMarker": "",
    }


def test_an_invocation_that_is_not_wanted_any_more_has_no_envelope(run):
    (launch,) = run.launches
    run.crash()
    assert envelope(run.state, launch) is None
    launch = run.advance().launch
    assert envelope(run.state, launch) is not None
    run.apply(stop(run.state, None, run.now))
    assert envelope(run.state, launch) is None


def test_one_invocation_at_a_time(run):
    assert run.advance().launch is None
    run.finish({"Status": "SUCCEEDED", "Result": '"ok"'})
    assert (run.execution.status, run["e-1"].result) == ("SUCCEEDED", '"ok"')
    assert run.events == ["ExecutionStarted", "InvocationCompleted", "ExecutionSucceeded"]
    assert run.advance().launch is None


def test_what_ended_while_the_function_was_on_its_way_out_wakes_it_again(run):
    run.checkpoint(wait("w", 1))
    run.advance(1)
    run.finish(PENDING)
    assert run.advance().launch is not None


def test_a_function_that_fails_is_tried_again_five_times_with_growing_pauses(run):
    for pause_seconds in (5, 10, 20, 40):
        run.finish(FAILURE)
        assert run.execution.status == "RUNNING"
        assert run.advance(pause_seconds - 1).launch is None
        assert run.advance(1).launch is not None
    run.finish(FAILURE)
    assert (run.execution.status, run["e-1"].error) == ("FAILED", FAILURE.error)


def test_a_run_that_goes_well_begins_the_count_anew(run):
    for _ in range(4):
        run.finish(FAILURE)
        run.advance(100)
    run.checkpoint(wait("w", 1))
    run.finish(PENDING)
    run.advance(1)
    run.finish(FAILURE)
    assert run.execution.status == "RUNNING"


def test_no_room_is_no_failure(run):
    for _ in range(10):
        run.finish(InvocationFailure(kind="throttled", error={}))
        assert run.advance(5).launch is not None
    assert run.events == ["ExecutionStarted"]


def test_a_function_that_is_gone_fails_at_once(run):
    run.finish(InvocationFailure(kind="gone", error=error_object("no", "ResourceNotFoundException")))
    assert run.execution.status == "FAILED"


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (b"nonsense", "Invalid invocation output"),
        (b"[]", "Invalid Status in invocation output."),
        ({"Status": "DONE"}, "Invalid Status in invocation output."),
        ({"Status": "SUCCEEDED", "Result": 1}, "Invalid invocation output."),
        (
            {"Status": "SUCCEEDED", "Error": {"ErrorType": "E"}},
            "Cannot provide an Error for SUCCEEDED status.",
        ),
        ({"Status": "FAILED", "Result": "1"}, "Cannot provide a Result for FAILED status."),
    ],
)
def test_an_answer_that_is_none_ends_the_execution(run, answer, message):
    run.finish(answer)
    assert run.execution.status == "FAILED"
    assert run["e-1"].error["ErrorMessage"].startswith(message)


def test_pending_with_nothing_pending_is_believed_twice(run):
    for _ in range(2):
        run.finish(PENDING)
        assert run.advance(5).launch is not None
    run.finish(PENDING)
    assert run["e-1"].error == error_object(
        "Cannot return PENDING status with no pending operations.", "InvalidParameterValueException"
    )


def test_an_execution_times_out_whatever_it_does(run):
    run.checkpoint(wait("w", 10_000))
    assert run.advance(3599).launch is None
    run.advance(1)
    assert run.execution.status == "TIMED_OUT"
    assert run["e-1"].error == {"ErrorMessage": "Execution timed out after 3600 seconds."}
    run.finish({"Status": "SUCCEEDED"})
    assert run.execution.status == "TIMED_OUT"
    assert run.execution.expires_at == run.now + 2 * 86_400
    assert not run.advance(2 * 86_400 - 1).delete
    assert run.advance(1).delete


def test_a_stopped_execution_stays_as_it_is(run):
    stopped = run.apply(stop(run.state, {"ErrorType": "Why"}, run.now))
    assert (run.execution.status, run.details["Error"]["Payload"]) == ("STOPPED", {"ErrorType": "Why"})
    assert run.apply(stop(run.state, None, run.now + 5)) == stopped


def test_only_what_has_ended_can_be_deleted(run):
    with pytest.raises(ResourceConflictException):
        delete(run.state, run.now)
    run.finish({"Status": "SUCCEEDED"})
    run.apply(delete(run.state, run.now))
    assert run.execution.status == "DELETING"
    run.advance()
    assert run.advance().delete


def start_callback(run, **options):
    run.checkpoint(update("c", "CALLBACK", "START", CallbackOptions=options))
    run.finish(PENDING)
    return run["c"].callback_id


def test_a_callback_wakes_the_function_once(run):
    id = start_callback(run)
    assert run.advance(100).launch is None
    run.apply(complete_callback(run.state, "c", id, '"yes"', run.now))
    assert run.advance().launch.updated == ["c"]
    assert (run["c"].status, run["c"].result) == ("SUCCEEDED", '"yes"')
    for late in (
        lambda: complete_callback(run.state, "c", id, None, run.now),
        lambda: fail_callback(run.state, "c", id, {}, run.now),
        lambda: heartbeat_callback(run.state, "c", id, run.now),
        lambda: complete_callback(run.state, "c", "another", None, run.now),
        lambda: complete_callback(run.state, "nowhere", id, None, run.now),
    ):
        with pytest.raises(CallbackTimeoutException, match="either timed out or already completed"):
            late()


def test_a_callback_fails_with_the_error_that_it_is_given(run):
    id = start_callback(run)
    run.apply(fail_callback(run.state, "c", id, {"ErrorType": "Denied"}, run.now))
    assert (run["c"].status, run["c"].error) == ("FAILED", {"ErrorType": "Denied"})
    assert run.details == {"Error": {"Payload": {"ErrorType": "Denied"}, "Truncated": False}}


def test_heartbeats_keep_a_callback_alive_until_its_own_time_is_over(run):
    id = start_callback(run, TimeoutSeconds=25, HeartbeatTimeoutSeconds=10)
    run.advance(9)
    run.apply(heartbeat_callback(run.state, "c", id, run.now))
    run.advance(9)
    assert run["c"].status == "STARTED"
    run.apply(heartbeat_callback(run.state, "c", id, run.now))
    run.advance(7)
    assert (run["c"].status, run["c"].error["ErrorType"]) == ("TIMED_OUT", "Callback.Timeout")


def test_a_callback_without_heartbeats_times_out(run):
    id = start_callback(run, HeartbeatTimeoutSeconds=10)
    with pytest.raises(CallbackTimeoutException):
        complete_callback(run.state, "c", id, None, run.now + 10)
    run.advance(10)
    assert run["c"].error == error_object("Callback timed out on heartbeat", "Callback.Heartbeat")
    assert run.details["Error"]["Payload"] == {"ErrorType": "Callback.Heartbeat"}


def test_the_end_of_a_chained_invocation(run):
    from lambent.model.durable_execution.apply_update import ChainedTarget

    options = {"FunctionName": "plain"}
    run.checkpoint(
        update("i", "CHAINED_INVOKE", "START", ChainedInvokeOptions=options), i=ChainedTarget(version="3")
    )
    run.finish(PENDING)
    assert [operation.id for operation in run.advance().dispatch] == ["i"]
    assert run.advance().dispatch == ()
    run.crash()
    assert [operation.id for operation in run.advance().dispatch] == ["i"]
    outcome = ChainedOutcome(status="SUCCEEDED", result="1")
    run.apply(complete_chained_invoke(run.state, "i", outcome, run.now))
    assert run.advance().launch is not None
    assert complete_chained_invoke(run.state, "i", outcome, run.now) == (None, None)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        ("STOPPED", {"ErrorType": "Why"}),
        ("FAILED", {"ErrorType": "E"}),
        ("TIMED_OUT", error_object("CHAINED_INVOKE timed out after 3600 seconds.", "ChainedInvoke.Timeout")),
    ],
)
def test_what_the_end_of_a_child_means_to_its_parent(run, status, error):
    if status == "STOPPED":
        run.apply(stop(run.state, error, run.now))
    elif status == "FAILED":
        run.finish({"Status": "FAILED", "Error": error})
    else:
        run.advance(3600)
    outcome = chained_outcome(run.execution, run["e-1"])
    assert (outcome.status, outcome.error) == (status, error)


def paused(run, **settings):
    settings = {"reason": "look", "pauses_timeout": True, "client_token": "t", "now": run.now} | settings
    return run.apply(pause(run.state, **settings))


def resumed(run, client_token=None):
    return run.apply(resume(run.state, reason=None, client_token=client_token, now=run.now))


def test_a_pause_between_invocations_holds_back_the_next_one(run):
    run.checkpoint(wait("w", 10))
    run.finish(PENDING)
    paused(run)
    assert run.execution.status == "PAUSED"
    assert run.advance(10).launch is None
    assert run["w"].status == "SUCCEEDED"
    resumed(run)
    assert run.execution.status == "RUNNING"
    assert run.advance().launch.updated == ["w"]
    assert run.events[-3:] == ["ExecutionPaused", "WaitSucceeded", "ExecutionResumed"]


def test_a_pause_in_an_invocation_takes_its_next_token_away(run):
    paused(run)
    assert run.execution.status == "PAUSING"
    answer = run.checkpoint(step("a"), step("a", "SUCCEED", Payload="1"))
    assert (answer.token, list(answer.operations)) == (None, [])
    assert (run.execution.status, run["a"].status) == ("PAUSED", "SUCCEEDED")
    run.finish(PENDING)
    assert run.advance(100).launch is None
    resumed(run)
    assert run.advance().launch is not None


def test_a_pause_that_is_taken_back_in_time_was_none(run):
    paused(run)
    resumed(run)
    assert run.checkpoint(step("a")).token is not None
    assert run.events == ["ExecutionStarted", "StepStarted"]


def test_a_paused_execution_has_366_days_unless_its_time_goes_on(run):
    run.checkpoint(wait("w", 10))
    run.finish(PENDING)
    run.advance(600)
    run.finish(PENDING)
    paused(run)
    run.advance(10_000)
    assert run.execution.status == "PAUSED"
    assert run.execution.deadline_at == 1000 + 366 * 86_400
    resumed(run)
    assert run.execution.deadline_at == run.now + 3000
    paused(run, pauses_timeout=False, client_token="u")
    run.advance(3000)
    assert run.execution.status == "TIMED_OUT"


def test_pausing_and_resuming_twice_is_a_conflict_unless_it_is_the_same_request(run):
    run.checkpoint(wait("w"))
    run.finish(PENDING)
    with pytest.raises(ResourceConflictException):
        resumed(run)
    paused(run)
    paused(run)
    with pytest.raises(ResourceConflictException):
        paused(run, client_token="another")
    resumed(run, client_token="r")
    resumed(run, client_token="r")
    with pytest.raises(ResourceConflictException):
        resumed(run, client_token="s")
    run.apply(stop(run.state, None, run.now))
    with pytest.raises(ResourceConflictException):
        paused(run)


def test_history_without_its_data(run):
    shown = without_data(run.state.events[0].members)
    assert shown["ExecutionStartedDetails"] == {"Input": {"Truncated": True}, "ExecutionTimeout": 3600}
    assert shown["EventId"] == 1


def test_new_statuses_are_announced_until_that_is_done(run):
    assert run.announced == ["RUNNING"]
    run.apply(stop(run.state, None, run.now))
    run.apply(delete(run.state, run.now))
    change, due = advance(run.state, run.now, "i-2")
    assert (due.announce, due.delete) == (("STOPPED",), False)
    run.state.apply(change)
    assert advance(run.state, run.now + 59, "i-2")[1].announce == ()
    assert run.advance(60).announce == ("STOPPED",)
    assert run.advance().delete
