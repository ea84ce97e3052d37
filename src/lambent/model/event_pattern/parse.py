"""From a pattern's text to what it says of which paths."""

import json
from collections.abc import Mapping
from typing import Any

from lambent.model.event_pattern import comparison
from lambent.model.event_pattern.expression import RESERVED, read_expression
from lambent.model.event_pattern.json_reader import JsonReader, Token
from lambent.model.event_pattern.pattern import Field, Pattern, Test

_OR = "$or"
_DEEPEST = 200
_BRANCHES_MOST = 1000
"""AWS's limit of combinations that the alternatives of `$or` may make."""

_Branches = list[dict[str, Field]]


def parse_pattern(pattern: str | Mapping[str, Any], *, is_filter_policy: bool = False) -> Pattern:
    """`is_filter_policy` holds it to what SNS takes. Raises InvalidPatternError."""
    text = pattern if isinstance(pattern, str) else json.dumps(pattern, separators=(",", ":"))
    reader = JsonReader(text, is_filter_policy=is_filter_policy)
    if not text.strip() or reader.next() is not Token.START_OBJECT:
        reader.refuse("Filter is not an object")
    branches: _Branches = [{}]
    _read_object(reader, branches, "", 0, in_or=False)
    return Pattern(text, tuple(tuple(branch.values()) for branch in branches))


def _read_object(reader: JsonReader, branches: _Branches, path: str, depth: int, *, in_or: bool) -> None:
    """Adds what an object says to every branch; alternatives multiply them."""
    empty = True
    if depth > _DEEPEST:
        reader.refuse("Too many levels of objects")
    while reader.next() is Token.NAME:
        empty = False
        name = str(reader.value)
        if name == _OR:
            _read_or(reader, branches, path, depth)
            continue
        if in_or and name in RESERVED:
            reader.refuse(f"{name} is Ruler reserved fieldName which cannot be used inside {_OR}.")
        below = f"{path}.{name}" if path else name
        token = reader.next()
        if token is Token.START_OBJECT:
            _read_object(reader, branches, below, depth + 1, in_or=in_or)
        elif token is Token.START_ARRAY:
            field = _read_field(reader, below)
            for branch in branches:
                branch[below] = field
        else:
            reader.refuse(f'"{name}" must be an object or an array')
    if empty:
        reader.refuse("Empty objects are not allowed")


def _read_or(reader: JsonReader, branches: _Branches, path: str, depth: int) -> None:
    if reader.next() is not Token.START_ARRAY:
        reader.refuse(f"It must be an Array followed with {_OR}.")
    before = list(branches)
    branches.clear()
    alternatives = 0
    while (token := reader.next()) is not Token.END_ARRAY:
        if token is not Token.START_OBJECT:
            reader.refuse(f"Only JSON object is allowed in array of {_OR} relationship.")
        alternatives += 1
        alternative = [dict(branch) for branch in before]
        _read_object(reader, alternative, path, depth + 1, in_or=True)
        branches += alternative
        if len(branches) > _BRANCHES_MOST:
            reader.refuse(f"{_OR} makes more than {_BRANCHES_MOST} combinations")
    if alternatives < 2:
        reader.refuse(f"There must have at least 2 Objects in {_OR} relationship.")


def _read_field(reader: JsonReader, path: str) -> Field:
    plain, tests, absent, empty = set[str](), list[Test](), False, True
    while (token := reader.next()) is not Token.END_ARRAY:
        empty = False
        if token is Token.STRING:
            plain.add(reader.value)
            if test := comparison.same_address(reader.value):
                tests.append(test)
        elif token in (Token.NUMBER, Token.BOOLEAN, Token.NULL):
            tests.append(comparison.equals(reader.value))
        elif token is Token.START_OBJECT:
            expression = read_expression(reader)
            if expression is None:
                absent = True
            else:
                tests.append(expression)
        else:
            reader.refuse("Match value must be String, number, true, false, or null")
    if empty:
        reader.refuse("Empty arrays are not allowed")
    return Field(path=path, plain=frozenset(plain), tests=tuple(tests), absent=absent)
