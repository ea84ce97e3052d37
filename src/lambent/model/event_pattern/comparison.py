"""How a match expression compares: each function takes what the pattern says and gives the test of a value.

Values of an event are strings, numbers, booleans and None. What is of another type than a test expects does not match,
except with `anything_but`, which everything else matches.
"""

import ipaddress
import re
from collections.abc import Callable, Sequence
from typing import Any

from lambent.model.event_pattern.pattern import Test

NUMBER_LARGEST = 5e9
_IP = re.compile(r"[0-9]+(?:\.[0-9]+){3}|[0-9a-fA-F:]*:[0-9a-fA-F:]*", re.ASCII)
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Order = Callable[[float, float], bool]


def is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def equals(expected: Any) -> Test:
    """A number, a boolean or None. (True is no number here, though Python says that it equals 1.)"""
    if is_number(expected):
        return lambda value: is_number(value) and bool(value == expected)
    return lambda value: value is expected


def same_address(expected: str) -> Test | None:
    """An IP address is equal to itself however it is written. None where the text has but one form, or is none."""
    address = ip_address(expected)
    if address is None or address.version == 4:
        return None
    return lambda value: isinstance(value, str) and ip_address(value) == address


def exists(value: object) -> bool:
    return True


def prefix(expected: str) -> Test:
    return lambda value: isinstance(value, str) and value.startswith(expected)


def suffix(expected: str) -> Test:
    return lambda value: isinstance(value, str) and value.endswith(expected)


def equals_ignore_case(expected: str) -> Test:
    folded = expected.lower()
    return lambda value: isinstance(value, str) and value.lower() == folded


def prefix_ignore_case(expected: str) -> Test:
    folded = expected.lower()
    return lambda value: isinstance(value, str) and value.lower().startswith(folded)


def suffix_ignore_case(expected: str) -> Test:
    folded = expected.lower()
    return lambda value: isinstance(value, str) and value.lower().endswith(folded)


def wildcard(pieces: Sequence[str]) -> Test:
    """`pieces` are the literal texts around the wildcards. Atomic groups keep every pattern linear: the leftmost place
    of a piece is as good as any later one."""
    first, *rest = (re.escape(piece) for piece in pieces)
    expression = first
    if rest:
        expression += "".join(f"(?>.*?{middle})" for middle in rest[:-1]) + ".*" + rest[-1]
    matcher = re.compile(expression, re.DOTALL)
    return lambda value: isinstance(value, str) and matcher.fullmatch(value) is not None


def numeric(bounds: Sequence[tuple[Order, float]]) -> Test:
    def test(value: Any) -> bool:
        if not is_number(value) or abs(value) > NUMBER_LARGEST:
            return False
        return all(order(value, bound) for order, bound in bounds)

    return test


def cidr(network: Network) -> Test:
    def test(value: Any) -> bool:
        address = ip_address(value) if isinstance(value, str) else None
        return address is not None and address in network

    return test


def anything_but(tests: Sequence[Test]) -> Test:
    return lambda value: not any(test(value) for test in tests)


def any_of(strings: frozenset[str]) -> Test:
    return lambda value: isinstance(value, str) and value in strings


def ip_address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    if _IP.fullmatch(text) is None:
        return None
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None
