"""Makes a function from records to values of an expression."""

import math
import operator
import re
from collections.abc import Callable
from typing import assert_never

from lambent.services.logs.insights.errors import MalformedQueryError
from lambent.services.logs.insights.functions import FUNCTIONS
from lambent.services.logs.insights.periods import ceil_ms, floor_ms
from lambent.services.logs.insights.record import Record
from lambent.services.logs.insights.syntax import (
    Binary,
    Call,
    Constant,
    Expression,
    Field,
    In,
    Like,
    Pattern,
    Period,
    Unary,
)
from lambent.services.logs.insights.values import Moment, Value, before, equal, number, text, truth

Evaluate = Callable[[Record], Value]
_NAMED_GROUP = re.compile(r"\(\?<(?=[A-Za-z_])")
_ROUNDERS = {"bin": floor_ms, "datefloor": floor_ms, "dateceil": ceil_ms}
_COMPARE: dict[str, Callable[[Value, Value], bool]] = {
    "=": equal,
    "!=": lambda left, right: not equal(left, right),
    "<": before,
    ">": lambda left, right: before(right, left),
    "<=": lambda left, right: before(left, right) or equal(left, right),
    ">=": lambda left, right: before(right, left) or equal(left, right),
}
_COMPUTE: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "%": math.fmod,
    "^": operator.pow,
}


class Evaluation:
    """`now` is the query's time (epoch seconds)."""

    def __init__(self, now: float) -> None:
        self._now = int(now)

    def of(self, expression: Expression) -> Evaluate:
        """Raises MalformedQueryError."""
        match expression:
            case Field(name=name):
                return lambda record: record.get(name)
            case Constant(value=value):
                return lambda record: value
            case Period() | Pattern():
                raise MalformedQueryError("a value is expected here", expression.start, expression.end)
            case _:
                return self._computed(expression)

    def _computed(self, expression: Unary | Binary | Like | In | Call) -> Evaluate:
        match expression:
            case Unary():
                return self._unary(expression)
            case Binary():
                return self._binary(expression)
            case Like():
                return self._like(expression)
            case In():
                return self._in(expression)
            case Call():
                return self._call(expression)
        assert_never(expression)

    def _unary(self, node: Unary) -> Evaluate:
        operand = self.of(node.operand)
        if node.operator == "not":
            return lambda record: int(not truth(operand(record)))

        def negative(record: Record) -> Value:
            value = number(operand(record))
            return None if value is None else -value

        return negative

    def _binary(self, node: Binary) -> Evaluate:
        if node.operator in ("and", "or"):
            parts = [self.of(part) for part in _chain(node)]
            if node.operator == "and":
                return lambda record: int(all(truth(part(record)) for part in parts))
            return lambda record: int(any(truth(part(record)) for part in parts))
        left, right = self.of(node.left), self.of(node.right)
        compare = _COMPARE.get(node.operator)
        if compare is not None:
            return _comparison(compare, left, right)
        return _computation(_COMPUTE[node.operator], left, right)

    def _like(self, node: Like) -> Evaluate:
        subject = self.of(node.subject)
        if isinstance(node.pattern, Constant):
            searched = str(node.pattern.value)
            return lambda record: int(searched in (text(subject(record)) or ""))
        search = compiled(node.pattern).search
        return lambda record: int(search(text(subject(record)) or "") is not None)

    def _in(self, node: In) -> Evaluate:
        subject, choices = self.of(node.subject), [self.of(choice) for choice in node.choices]

        def among(record: Record) -> Value:
            value = subject(record)
            return int(value is not None and any(equal(value, choice(record)) for choice in choices))

        return among

    def _call(self, node: Call) -> Evaluate:
        if node.name in _ROUNDERS:
            return self._rounded(node)
        if node.name == "now" and not node.arguments:
            return lambda record: self._now
        function = FUNCTIONS.get(node.name)
        if function is None:
            raise MalformedQueryError(f"unknown function {node.name}", node.start, node.end)
        if not function.least <= len(node.arguments) <= function.most:
            raise MalformedQueryError(
                f"{node.name} is given {len(node.arguments)} arguments", node.start, node.end
            )
        arguments = [self.of(argument) for argument in node.arguments]
        apply = function.apply
        if len(arguments) == 1:
            only = arguments[0]
            return lambda record: apply(only(record))
        return lambda record: apply(*[argument(record) for argument in arguments])

    def _rounded(self, node: Call) -> Evaluate:
        """bin(5m), bin(TIME, 5m), datefloor(TIME, 5m), dateceil(TIME, 5m)"""
        if not node.arguments or not isinstance(node.arguments[-1], Period) or len(node.arguments) > 2:
            raise MalformedQueryError(f"{node.name} is given no period", node.start, node.end)
        period, rounded = node.arguments[-1], _ROUNDERS[node.name]
        time = self.of(Field(name="@timestamp") if len(node.arguments) == 1 else node.arguments[0])

        def begin(record: Record) -> Value:
            value = number(time(record))
            if value is None:
                return None
            try:
                return Moment(rounded(int(value), period.count, period.unit))
            except (OverflowError, ValueError):
                return None

        return begin


def compiled(pattern: Pattern) -> re.Pattern[str]:
    """Java's way of writing named groups is taken too. Raises MalformedQueryError."""
    try:
        return re.compile(_NAMED_GROUP.sub("(?P<", pattern.expression))
    except (re.error, OverflowError, RecursionError) as error:
        raise MalformedQueryError(
            f"invalid regular expression: {error}", pattern.start, pattern.end
        ) from None


def _chain(node: Binary) -> list[Expression]:
    """The operands of a chain of ands, or of ors: a long one is no deep one."""
    parts: list[Expression] = []
    left: Expression = node
    while isinstance(left, Binary) and left.operator == node.operator:
        parts.append(left.right)
        left = left.left
    return [left, *reversed(parts)]


def _comparison(compare: Callable[[Value, Value], bool], left: Evaluate, right: Evaluate) -> Evaluate:
    """What a record does not have is neither equal to anything nor different from it."""

    def compared(record: Record) -> Value:
        a, b = left(record), right(record)
        return int(a is not None and b is not None and compare(a, b))

    return compared


def _computation(compute: Callable[[float, float], float], left: Evaluate, right: Evaluate) -> Evaluate:
    def computed(record: Record) -> Value:
        a, b = number(left(record)), number(right(record))
        if a is None or b is None:
            return None
        try:
            result = compute(float(a), float(b))
        except (ArithmeticError, ValueError):
            return None
        if isinstance(result, complex):
            return None
        return int(result) if result.is_integer() and abs(result) < 2**53 else result

    return computed
