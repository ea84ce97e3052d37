import dataclasses

from hypothesis import given
from hypothesis import strategies as st

from lambent.invoke.retries import Done, Retry, RetryRules, after_run
from lambent.model.invocation import EventInvocation

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
