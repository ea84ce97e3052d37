"""The right-hand side of a comparison, and what it means to compare with it."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from lambent.services.logs.filter_pattern.regex import Regex

Value = str | int | float | bool
"""A value node: what a JSON property or a space-delimited field can hold and be compared by."""

_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")

ORDER: dict[str, Callable[[float, float], bool]] = {
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
}


def number(text: str) -> int | float | None:
    """The number that `text` is written as (scientific notation included), else None. Integers stay exact."""
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _NUMBER.fullmatch(text) else None


@dataclass(frozen=True, slots=True)
class Text:
    """A string, in which an asterisk at either end stands for any text; elsewhere it is an asterisk."""

    pattern: str

    def equals(self, value: Value) -> bool:
        text = as_text(value)
        pattern = self.pattern
        starts, ends = pattern.startswith("*"), pattern.endswith("*")
        if starts and ends:
            return pattern[1:-1] in text
        if starts:
            return text.endswith(pattern[1:])
        if ends:
            return text.startswith(pattern[:-1])
        return text == pattern


@dataclass(frozen=True, slots=True)
class Number:
    value: int | float

    def equals(self, value: Value) -> bool:
        return as_number(value) == self.value


@dataclass(frozen=True, slots=True)
class Expression:
    regex: Regex

    def equals(self, value: Value) -> bool:
        return self.regex.search(as_text(value))


Operand = Text | Number | Expression


def compare(value: Value, operator: str, operand: Operand) -> bool:
    """The parser has seen to it that an operator of order has a number on its right."""
    if operator == "=":
        return operand.equals(value)
    if operator == "!=":
        return not operand.equals(value)
    assert isinstance(operand, Number)
    left = as_number(value)
    return left is not None and ORDER[operator](left, operand.value)


def as_text(value: Value) -> str:
    """As JSON writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else repr(value)


def as_number(value: Value) -> int | float | None:
    if isinstance(value, bool):
        return None
    return number(value) if isinstance(value, str) else value
