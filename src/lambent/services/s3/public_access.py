"""Whether a bucket policy lets the public in, and what Block Public Access leaves of one that does.

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
"""

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from lambent.model.bucket import Bucket

_FIXED = frozenset(
    {
        "aws:sourcearn",
        "aws:sourcevpc",
        "aws:sourcevpce",
        "aws:sourceowner",
        "aws:sourceaccount",
        "aws:sourceip",
        "aws:userid",
        "aws:principalorgid",
        "aws:principalaccount",
        "aws:principalarn",
        "s3:dataaccesspointaccount",
        "s3:dataaccesspointarn",
    }
)
"""Condition keys by which a statement for everybody is not for the public, where they compare with fixed values."""


def effective_policy(bucket: Bucket) -> str | None:
    """What decides. RestrictPublicBuckets leaves a public policy to AWS services and to the owner's account."""
    block = bucket.configurations.get("PublicAccessBlockConfiguration") or {}
    if bucket.policy is None or not block.get("RestrictPublicBuckets"):
        return bucket.policy
    return _restricted(bucket.policy, bucket.account_id)


@lru_cache(maxsize=1024)
def _restricted(policy: str, account_id: str) -> str:
    if not is_public(policy):
        return policy
    document = json.loads(policy)
    strangers = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": "*",
        "Condition": {
            "StringNotEquals": {"aws:PrincipalAccount": account_id},
            "Bool": {"aws:PrincipalIsAWSService": "false"},
        },
    }
    return json.dumps({**document, "Statement": [*statements_of(document), strangers]})


def is_public(policy: str) -> bool:
    """Whether it allows something to everybody."""
    return any(opens_to_public(statement) for statement in statements_of(json.loads(policy)))


def opens_to_public(statement: Mapping[str, Any]) -> bool:
    if statement["Effect"] != "Allow":
        return False
    if "NotPrincipal" not in statement:
        principal = statement["Principal"]
        named = texts_of(principal.get("AWS", [])) if isinstance(principal, dict) else [principal]
        if not any("*" in one for one in named):
            return False
    return not any(
        key.lower() in _FIXED
        and not operator.endswith("IfExists")
        and "Not" not in operator
        and all(not _is_open(str(value)) for value in texts_of(values))
        for operator, keys in statement.get("Condition", {}).items()
        for key, values in keys.items()
    )


def _is_open(value: str) -> bool:
    return "*" in value or "${" in value or value in ("0.0.0.0/0", "::/0")


def statements_of(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    statements = document["Statement"]
    return [statements] if isinstance(statements, dict) else list(statements)


def texts_of(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
