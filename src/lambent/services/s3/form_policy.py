"""The policy of an upload by form: what its fields and its file may be.

Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html
"""

import json
from base64 import b64decode
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from lambent.model.error import ServiceException
from lambent.services.s3.errors import AccessDenied, EntityTooLarge, EntityTooSmall
from lambent.services.s3.form_body import Form

_NOT_COVERED = frozenset(
    {"policy", "x-amz-signature", "signature", "awsaccesskeyid", "file", "submit", "x-amz-security-token"}
)


class InvalidPolicyDocument(ServiceException):
    status = 400


def check_form(form: Form, bucket: str, now: float) -> None:
    """Raises AccessDenied, InvalidPolicyDocument, EntityTooLarge, EntityTooSmall."""
    policy = _read(form.fields["policy"])
    if now > _expiration(policy):
        raise AccessDenied("Invalid according to Policy: Policy expired.")
    values = {**form.fields, "bucket": bucket}
    covered: set[str] = set()
    for condition in _conditions(policy):
        operator, name, value = _parts(condition)
        if operator == "content-length-range":
            _check_size(len(form.file), int(name), int(value))
            continue
        name = name.lower()
        covered.add(name)
        given = values.get(name, "")
        holds = given.startswith(value) if operator == "starts-with" else given == value
        if not holds:
            shown = json.dumps([operator, f"${name}", value])
            raise AccessDenied(f"Invalid according to Policy: Policy Condition failed: {shown}")
    extra = [
        name
        for name in form.fields
        if name not in covered and name not in _NOT_COVERED and not name.startswith("x-ignore-")
    ]
    if extra:
        raise AccessDenied(f"Invalid according to Policy: Extra input fields: {', '.join(extra)}")


def _read(text: str) -> Mapping[str, Any]:
    try:
        policy = json.loads(b64decode(text, validate=True))
    except (ValueError, RecursionError):
        policy = None
    if not isinstance(policy, dict):
        raise InvalidPolicyDocument("Invalid Policy: Invalid JSON.")
    return policy


def _expiration(policy: Mapping[str, Any]) -> float:
    try:
        moment = datetime.fromisoformat(policy["expiration"])
    except (KeyError, TypeError, ValueError):
        raise InvalidPolicyDocument(
            "Invalid Policy: Invalid 'expiration' value: it must be a time in ISO 8601."
        ) from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _conditions(policy: Mapping[str, Any]) -> list[Any]:
    conditions = policy.get("conditions")
    if not isinstance(conditions, list):
        raise InvalidPolicyDocument("Invalid Policy: Policy missing conditions.")
    listed: list[Any] = []
    for condition in conditions:
        if isinstance(condition, dict):
            listed += [["eq", f"${name}", value] for name, value in condition.items()]
        else:
            listed.append(condition)
    return listed


def _parts(condition: Any) -> tuple[str, str, str]:
    """Operator, field (or least size), value (or largest size)."""
    if not isinstance(condition, list) or len(condition) != 3 or not isinstance(condition[0], str):
        raise InvalidPolicyDocument("Invalid Policy: Invalid conditions.")
    operator, field, value = condition[0].lower(), str(condition[1]), str(condition[2])
    if operator == "content-length-range":
        if not (field.isascii() and field.isdigit() and value.isascii() and value.isdigit()):
            raise InvalidPolicyDocument("Invalid Policy: Invalid 'content-length-range'.")
        return operator, field, value
    if operator not in ("eq", "starts-with") or not field.startswith("$"):
        raise InvalidPolicyDocument(f"Invalid Policy: Invalid condition operation: {operator}.")
    return operator, field[1:], value


def _check_size(size: int, least: int, most: int) -> None:
    if size > most:
        raise EntityTooLarge(ProposedSize=size, MaxSizeAllowed=most)
    if size < least:
        raise EntityTooSmall(ProposedSize=size, MinSizeAllowed=least)
