"""The syntax tree of a query."""

from dataclasses import dataclass
from typing import Literal as OneOf


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    start: int = 0
    end: int = 0
    """Where it stands in the query: characters [start, end)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field(Node):
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Constant(Node):
    value: str | int | float


@dataclass(frozen=True, slots=True, kw_only=True)
class Period(Node):
    """5m: a number of units, one of `periods.UNITS`."""

    count: int
    unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern(Node):
    """/…/"""

    expression: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unary(Node):
    operator: OneOf["not", "-"]
    operand: "Expression"


@dataclass(frozen=True, slots=True, kw_only=True)
class Binary(Node):
    operator: str
    """or and = != < <= > >= + - * / % ^"""
    left: "Expression"
    right: "Expression"


@dataclass(frozen=True, slots=True, kw_only=True)
class Like(Node):
    subject: "Expression"
    pattern: Pattern | Constant


@dataclass(frozen=True, slots=True, kw_only=True)
class In(Node):
    subject: "Expression"
    choices: tuple["Expression", ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(Node):
    """A function. `count(*)` has no arguments."""

    name: str
    """In lower case."""
    arguments: tuple["Expression", ...]


Expression = Field | Constant | Period | Pattern | Unary | Binary | Like | In | Call


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    expression: Expression


@dataclass(frozen=True, slots=True)
class Fields:
    columns: tuple[Column, ...]


@dataclass(frozen=True, slots=True)
class Display:
    columns: tuple[Column, ...]


@dataclass(frozen=True, slots=True)
class Filter:
    condition: Expression


@dataclass(frozen=True, slots=True)
class Parse:
    subject: Expression
    pattern: Pattern | Constant
    """A constant is a glob: text with * for what is taken."""
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Stats:
    aggregates: tuple[Column, ...]
    by: tuple[Column, ...]


@dataclass(frozen=True, slots=True)
class Sort:
    keys: tuple[tuple[str, bool], ...]
    """(field, whether descending)"""


@dataclass(frozen=True, slots=True)
class Limit:
    count: int
    any: bool = False
    """Whichever are found first: nothing further is read."""


@dataclass(frozen=True, slots=True)
class Dedup:
    fields: tuple[str, ...]


Command = Fields | Display | Filter | Parse | Stats | Sort | Limit | Dedup
