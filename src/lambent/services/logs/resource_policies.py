"""PutResourcePolicy, DescribeResourcePolicies, DeleteResourcePolicy: policies of the account in a region.

They are kept for the tools that set them. Services of AWS write into the log groups of the account that they act for
without being let in, and other accounts do not write here.
"""

import asyncio
import json
from typing import Any

from lambent.base.clock import Clock
from lambent.model.caller import Caller, Parameters
from lambent.model.log_resource_policy import LogResourcePolicy
from lambent.services.logs import tokens
from lambent.services.logs.exceptions import (
    InvalidParameterException,
    LimitExceededException,
    ResourceNotFoundException,
)
from lambent.store.ports.errors import NotFoundError
from lambent.store.ports.named_records import Name, NamedRecords

_POLICIES_MOST = 10
_PAGE = 50
_NOT_OFFERED = ("resourceArn", "expectedRevisionId")
_ELEMENTS = (
    *("Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource"),
    "Condition",
)
_VERSION = "2008-10-17"
"""Of policies that do not say."""


class ResourcePolicyOperations:
    def __init__(self, records: NamedRecords[LogResourcePolicy], clock: Clock) -> None:
        self._records = records
        self._clock = clock
        self._changing = asyncio.Lock()

    async def put_resource_policy(self, caller: Caller, parameters: Parameters) -> Parameters:
        name = _named(caller, parameters)
        if "policyDocument" not in parameters:
            raise InvalidParameterException("policyDocument must be specified.")
        policy = LogResourcePolicy(
            document=parameters["policyDocument"], updated_ms=int(self._clock.now() * 1000)
        )
        _statements(policy.document)
        async with self._changing:
            previous = await self._records.get(name)
            if previous is not None:
                await self._records.replace(name, policy, previous=previous)
            else:
                held = await self._records.page(caller.account_id, caller.region, limit=_POLICIES_MOST)
                if len(held) >= _POLICIES_MOST:
                    raise LimitExceededException("Resource limit exceeded.")
                await self._records.insert(name, policy)
        return {"resourcePolicy": _described(name.name, policy, policy.document)}

    async def describe_resource_policies(self, caller: Caller, parameters: Parameters) -> Parameters:
        if parameters.get("resourceArn") or parameters.get("policyScope", "ACCOUNT") != "ACCOUNT":
            return {"resourcePolicies": []}
        limit = parameters.get("limit", _PAGE)
        after = tokens.decode(parameters["nextToken"], str) if "nextToken" in parameters else ""
        found = await self._records.page(caller.account_id, caller.region, after=("", after), limit=limit + 1)
        page: Parameters = {
            "resourcePolicies": [
                _described(name.name, policy, _rewritten(policy.document)) for name, policy in found[:limit]
            ]
        }
        if len(found) > limit:
            page["nextToken"] = tokens.encode(found[limit - 1][0].name)
        return page

    async def delete_resource_policy(self, caller: Caller, parameters: Parameters) -> Parameters:
        name = _named(caller, parameters)
        try:
            await self._records.delete(name)
        except NotFoundError:
            raise ResourceNotFoundException(f"Policy with name [{name.name}] does not exist.") from None
        return {}


def _named(caller: Caller, parameters: Parameters) -> Name:
    for member in _NOT_OFFERED:
        if member in parameters:
            raise InvalidParameterException(f"Lambent offers no resource policies with a {member}.")
    if not parameters.get("policyName"):
        raise InvalidParameterException("policyName must be specified.")
    return Name(caller.account_id, caller.region, "", parameters["policyName"])


def _described(name: str, policy: LogResourcePolicy, document: str) -> Parameters:
    return {
        "policyName": name,
        "policyDocument": document,
        "lastUpdatedTime": policy.updated_ms,
        "policyScope": "ACCOUNT",
    }


def _statements(document: str) -> list[dict[str, Any]]:
    """Raises InvalidParameterException."""
    try:
        statements = json.loads(document)["Statement"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise InvalidParameterException("The policy document is not a valid policy.") from None
    listed = statements if isinstance(statements, list) else [statements]
    for one in listed:
        if not isinstance(one, dict) or one.get("Effect") not in ("Allow", "Deny"):
            raise InvalidParameterException("The policy document is not a valid policy.")
    return listed


def _rewritten(document: str) -> str:
    """As AWS writes policies: elements in its order, lists of one as the one."""
    statements = [
        {element: _single(one[element]) for element in _ELEMENTS if element in one}
        for one in _statements(document)
    ]
    version = json.loads(document).get("Version", _VERSION)
    return json.dumps({"Version": version, "Statement": statements}, separators=(",", ":"))


def _single(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _single(item) for key, item in value.items()}
    return value[0] if isinstance(value, list) and len(value) == 1 else value
