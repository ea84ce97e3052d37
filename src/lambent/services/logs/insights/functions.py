"""The functions of one record. Each takes values and gives one; None is what a record does not have.

Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-operations-functions.html
"""

import ipaddress
import math
from collections.abc import Callable
from dataclasses import dataclass

from lambent.services.logs.insights.values import Moment, Value, number, text, truth

_ANY = 1000


@dataclass(frozen=True, slots=True)
class Function:
    apply: Callable[..., Value]
    least: int
    most: int


def _numeric(apply: Callable[[float], float | int]) -> Function:
    def of(value: Value) -> Value:
        operand = number(value)
        if operand is None:
            return None
        try:
            return apply(operand)
        except (ValueError, OverflowError):
            return None

    return Function(of, 1, 1)


def _textual(apply: Callable[[str], Value]) -> Function:
    def of(value: Value) -> Value:
        operand = text(value)
        return None if operand is None else apply(operand)

    return Function(of, 1, 1)


def _extreme(choose: Callable[[list[float]], float]) -> Function:
    def of(*values: Value) -> Value:
        numbers = [found for value in values if (found := number(value)) is not None]
        return choose(numbers) if numbers else None

    return Function(of, 1, _ANY)


def _strip(strip: Callable[[str, str | None], str]) -> Function:
    def of(value: Value, characters: Value = None) -> Value:
        operand = text(value)
        return None if operand is None else strip(operand, text(characters))

    return Function(of, 1, 2)


def _coalesce(*values: Value) -> Value:
    return next((value for value in values if value is not None), None)


def _concat(*values: Value) -> Value:
    return "".join(text(value) or "" for value in values)


def _substr(value: Value, start: Value, length: Value = None) -> Value:
    operand, first = text(value), number(start)
    if operand is None or first is None:
        return None
    beginning = max(int(first), 0)
    count = number(length)
    return operand[beginning:] if count is None else operand[beginning : beginning + max(int(count), 0)]


def _replace(value: Value, searched: Value, replacement: Value) -> Value:
    operand = text(value)
    return None if operand is None else operand.replace(text(searched) or "", text(replacement) or "")


def _contains(value: Value, searched: Value, _: Value = None) -> Value:
    """The third argument is taken, and changes nothing: so it is on AWS."""
    return int((text(searched) or "") in (text(value) or ""))


def _starts_with(value: Value, searched: Value) -> Value:
    return int((text(value) or "").startswith(text(searched) or ""))


def _ends_with(value: Value, searched: Value) -> Value:
    return int((text(value) or "").endswith(text(searched) or ""))


def _from_millis(value: Value) -> Value:
    operand = number(value)
    return None if operand is None else Moment(int(operand))


def _to_millis(value: Value) -> Value:
    operand = number(value)
    return None if operand is None else int(operand)


def _if(condition: Value, yes: Value, no: Value) -> Value:
    return yes if truth(condition) else no


def _address(value: Value) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text(value) or "")
    except ValueError:
        return None


def _valid_ip(version: int | None) -> Function:
    def of(value: Value) -> Value:
        address = _address(value)
        return int(address is not None and version in (None, address.version))

    return Function(of, 1, 1)


def _in_subnet(version: int | None) -> Function:
    def of(value: Value, subnet: Value) -> Value:
        address = _address(value)
        try:
            network = ipaddress.ip_network(text(subnet) or "", strict=False)
        except ValueError:
            return 0
        return int(address is not None and version in (None, address.version) and address in network)

    return Function(of, 2, 2)


FUNCTIONS: dict[str, Function] = {
    "abs": _numeric(abs),
    "ceil": _numeric(math.ceil),
    "floor": _numeric(math.floor),
    "round": _numeric(round),
    "log": _numeric(math.log),
    "sqrt": _numeric(math.sqrt),
    "tonumber": _numeric(lambda value: value),
    "toint": _numeric(int),
    "tolong": _numeric(int),
    "todouble": _numeric(float),
    "greatest": _extreme(max),
    "least": _extreme(min),
    "frommillis": Function(_from_millis, 1, 1),
    "tomillis": Function(_to_millis, 1, 1),
    "ispresent": Function(lambda value: int(value is not None), 1, 1),
    "coalesce": Function(_coalesce, 1, _ANY),
    "if": Function(_if, 3, 3),
    "unmask": Function(lambda value: value, 1, 1),
    "isempty": Function(lambda value: int(not text(value)), 1, 1),
    "isblank": Function(lambda value: int(not (text(value) or "").strip()), 1, 1),
    "concat": Function(_concat, 1, _ANY),
    "ltrim": _strip(str.lstrip),
    "rtrim": _strip(str.rstrip),
    "trim": _strip(str.strip),
    "strlen": _textual(len),
    "toupper": _textual(str.upper),
    "tolower": _textual(str.lower),
    "substr": Function(_substr, 2, 3),
    "replace": Function(_replace, 3, 3),
    "strcontains": Function(_contains, 2, 3),
    "startswith": Function(_starts_with, 2, 2),
    "endswith": Function(_ends_with, 2, 2),
    "isvalidip": _valid_ip(None),
    "isvalidipv4": _valid_ip(4),
    "isvalidipv6": _valid_ip(6),
    "isipinsubnet": _in_subnet(None),
    "isipv4insubnet": _in_subnet(4),
    "isipv6insubnet": _in_subnet(6),
}
