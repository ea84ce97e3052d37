"""How a condition operator compares one value of a policy with one value of a request.

Each function here takes the policy's value and gives the test. A value of the policy that makes no sense is
refused (MalformedPolicyError); a value of the request that makes none simply does not match.
"""

import base64
import binascii
import ipaddress
import math
import operator
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from lambent.model.policy.malformed import LEGACY, SYNTAX, MalformedPolicyError
from lambent.model.policy.pattern import Context, Pattern

Test = Callable[[str, Context], bool]

_ORDER: Mapping[str, Callable[[float, float], bool]] = {
    "==": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_DATE = re.compile(
    r"\d{4}(-\d{2}(-\d{2}([Tt]\d{2}(:\d{2}(:\d{2}(\.\d{1,9})?)?)?([Zz]|[+-]\d{2}:?\d{2})?)?)?)?"
)
_MAX_EPOCH_MS = 2**63 - 1
_ARN_PARTS = 6


def string_equals(expected: str, variables: bool) -> Test:
    return Pattern.of(expected, variables=variables, wildcards=False).matches


def string_equals_ignore_case(expected: str, variables: bool) -> Test:
    return Pattern.of(expected, variables=variables, wildcards=False, ignore_case=True).matches


def string_like(expected: str, variables: bool) -> Test:
    return Pattern.of(expected, variables=variables).matches


def numeric(order: str) -> Callable[[str, bool], Test]:
    return _ordered(_ORDER[order], _number, SYNTAX)


def date(order: str) -> Callable[[str, bool], Test]:
    return _ordered(_ORDER[order], _epoch, LEGACY)


def _ordered(
    compare: Callable[[float, float], bool], read: Callable[[str], float | None], refusal: str
) -> Callable[[str, bool], Test]:
    """What `read` makes nothing of is refused in a policy, and fits nothing in a request."""

    def test_of(expected: str, variables: bool) -> Test:
        limit = read(expected)
        if limit is None:
            raise MalformedPolicyError(refusal)

        def test(value: str, context: Context) -> bool:
            found = read(value)
            return found is not None and compare(found, limit)

        return test

    return test_of


def boolean(expected: str, variables: bool) -> Test:
    if expected.lower() not in ("true", "false") and not expected.startswith("${"):
        raise MalformedPolicyError(SYNTAX)
    return Pattern.of(expected, variables=variables, wildcards=False, ignore_case=True).matches


def binary(expected: str, variables: bool) -> Test:
    content = _decoded(expected)
    if content is None:
        raise MalformedPolicyError(SYNTAX)
    return lambda value, context: _decoded(value) == content


def ip_address(expected: str, variables: bool) -> Test:
    try:
        network = ipaddress.ip_network(expected, strict=False)
    except ValueError:
        raise MalformedPolicyError(SYNTAX) from None

    def test(value: str, context: Context) -> bool:
        try:
            return ipaddress.ip_address(value) in network
        except ValueError:
            return False

    return test


def arn(expected: str, variables: bool) -> Test:
    """Part by part: a wildcard does not reach over a colon, except in the last part."""
    parts = [Pattern.of(part, variables=variables) for part in split_arn(expected, variables=variables)]
    everything = expected == "*"

    def test(value: str, context: Context) -> bool:
        given = value.split(":", _ARN_PARTS - 1)
        if everything:
            return True
        return len(given) == len(parts) and all(
            part.matches(text, context) for part, text in zip(parts, given, strict=True)
        )

    return test


def split_arn(text: str, *, variables: bool) -> list[str]:
    """At its first five colons, not counting those inside policy variables."""
    if not variables:
        return text.split(":", _ARN_PARTS - 1)
    masked = re.sub(r"\$\{[^}]*\}", lambda variable: "x" * len(variable[0]), text)
    parts, start = [], 0
    for part in masked.split(":", _ARN_PARTS - 1):
        parts.append(text[start : start + len(part)])
        start += len(part) + 1
    return parts


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _epoch(text: str) -> float | None:
    """Seconds, from the W3C profile of ISO 8601 or from an epoch number."""
    if re.fullmatch(r"\d+", text) and len(text) != len("2024"):
        return float(text) if int(text) <= _MAX_EPOCH_MS else None
    if not _DATE.fullmatch(text):
        return None
    padded = text + {len("2024"): "-01-01", len("2024-01"): "-01"}.get(len(text), "")
    try:
        moment = datetime.fromisoformat(padded.upper())
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _decoded(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        return None
