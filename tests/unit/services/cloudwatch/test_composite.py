import json
from dataclasses import replace

from lambent.model.alarm import Alarm
from lambent.services.cloudwatch.composite import look


def an_alarm(name, state="INSUFFICIENT_DATA", at=0.0, **settings):
    return Alarm(
        name=name,
        account_id="111122223333",
        region="us-east-1",
        settings=settings,
        configured_at=0.0,
        state=state,
        updated_at=at,
        transitioned_at=at,
    )


ARN = "arn:aws:cloudwatch:us-east-1:111122223333:alarm:"
SUPPRESSED = {
    "ActionsSuppressor": "s",
    "ActionsSuppressorWaitPeriod": 10,
    "ActionsSuppressorExtensionPeriod": 20,
}


def composite(**settings):
    return an_alarm("both", AlarmRule="ALARM(a) OR ALARM(b)", **settings)


def children(a, b, at=0.0):
    return {"a": an_alarm("a", a, at), "b": an_alarm("b", b)}


def test_a_new_alarm_is_looked_at_once():
    made = look(composite(), children("OK", "OK"), None, 1.0)
    assert (made.alarm.state, made.acts, made.due_at) == ("OK", True, None)
    assert made.alarm.reason == f"{ARN}both was created and its alarm rule evaluates to OK"
    told = json.loads(made.alarm.reason_data)["triggeringAlarms"]
    assert [one["arn"] for one in told] == [f"{ARN}a", f"{ARN}b"]
    again = look(made.alarm, children("OK", "OK"), None, 2.0)
    assert (again.alarm, again.acts) == (made.alarm, False)


def test_a_child_that_changes_is_the_reason():
    made = look(composite(), children("OK", "OK"), None, 1.0).alarm
    found = look(made, children("ALARM", "OK", at=1667162855.671), None, 1667162856.0)
    assert (found.alarm.state, found.acts) == ("ALARM", True)
    assert found.alarm.reason == f"{ARN}a transitioned to ALARM at Sunday 30 October, 2022 20:47:35 UTC"
    assert json.loads(found.alarm.reason_data) == {
        "triggeringAlarms": [
            {"arn": f"{ARN}a", "state": {"value": "ALARM", "timestamp": "2022-10-30T20:47:35.671+0000"}}
        ]
    }
    other = look(found.alarm, children("ALARM", "ALARM"), None, 1667162857.0)
    assert (other.alarm.reason, other.acts) == (found.alarm.reason, False)


def test_what_was_set_by_hand_stays_until_a_child_changes():
    made = look(composite(), children("OK", "OK"), None, 1.0).alarm
    by_hand = replace(made, state="ALARM")
    assert look(by_hand, children("OK", "OK"), None, 2.0).alarm.state == "ALARM"
    assert look(by_hand, children("INSUFFICIENT_DATA", "OK"), None, 2.0).alarm.state == "OK"


def test_a_child_that_is_gone_counts_as_without_data():
    found = look(an_alarm("c", AlarmRule="INSUFFICIENT_DATA(x)"), {"x": None}, None, 1.0)
    assert found.alarm.state == "ALARM"


def test_actions_wait_for_the_suppressor_and_go_ahead_without_it():
    made = look(composite(**SUPPRESSED), children("OK", "OK"), an_alarm("s", "OK"), 100.0)
    assert (made.alarm.suppressed_by, made.acts, made.due_at) == ("WaitPeriod", False, 110.0)
    over = look(made.alarm, children("OK", "OK"), an_alarm("s", "OK"), 110.0)
    assert (over.alarm.suppressed_by, over.acts, over.alarm.owes) == (None, True, False)
    after = look(over.alarm, children("OK", "OK"), an_alarm("s", "OK"), 111.0)
    assert (after.acts, after.due_at) == (False, None)


def test_actions_are_suppressed_while_the_suppressor_alarms_and_a_while_after():
    made = look(composite(**SUPPRESSED), children("OK", "OK"), an_alarm("s", "ALARM", 90.0), 100.0)
    assert (made.alarm.suppressed_by, made.acts, made.due_at) == ("Alarm", False, None)
    after = look(made.alarm, children("OK", "OK"), an_alarm("s", "OK", 200.0), 200.0)
    assert (after.alarm.suppressed_by, after.acts, after.due_at) == ("ExtensionPeriod", False, 220.0)
    over = look(after.alarm, children("OK", "OK"), an_alarm("s", "OK", 200.0), 220.0)
    assert (over.alarm.suppressed_by, over.acts) == (None, True)


def test_a_suppressor_that_ends_has_nothing_to_tell_where_nothing_changed():
    quiet = look(composite(), children("OK", "OK"), None, 1.0).alarm
    held = look(quiet, children("OK", "OK"), an_alarm("s", "ALARM"), 2.0)
    settings = {**quiet.settings, **SUPPRESSED, "ActionsSuppressorExtensionPeriod": 0}
    over = look(replace(held.alarm, settings=settings), children("OK", "OK"), an_alarm("s", "OK", 3.0), 3.0)
    assert (held.alarm.suppressed_by, over.alarm.suppressed_by, over.acts) == ("Alarm", None, False)
