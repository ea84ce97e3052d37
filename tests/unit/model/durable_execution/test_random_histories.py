"""Whatever happens in whatever order, what must always hold of an execution holds."""

import contextlib

from durable_driver import Driver, step, update, wait
from hypothesis import given, settings
from hypothesis import strategies as st

from lambent.model.durable_execution.apply_update import ChainedTarget
from lambent.model.durable_execution.callbacks import complete_callback
from lambent.model.durable_execution.closing import ChainedOutcome, complete_chained_invoke, stop
from lambent.model.durable_execution.invocation import InvocationFailure
from lambent.model.durable_execution.pausing import pause, resume
from lambent.model.lambda_errors import LambdaException

IDS = st.sampled_from(["a", "b", "c", "d", "e"])
UPDATES = st.one_of(
    st.builds(step, IDS, st.sampled_from(["START", "SUCCEED", "FAIL"])),
    st.builds(lambda id: step(id, "RETRY", StepOptions={"NextAttemptDelaySeconds": 2}), IDS),
    st.builds(wait, IDS, st.integers(1, 20)),
    st.builds(lambda id, action: update(id, "CONTEXT", action), IDS, st.sampled_from(["START", "SUCCEED"])),
    st.builds(lambda id: update(id, "CALLBACK", "START", CallbackOptions={"TimeoutSeconds": 7}), IDS),
    st.builds(
        lambda id: update(id, "CHAINED_INVOKE", "START", ChainedInvokeOptions={"FunctionName": "f"}), IDS
    ),
)
HAPPENINGS = st.lists(
    st.one_of(
        st.tuples(st.just("checkpoint"), st.lists(UPDATES, max_size=3)),
        st.tuples(st.just("time"), st.integers(0, 9)),
        st.tuples(
            st.just("finish"), st.sampled_from(["PENDING", "PENDING", "SUCCEEDED", "failed", "throttled"])
        ),
        st.tuples(st.just("callback"), IDS),
        st.tuples(st.just("chained"), IDS),
        st.tuples(st.sampled_from(["crash", "pause", "resume", "stop"]), st.none()),
    ),
    max_size=30,
)


def happen(run, what, how):
    if what == "checkpoint":
        targets = {u["Id"]: ChainedTarget(version="1") for u in how if u["Type"] == "CHAINED_INVOKE"}
        run.checkpoint(*how, **targets)
    elif what == "time":
        run.advance(how)
    elif what == "finish" and run.launches:
        failure = how in ("failed", "throttled")
        run.finish(InvocationFailure(kind=how, error={}) if failure else {"Status": how})
    elif what == "callback" and how in run.state.operations:
        run.apply(complete_callback(run.state, how, run[how].callback_id or "", None, run.now))
    elif what == "chained":
        run.apply(complete_chained_invoke(run.state, how, ChainedOutcome(status="SUCCEEDED"), run.now))
    elif what == "crash":
        run.crash()
    elif what == "pause":
        run.apply(pause(run.state, reason=None, pauses_timeout=True, client_token=None, now=run.now))
    elif what == "resume":
        run.apply(resume(run.state, reason=None, client_token=None, now=run.now))
    elif what == "stop":
        run.apply(stop(run.state, None, run.now))


def check(run, before):
    execution, operations = run.execution, run.state.operations
    assert [event.id for event in run.state.events] == list(range(1, execution.events + 1))
    assert execution.pending == sum(one.pending for one in operations.values())
    assert execution.dispatches == sum(one.dispatched for one in operations.values())
    assert execution.operations == len(operations) - 1
    assert sorted(one.sequence for one in operations.values()) == list(range(len(operations)))
    assert max(one.changed for one in operations.values()) == execution.changes
    assert execution.seen <= execution.changes
    assert (execution.ended_at is not None) == execution.closed
    for id, old in before.items():
        if old.ended_at is not None:
            assert operations[id] == old, "what has ended never changes"


@settings(max_examples=150, deadline=None)
@given(HAPPENINGS)
def test_what_always_holds(happenings):
    run = Driver()
    run.advance()
    for what, how in happenings:
        before = dict(run.state.operations)
        stored = (run.execution, before, list(run.state.events))
        try:
            happen(run, what, how)
        except LambdaException:
            assert (run.execution, run.state.operations, run.state.events) == stored
        check(run, before)


@settings(max_examples=100, deadline=None)
@given(HAPPENINGS)
def test_every_execution_comes_to_its_end_by_itself(happenings):
    """No history leaves an execution that nothing would ever wake: at the latest its time is over."""
    run = Driver()
    run.advance()
    for what, how in happenings:
        try:
            happen(run, what, how)
        except LambdaException:
            continue
    with contextlib.suppress(LambdaException):  # a paused one waits for a person
        run.apply(resume(run.state, reason=None, client_token=None, now=run.now))
    for _ in range(100):
        due = run.state.due_at
        run.advance(max(0.0, due - run.now))
        if run.due.delete:
            break
        if run.execution.invocation is not None:
            run.finish({"Status": "PENDING"})
    assert run.due.delete
