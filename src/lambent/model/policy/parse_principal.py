"""The Principal element."""

import re
from collections.abc import Mapping
from typing import Any

from lambent.model.policy.malformed import SYNTAX, MalformedPolicyError
from lambent.model.policy.principal import PrincipalElement, account_of

_ARN = re.compile(
    r"arn:[\w-]+:(iam::\d{12}:(user|role)/[\w+=,.@/-]+|sts::\d{12}:(assumed-role|federated-user)/[\w+=,.@/-]+)"
)
_SERVICE = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")
_KINDS = ("AWS", "Service", "Federated", "CanonicalUser")


def parse_principal(
    statement: Mapping[str, Any], *, required: bool, negatable: bool
) -> PrincipalElement | None:
    """Of a statement's members. Raises MalformedPolicyError also where it is there and not `required`, and
    for a NotPrincipal that is not `negatable` or that allows."""
    negated = "NotPrincipal" in statement
    if negated and required and (not negatable or statement["Effect"] == "Allow"):
        raise MalformedPolicyError("Has prohibited field NotPrincipal")
    value = statement.get("NotPrincipal" if negated else "Principal")
    if not required:
        if value is not None:
            raise MalformedPolicyError("Policy document should not specify a principal.")
        return None
    if value is None:
        raise MalformedPolicyError("Missing required field Principal")
    if value == "*":
        return PrincipalElement(everyone=True, negated=negated)
    if not isinstance(value, dict):
        raise MalformedPolicyError(f'Invalid principal in policy: "STAR":"{value}"')
    if not value:
        raise MalformedPolicyError("Missing required field Principal cannot be empty!")
    return _named({kind: _names(kind, names) for kind, names in value.items()}, negated=negated)


def _names(kind: str, value: Any) -> tuple[str, ...]:
    names = [value] if isinstance(value, str) else value
    if kind not in _KINDS or not isinstance(names, list) or not names:
        raise MalformedPolicyError(SYNTAX)
    if not all(isinstance(name, str) for name in names):
        raise MalformedPolicyError(SYNTAX)
    return tuple(names)


def _named(names: Mapping[str, tuple[str, ...]], *, negated: bool) -> PrincipalElement:
    aws = names.get("AWS", ())
    for name in aws:
        if name != "*" and not account_of(name) and not _ARN.fullmatch(name):
            raise MalformedPolicyError(f'Invalid principal in policy: "AWS":"{name}"')
    for name in names.get("Service", ()):
        if not _SERVICE.fullmatch(name):
            raise MalformedPolicyError(f'Invalid principal in policy: "SERVICE":"{name}"')
    return PrincipalElement(
        everyone="*" in aws,
        accounts=frozenset(account for name in aws if (account := account_of(name))),
        arns=frozenset(name for name in aws if name != "*" and not account_of(name)),
        services=frozenset(names.get("Service", ())),
        federated=frozenset(names.get("Federated", ())),
        negated=negated,
    )
