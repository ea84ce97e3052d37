"""The Condition element: operators, quantifiers, IfExists and Null.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from lambent.model.policy.comparison import (
    Test,
    arn,
    binary,
    boolean,
    date,
    ip_address,
    numeric,
    string_equals,
    string_equals_ignore_case,
    string_like,
)
from lambent.model.policy.malformed import SYNTAX, MalformedPolicyError
from lambent.model.policy.pattern import Context

_TESTS: Mapping[str, tuple[Callable[[str, bool], Test], bool]] = {
    # operator: (how one of its values is tested, whether the operator is the negative)
    "StringEquals": (string_equals, False),
    "StringNotEquals": (string_equals, True),
    "StringEqualsIgnoreCase": (string_equals_ignore_case, False),
    "StringNotEqualsIgnoreCase": (string_equals_ignore_case, True),
    "StringLike": (string_like, False),
    "StringNotLike": (string_like, True),
    "NumericEquals": (numeric("=="), False),
    "NumericNotEquals": (numeric("=="), True),
    "NumericLessThan": (numeric("<"), False),
    "NumericLessThanEquals": (numeric("<="), False),
    "NumericGreaterThan": (numeric(">"), False),
    "NumericGreaterThanEquals": (numeric(">="), False),
    "DateEquals": (date("=="), False),
    "DateNotEquals": (date("=="), True),
    "DateLessThan": (date("<"), False),
    "DateLessThanEquals": (date("<="), False),
    "DateGreaterThan": (date(">"), False),
    "DateGreaterThanEquals": (date(">="), False),
    "Bool": (boolean, False),
    "BinaryEquals": (binary, False),
    "IpAddress": (ip_address, False),
    "NotIpAddress": (ip_address, True),
    "ArnEquals": (arn, False),
    "ArnLike": (arn, False),
    "ArnNotEquals": (arn, True),
    "ArnNotLike": (arn, True),
}


class Condition(Protocol):
    @property
    def key(self) -> str: ...

    def holds(self, context: Context) -> bool: ...


class Quantifier(Enum):
    """How an operator takes a key of several values."""

    ALL = "ForAllValues"
    ANY = "ForAnyValue"


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    key: str
    tests: tuple[Test, ...]
    negated: bool
    if_exists: bool
    quantifier: Quantifier | None

    def holds(self, context: Context) -> bool:
        values = context.get(self.key, ())
        if not values:
            return self._holds_without_key()
        if self.quantifier is Quantifier.ALL:
            return all(self._fits(value, context) for value in values)
        if self.quantifier is Quantifier.ANY or not self.negated:
            return any(self._fits(value, context) for value in values)
        return all(self._fits(value, context) for value in values)

    def _holds_without_key(self) -> bool:
        if self.quantifier is not None:
            return self.if_exists or self.quantifier is Quantifier.ALL
        return self.if_exists or self.negated

    def _fits(self, value: str, context: Context) -> bool:
        return any(test(value, context) for test in self.tests) != self.negated


@dataclass(frozen=True, slots=True, kw_only=True)
class Null:
    """Holds where the key is absent (`absent`) or present (not `absent`)."""

    key: str
    absent: bool

    def holds(self, context: Context) -> bool:
        return bool(context.get(self.key)) != self.absent


def condition(operator: str, key: str, values: tuple[str, ...], *, variables: bool) -> Condition:
    """Raises MalformedPolicyError for an unknown operator, or a value that it cannot compare with."""
    if operator == "Null":
        return _null(key, values)
    quantifier, name = _quantifier(operator)
    base = name.removesuffix("IfExists")
    if base not in _TESTS:
        raise MalformedPolicyError(SYNTAX)
    test, negated = _TESTS[base]
    return Comparison(
        key=key.lower(),
        tests=tuple(test(value, variables) for value in values),
        negated=negated,
        if_exists=name != base,
        quantifier=quantifier,
    )


def _quantifier(operator: str) -> tuple[Quantifier | None, str]:
    prefix, colon, name = operator.partition(":")
    if not colon:
        return None, operator
    try:
        return Quantifier(prefix), name
    except ValueError:
        raise MalformedPolicyError(SYNTAX) from None


def _null(key: str, values: tuple[str, ...]) -> Null:
    if len(values) != 1 or values[0].lower() not in ("true", "false"):
        raise MalformedPolicyError(SYNTAX)
    return Null(key=key.lower(), absent=values[0].lower() == "true")
