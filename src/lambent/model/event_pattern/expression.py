"""Match expressions: the objects in a pattern's arrays, such as {"prefix": "eu-"}. Each operator reads its operand.

An operator is entered behind its name and leaves the reader behind its operand; `read_expression` reads the end.
"""

import ipaddress
import operator
from collections.abc import Callable, Mapping

from lambent.model.event_pattern import comparison
from lambent.model.event_pattern.json_reader import JsonReader, Token
from lambent.model.event_pattern.pattern import Test

_ONE_KEY = "Only one key allowed in match expression"
_TOO_MANY = "Too many elements in numeric expression"
_TOO_COMPLEX = (
    "Rule is too complex - try using fewer wildcard characters or fewer repeating character sequences after a "
    "wildcard character"
)
_WILDCARDS_MOST = 5
"""AWS weighs how many places of the pattern a text could be in at once; this is about where it begins to refuse."""
_ORDERS: Mapping[str, comparison.Order] = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def read_expression(reader: JsonReader) -> Test | None:
    """None for {"exists": false}, which is no test of a value. Raises InvalidPatternError."""
    if reader.next() is not Token.NAME:
        reader.refuse("Match expression name not found")
    name = reader.value
    if name not in _OPERATORS or (reader.is_filter_policy and name == "wildcard"):
        reader.refuse(f"Unrecognized match type {name}")
    test = _OPERATORS[name](reader)
    if reader.next() is not Token.END_OBJECT:
        reader.refuse(_TOO_MANY if name in ("numeric", "anything-but") else _ONE_KEY)
    return test


def _string(reader: JsonReader, reason: str) -> str:
    if reader.next() is not Token.STRING:
        reader.refuse(reason)
    reader.look()
    return str(reader.value)


def _exactly(reader: JsonReader) -> Test:
    return comparison.any_of(frozenset({_string(reader, "exact match pattern must be a string")}))


def _equals_ignore_case(reader: JsonReader) -> Test:
    return comparison.equals_ignore_case(_string(reader, "equals-ignore-case match pattern must be a string"))


def _affix(
    name: str, plain: Callable[[str], Test], ignoring_case: Callable[[str], Test]
) -> Callable[[JsonReader], Test]:
    """A prefix or suffix: a string, or {"equals-ignore-case": string}."""

    def read(reader: JsonReader) -> Test:
        token = reader.next()
        if token is Token.STRING:
            reader.look()
            return plain(reader.value)
        if token is not Token.START_OBJECT or reader.is_filter_policy:
            reader.refuse(f"{name} match pattern must be a string")
        if reader.next() is not Token.NAME:
            reader.refuse(f"{name.capitalize()} expression name not found")
        if reader.value != "equals-ignore-case":
            reader.refuse(f"Unsupported {name} pattern: {reader.value}")
        text = _string(reader, "equals-ignore-case match pattern must be a string")
        if reader.next() is not Token.END_OBJECT:
            reader.refuse(_ONE_KEY)
        return ignoring_case(text)

    return read


def _wildcard(reader: JsonReader) -> Test:
    return _wildcard_of(reader, _string(reader, "wildcard match pattern must be a string"))


def _wildcard_of(reader: JsonReader, text: str) -> Test:
    """`*` stands for any characters, `\\*` and `\\\\` for themselves. AWS counts bytes, and the quote before them."""
    pieces, position = [""], 0
    while position < len(text):
        character, after = text[position], text[position + 1 : position + 2]
        place = len(text[:position].encode(errors="replace")) + 1
        if character == "\\":
            if after not in ("*", "\\"):
                reader.refuse(f"Invalid escape character at pos {place}")
            pieces[-1] += after
            position += 1
        elif character == "*":
            if after == "*":
                reader.refuse(f"Consecutive wildcard characters at pos {place}")
            pieces.append("")
        else:
            pieces[-1] += character
        position += 1
    if len(pieces) - 1 > _WILDCARDS_MOST:
        reader.refuse(_TOO_COMPLEX, places=0)
    return comparison.wildcard(pieces)


def _exists(reader: JsonReader) -> Test | None:
    if reader.next() is not Token.BOOLEAN:
        reader.refuse("exists match pattern must be either true or false.")
    return comparison.exists if reader.value else None


def _cidr(reader: JsonReader) -> Test:
    # AWS says "prefix" of this one, too.
    text = _string(reader, "prefix match pattern must be a string")
    address, slash, mask = text.partition("/")
    if not slash or "/" in mask:
        reader.refuse("Malformed CIDR, one '/' required", places=0)
    if not mask.removeprefix("-").isdecimal() or not mask.isascii():
        reader.refuse("Malformed CIDR, mask bits must be an integer", places=0)
    bits = int(mask[:8])
    if bits < 0:
        reader.refuse("Malformed CIDR, mask bits must not be negative", places=0)
    parsed = comparison.ip_address(address)
    if parsed is None:
        reader.refuse(f"Nonstandard IP address: {address}", places=0)
    if bits >= parsed.max_prefixlen:
        reader.refuse(f"IPv{parsed.version} mask bits must be < {parsed.max_prefixlen}", places=0)
    return comparison.cidr(ipaddress.ip_network(f"{parsed}/{bits}", strict=False))


def _number(reader: JsonReader, reason: str) -> float:
    if reader.next() is not Token.NUMBER:
        reader.refuse(reason)
    value: float = reader.value
    if abs(value) > comparison.NUMBER_LARGEST:
        reader.refuse("Value must be between -5.0E9 and 5.0E9, inclusive")
    return value


