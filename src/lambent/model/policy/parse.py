"""From JSON text to a policy document, refusing what the grammar does not allow in AWS's words."""

import json
from collections.abc import Mapping
from enum import Enum
from typing import Any, NoReturn

from lambent.model.policy.condition import Condition, condition
from lambent.model.policy.document import Element, PolicyDocument, Statement
from lambent.model.policy.malformed import LEGACY, SYNTAX, MalformedPolicyError
from lambent.model.policy.parse_action import parse_action
from lambent.model.policy.parse_principal import parse_principal
from lambent.model.policy.parse_resource import parse_resource

CURRENT_VERSION = "2012-10-17"
_VERSIONS = ("2008-10-17", CURRENT_VERSION)
_MEMBERS = {"Version", "Id", "Statement"}
_STATEMENT_MEMBERS = {
    "Sid",
    "Effect",
    "Principal",
    "NotPrincipal",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Condition",
}


class PolicyKind(Enum):
    """Where a document is used, which decides what it must and must not contain."""

    IDENTITY = "identity-based policy, boundary or session policy: no principal"
    TRUST = "a role's trust policy: principals, no resources"
    RESOURCE = "resource-based policy: both"


def parse_policy(text: str, kind: PolicyKind) -> PolicyDocument:
    """Raises MalformedPolicyError."""
    members = _members(text, kind)
    version = members.get("Version", _VERSIONS[0])
    if version not in _VERSIONS:
        _refuse()
    if "Id" in members and not isinstance(members["Id"], str):
        _refuse()
    statements = _statements(members.get("Statement"))
    if kind is PolicyKind.IDENTITY and version != CURRENT_VERSION:
        raise MalformedPolicyError(f"Policy document must be version {CURRENT_VERSION} or greater.")
    _check_effects(statements)
    _check_sids(statements)
    return PolicyDocument(
        version=version,
        statements=tuple(_statement(one, kind, variables=version == CURRENT_VERSION) for one in statements),
    )


def _members(text: str, kind: PolicyKind) -> Mapping[str, Any]:
    try:
        members = json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse)
    except (ValueError, RecursionError):
        message = "This policy contains invalid Json" if kind is PolicyKind.TRUST else SYNTAX
        raise MalformedPolicyError(message) from None
    if not isinstance(members, dict) or not members.keys() <= _MEMBERS:
        _refuse()
    return members


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise MalformedPolicyError(SYNTAX)
    return members


def _statements(value: Any) -> list[Mapping[str, Any]]:
    statements = [value] if isinstance(value, dict) else value
    if not isinstance(statements, list) or not statements:
        _refuse()
    for statement in statements:
        if not isinstance(statement, dict) or not statement.keys() <= _STATEMENT_MEMBERS:
            _refuse()
        if not isinstance(statement.get("Effect"), str) or not isinstance(statement.get("Sid", ""), str):
            _refuse()
        for member in ("Action", "Resource", "Principal"):
            if member in statement and f"Not{member}" in statement:
                _refuse()
    return statements


def _check_effects(statements: list[Mapping[str, Any]]) -> None:
    for statement in statements:
        if statement["Effect"] not in ("Allow", "Deny"):
            known = statement["Effect"].lower() in ("allow", "deny")
            raise MalformedPolicyError(LEGACY if known else SYNTAX)


def _check_sids(statements: list[Mapping[str, Any]]) -> None:
    sids = [statement["Sid"] for statement in statements if statement.get("Sid")]
    if len(set(sids)) != len(sids):
        raise MalformedPolicyError("Statement IDs (SID) in a single policy must be unique.")


def _statement(members: Mapping[str, Any], kind: PolicyKind, *, variables: bool) -> Statement:
    conditions = _conditions(members.get("Condition", {}), variables=variables)
    action = _element(members, "Action", parse_action, "Policy statement must contain actions.")
    return Statement(
        sid=members.get("Sid") or None,
        effect=members["Effect"],
        action=action,
        resource=_resource(members, kind, variables=variables),
        principal=parse_principal(
            members, required=kind is not PolicyKind.IDENTITY, negatable=kind is PolicyKind.RESOURCE
        ),
        conditions=conditions,
    )


def _resource(members: Mapping[str, Any], kind: PolicyKind, *, variables: bool) -> Element | None:
    if kind is PolicyKind.TRUST:
        if "Resource" in members or "NotResource" in members:
            raise MalformedPolicyError("Has prohibited field Resource")
        return None

    def parse(text: str) -> Any:
        return parse_resource(text, variables=variables)

    return _element(members, "Resource", parse, "Policy statement must contain resources.")


def _element(members: Mapping[str, Any], name: str, parse: Any, missing: str) -> Element:
    negated = f"Not{name}" in members
    texts = _texts(members.get(f"Not{name}" if negated else name, []))
    if not texts:
        raise MalformedPolicyError(missing)
    return Element.of([parse(text) for text in texts], ignore_case=name == "Action", negated=negated)


def _texts(value: Any) -> list[str]:
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        _refuse()
    return texts


def _conditions(block: Any, *, variables: bool) -> tuple[Condition, ...]:
    if not isinstance(block, dict) or not all(isinstance(keys, dict) for keys in block.values()):
        _refuse()
    return tuple(
        condition(operator, key, _values(values), variables=variables)
        for operator, keys in block.items()
        for key, values in keys.items()
    )


def _values(value: Any) -> tuple[str, ...]:
    values = value if isinstance(value, list) else [value]
    texts = []
    for one in values:
        if isinstance(one, bool):
            texts.append("true" if one else "false")
        elif isinstance(one, str | int | float):
            texts.append(str(one))
        else:
            _refuse()
    return tuple(texts)


def _refuse(_: str = "") -> NoReturn:
    raise MalformedPolicyError(SYNTAX)
