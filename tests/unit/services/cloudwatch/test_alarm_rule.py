import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.services.cloudwatch.alarm_rule import AlarmRuleError, parse_rule

STATES = {"a": "ALARM", "b": "OK", "c": "INSUFFICIENT_DATA"}


@pytest.mark.parametrize(
    ("rule", "holds"),
    [
        ("ALARM(a)", True),
        ('ALARM("a")', True),
        ("OK(a)", False),
        ("INSUFFICIENT_DATA( c )", True),
        ("ALARM(a) AND ALARM(b)", False),
        ("ALARM(a) OR ALARM(b) AND FALSE", True),
        ("(ALARM(a) OR ALARM(b)) AND FALSE", False),
        ("NOT ALARM(b) AND NOT NOT ALARM(a)", True),
        ("NOT (ALARM(a) AND OK(b))", False),
        ("TRUE", True),
        ("false", False),
        ("AT_LEAST(1, ALARM, (a, b, c))", True),
        ("AT_LEAST(2, NOT ALARM, (a, b, c))", True),
        ("AT_LEAST(50%, ALARM, (a, b, c))", False),
    ],
)
def test_what_a_rule_says(rule, holds):
    assert parse_rule(rule).holds(STATES) is holds


def test_alarms_are_named_once_in_their_order():
    rule = parse_rule(
        r'ALARM("say \"hi\" (now)") OR OK(arn:aws:cloudwatch:us-east-1:1:alarm:x) OR OK(b) OR ALARM(b)'
    )
    assert rule.alarms == ('say "hi" (now)', "arn:aws:cloudwatch:us-east-1:1:alarm:x", "b")


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("()", "Unsupported token ')' at char 1"),
        ("ALARM(a) XOR OK(b)", "Unsupported token 'XOR' at char 9"),
        ("ALARM a", "Unsupported token 'a' at char 6"),
        ("ALARM()", "Unsupported token ')' at char 6"),
        ("ALARM(a) AND", "Unexpected end of rule"),
        ("AT_LEAST(x, ALARM, (a))", "Unsupported token 'x' at char 9"),
        ("(" * 5000, "the rule is nested too deeply"),
    ],
)
def test_what_cannot_be_read_says_where(rule, message):
    with pytest.raises(AlarmRuleError) as refused:
        parse_rule(rule)
    assert str(refused.value) == message


@given(st.text(alphabet='ALRMOK()" ,%NTD_a1\\', max_size=60))
def test_any_text_is_a_rule_or_refused(text):
    try:
        rule = parse_rule(text)
    except AlarmRuleError:
        return
    assert rule.holds(dict.fromkeys(rule.alarms, "OK")) in (True, False)
