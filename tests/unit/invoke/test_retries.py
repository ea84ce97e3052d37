import dataclasses

from hypothesis import given
from hypothesis import strategies as st

from lambent.invoke.retries import Done, Retry, RetryRules, after_failed_delivery, after_run
from lambent.model.event_invoke_config import EventInvokeConfig
from lambent.model.function import FunctionId
from lambent.model.invocation import EventInvocation, EventOutcome

EVENT = EventInvocation(
    request_id="r", account_id="1", region="r", function_name="f", qualifier=None, invoked_arn="arn",
    payload=b"", accepted_at=1000.0, due_at=1000.0,
)  # fmt: skip
RULES = RetryRules()


def test_function_errors_are_retried_after_one_and_two_minutes_then_given_up():
    first = after_run(EVENT, "function_error", 1000.0, RULES)
    assert isinstance(first, Retry)
    assert first.invocation.due_at == 1060.0
    second = after_run(first.invocation, "function_error", 1060.0, RULES)
    assert isinstance(second, Retry)
    assert second.invocation.due_at == 1180.0
    assert after_run(second.invocation, "function_error", 1180.0, RULES) == Done("RetriesExhausted")


def test_throttles_back_off_to_five_minutes_and_do_not_count_as_attempts():
    event, now = EVENT, 1000.0
    delays = []
    for _ in range(11):
        decision = after_run(event, "throttled", now, RULES)
        assert isinstance(decision, Retry)
        event = decision.invocation
        delays.append(event.due_at - now)
        now = event.due_at
    assert delays == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]
    assert event.attempt == 0


def test_an_event_is_given_up_when_it_would_be_too_old():
    assert after_run(EVENT, "throttled", 1000.0 + RULES.age_most_seconds, RULES) == Done("EventAgeExceeded")


@given(
    st.floats(0, 30_000),
    st.integers(0, 20),
    st.integers(0, 2),
    st.sampled_from(["function_error", "throttled"]),
)
def test_a_retry_is_always_later_and_never_too_old(age, throttles, attempt, outcome):
    event = dataclasses.replace(EVENT, throttles=throttles, attempt=attempt)
    now = EVENT.accepted_at + age
    decision = after_run(event, outcome, now, RULES)
    if isinstance(decision, Retry):
        assert now < decision.invocation.due_at <= EVENT.accepted_at + RULES.age_most_seconds + 1e-6


def test_what_a_function_has_set_goes_before_the_rules_of_all():
    assert RULES.of(None) == RULES
    config = EventInvokeConfig(
        function=FunctionId("1", "r", "f"), qualifier="$LATEST", last_modified=0.0, maximum_retry_attempts=0
    )
    assert RULES.of(config) == RetryRules(attempts_most=0)
    config = dataclasses.replace(config, maximum_retry_attempts=None, maximum_event_age_seconds=60)
    assert RULES.of(config) == RetryRules(age_most_seconds=60)


def test_a_retry_that_would_be_too_late_is_not_waited_for():
    """As AWS does: an age of 60 s leaves no time for a retry after 60 s."""
    rules = RetryRules(age_most_seconds=59.9)
    assert after_run(EVENT, "function_error", 1000.0, rules) == Done("EventAgeExceeded")


def test_it_is_tried_ten_times_to_tell_of_an_outcome():
    outcome = EventOutcome(condition="Success", at=1.0, invoke_count=1, role="r")
    event, delays = dataclasses.replace(EVENT, outcome=outcome), []
    while (again := after_failed_delivery(event, 2000.0)) is not None:
        delays.append(again.due_at - 2000.0)
        event = again
    assert delays == [1, 2, 4, 8, 16, 32, 64, 128, 256]