def _numeric(reader: JsonReader) -> Test:
    if reader.next() is not Token.START_ARRAY:
        reader.refuse("Value of numeric must be an array.")
    if (first := reader.next()) is not Token.STRING:
        reader.refuse(f"Invalid member in numeric match: {_shown(reader, first)}")
    order = reader.value
    reader.look()
    if order not in _ORDERS:
        reader.next()
        reader.refuse(f"Unrecognized numeric range operator: {order}")
    number = _number(reader, f"Value of {'equals' if order == '=' else order} must be numeric")
    bounds = [(_ORDERS[order], number)]
    token = reader.next()
    if token is not Token.END_ARRAY:
        if order not in (">", ">="):
            reader.refuse(_TOO_MANY)
        bounds.append(_numeric_top(reader, token, number))
    return comparison.numeric(bounds)


def _numeric_top(reader: JsonReader, token: Token, bottom: float) -> tuple[comparison.Order, float]:
    if token is not Token.STRING:
        reader.refuse(f"Bad value in numeric range: {_shown(reader, token)}")
    order = reader.value
    reader.look()
    if order not in ("<", "<="):
        reader.refuse(f"Bad numeric range operator: {order}")
    top = _number(reader, f"Value of {order} must be numeric")
    if reader.next() is not Token.END_ARRAY:
        reader.refuse("Too many terms in numeric range expression")
    if bottom >= top:
        reader.refuse("Bottom must be less than top")
    return _ORDERS[order], top


def _shown(reader: JsonReader, token: Token) -> str:
    """The token that was read last, as it stands in the text; of a bracket, no value was read."""
    reader.look()
    return token.value if reader.value is None else str(reader.value)


_MIXED = "Inside anything but list, either all values are number or string, mixed type is not supported"
_AFFIX = "prefix/suffix match pattern must be a string"
_BUT_REASONS = {
    "prefix": _AFFIX,
    "suffix": _AFFIX,
    "equals-ignore-case": "Inside anything-but/equals-ignore-case list, number|start|null|boolean is not supported.",
    "wildcard": "wildcard match pattern must be a string",
}
_BUT_TESTS: Mapping[str, Callable[[JsonReader, str], Test]] = {
    "prefix": lambda reader, text: comparison.prefix(text),
    "suffix": lambda reader, text: comparison.suffix(text),
    "equals-ignore-case": lambda reader, text: comparison.equals_ignore_case(text),
    "wildcard": _wildcard_of,
}


def _anything_but(reader: JsonReader) -> Test:
    token = reader.next()
    if token is not Token.START_OBJECT:
        return comparison.anything_but(_but_values(reader, token))
    if reader.next() is not Token.NAME:
        reader.refuse("Anything-But expression name not found")
    kind = str(reader.value)
    if kind not in _BUT_TESTS or (reader.is_filter_policy and kind != "prefix"):
        reader.refuse(f"Unsupported anything-but pattern: {kind}")
    if reader.is_filter_policy:
        tests = [comparison.prefix(_string(reader, "prefix match pattern must be a string"))]
    else:
        tests = _but_texts(reader, kind)
    if reader.next() is not Token.END_OBJECT:
        reader.refuse(_TOO_MANY)
    return comparison.anything_but(tests)


def _require_but_operand(reader: JsonReader, token: Token) -> None:
    if token not in (Token.START_ARRAY, Token.STRING, Token.NUMBER):
        reader.refuse("Value of anything-but must be an array or single string/number value.")


def _but_texts(reader: JsonReader, kind: str) -> list[Test]:
    token = reader.next()
    _require_but_operand(reader, token)
    several, tests = token is Token.START_ARRAY, list[Test]()
    if several:
        token = reader.next()
    while token is not Token.END_ARRAY:
        if token is not Token.STRING:
            reader.refuse(_BUT_REASONS[kind], places=1 + several)
        reader.look()
        if not reader.value and kind in ("prefix", "suffix"):
            reader.refuse("Null prefix/suffix not allowed", places=1 + several)
        tests.append(_BUT_TESTS[kind](reader, reader.value))
        if not several:
            break
        token = reader.next()
    return tests


def _but_values(reader: JsonReader, token: Token) -> list[Test]:
    _require_but_operand(reader, token)
    if token is Token.STRING:
        reader.look()
        return [comparison.any_of(frozenset({reader.value}))]
    if token is Token.NUMBER:
        return [comparison.equals(reader.value)]
    strings, numbers = set[str](), list[float]()
    while (token := reader.next()) is not Token.END_ARRAY:
        if token is Token.STRING:
            reader.look()
            strings.add(reader.value)
        elif token is Token.NUMBER:
            numbers.append(reader.value)
        else:
            reader.refuse("Inside anything but list, start|null|boolean is not supported.", places=2)
    if bool(strings) == bool(numbers):
        reader.refuse(_MIXED)
    return [comparison.any_of(frozenset(strings)), *(comparison.equals(number) for number in numbers)]


_OPERATORS: Mapping[str, Callable[[JsonReader], Test | None]] = {
    "exactly": _exactly,
    "prefix": _affix("prefix", comparison.prefix, comparison.prefix_ignore_case),
    "suffix": _affix("suffix", comparison.suffix, comparison.suffix_ignore_case),
    "numeric": _numeric,
    "anything-but": _anything_but,
    "exists": _exists,
    "cidr": _cidr,
    "equals-ignore-case": _equals_ignore_case,
    "wildcard": _wildcard,
}
RESERVED = frozenset({*_OPERATORS, *_ORDERS, "regex", "not-wildcard", "not-equals-ignore-case"})
"""Names that a member inside `$or` may not have."""
