"""The rule of a composite alarm: what an AlarmRule says of the states of other alarms.

    rule    = and { "OR" and }          and  = not { "AND" not }        not = [ "NOT" ] term
    term    = "(" rule ")" | "TRUE" | "FALSE" | STATE "(" alarm ")" | "AT_LEAST" "(" number [ "%" ] "," [ "NOT" ] STATE
              "," "(" alarm { "," alarm } ")" ")"

An alarm is a name or an ARN, in double quotes or without.

Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from lambent.model.alarm import State

States = Mapping[str, State]
"""By what a rule calls an alarm."""
Test = Callable[[States], bool]

_TOKEN = re.compile(r'\s*(?:(?P<text>"(?:[^"\\]|\\.)*")|(?P<symbol>[(),])|(?P<word>[^\s(),"]+))')
_NAME = re.compile(r'\s*(?:"(?P<text>(?:[^"\\]|\\.)*)"|(?P<plain>[^"(),]*[^"(),\s]))\s*')
_ESCAPED = re.compile(r"\\(.)")
_STATES: Mapping[str, State] = {"ALARM": "ALARM", "OK": "OK", "INSUFFICIENT_DATA": "INSUFFICIENT_DATA"}
_SHARE = re.compile(r"(\d+)(%?)")
_DEPTH_MOST = 100


class AlarmRuleError(Exception):
    """The rule cannot be read. The message says where."""


@dataclass(frozen=True, slots=True)
class AlarmRule:
    """`alarms` are those that it names, in their order. `holds` wants the state of each."""

    alarms: tuple[str, ...]
    holds: Test


def parse_rule(text: str) -> AlarmRule:
    """Raises AlarmRuleError."""
    reader = _Reader(text)
    test = reader.rule()
    reader.expect_end()
    return AlarmRule(tuple(dict.fromkeys(reader.alarms)), test)


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text.rstrip()
        self._at = 0
        self._depth = 0
        self.alarms: list[str] = []

    def rule(self) -> Test:
        self._depth += 1
        if self._depth > _DEPTH_MOST:
            raise AlarmRuleError("the rule is nested too deeply")
        tests = [self._all()]
        while self._took("OR"):
            tests.append(self._all())
        self._depth -= 1
        return tests[0] if len(tests) == 1 else lambda states: any(test(states) for test in tests)

    def expect_end(self) -> None:
        if self._at < len(self._text):
            raise self._unsupported()

    def _all(self) -> Test:
        tests = [self._negated()]
        while self._took("AND"):
            tests.append(self._negated())
        return tests[0] if len(tests) == 1 else lambda states: all(test(states) for test in tests)

    def _negated(self) -> Test:
        negated = False
        while self._took("NOT"):
            negated = not negated
        test = self._term()
        return (lambda states: not test(states)) if negated else test

    def _term(self) -> Test:
        word = self._peek().upper()
        if word == "(":
            self._expect("(")
            test = self.rule()
            self._expect(")")
            return test
        if word in ("TRUE", "FALSE"):
            self._expect(word)
            return lambda states: word == "TRUE"
        if word == "AT_LEAST":
            return self._at_least()
        state = self._state()
        self._expect("(")
        name = self._alarm()
        self._expect(")")
        return lambda states: states[name] == state

    def _at_least(self) -> Test:
        self._expect("AT_LEAST")
        self._expect("(")
        share = _SHARE.fullmatch(self._peek())
        if share is None:
            raise self._unsupported()
        self._expect(share[0])
        self._expect(",")
        negated = self._took("NOT")
        state = self._state()
        self._expect(",")
        self._expect("(")
        names = [self._alarm()]
        while self._took(","):
            names.append(self._alarm())
        self._expect(")")
        self._expect(")")
        least = math.ceil(len(names) * int(share[1]) / 100) if share[2] else int(share[1])
        return lambda states: sum((states[name] == state) is not negated for name in names) >= least

    def _state(self) -> State:
        state = _STATES.get(self._peek().upper())
        if state is None:
            raise self._unsupported()
        self._expect(state)
        return state

    def _alarm(self) -> str:
        found = _NAME.match(self._text, self._at)
        if found is None:
            raise self._unsupported()
        self._at = found.end()
        name = _ESCAPED.sub(r"\1", found["text"]) if found["text"] is not None else found["plain"]
        self.alarms.append(name)
        return name

    def _peek(self) -> str:
        found = _TOKEN.match(self._text, self._at)
        return found[0].strip() if found else self._text[self._at : self._at + 1]

    def _took(self, word: str) -> bool:
        if self._peek().upper() != word:
            return False
        self._expect(word)
        return True

    def _expect(self, word: str) -> None:
        found = _TOKEN.match(self._text, self._at)
        if found is None or found[0].strip().upper() != word:
            raise self._unsupported()
        self._at = found.end()

    def _unsupported(self) -> AlarmRuleError:
        rest = self._text[self._at :]
        at = self._at + len(rest) - len(rest.lstrip())
        if at >= len(self._text):
            return AlarmRuleError("Unexpected end of rule")
        return AlarmRuleError(f"Unsupported token '{self._peek()}' at char {at}")
