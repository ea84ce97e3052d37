"""Policies of event buses: PutPermission, RemovePermission.

Source: https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutPermission.html
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from lambent.model.caller import Caller, Parameters
from lambent.model.error import ValidationException
from lambent.model.event_bus import EventBus
from lambent.model.policy import MalformedPolicyError, PolicyKind, parse_policy
from lambent.model.service import Operation
from lambent.services.events.bus_policy import policy_statements
from lambent.services.events.catalog import Catalog
from lambent.services.events.errors import (
    PolicyLengthExceededException,
    ResourceNotFoundException,
    invalid,
)
from lambent.services.events.names import arn_of_bus, bus_name

_VERSION = "2012-10-17"
_LENGTH_MOST = 10_240
_REQUIRED = ("Action", "Principal", "StatementId")


class Permissions:
    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def operations(self) -> Mapping[str, Operation]:
        return {"PutPermission": self.put_permission, "RemovePermission": self.remove_permission}

    async def put_permission(self, caller: Caller, parameters: Parameters) -> Parameters:
        bus = bus_name(caller, parameters.get("EventBusName"))
        if "Policy" in parameters:
            policy = parameters["Policy"]
            _require_policy(policy)
            await self._catalog.change_bus(bus, lambda old: replace(old, policy=policy))
            return {}
        for name in _REQUIRED:
            if name not in parameters:
                raise invalid(name, f"{name} is a required argument.")
        statement = _statement(caller, parameters, arn_of_bus(caller, bus))

        def edit(old: EventBus) -> EventBus:
            others = [each for each in policy_statements(old.policy) if each.get("Sid") != statement["Sid"]]
            text = _text([*others, statement])
            _require_policy(text)
            return replace(old, policy=text)

        await self._catalog.change_bus(bus, edit)
        return {}

    async def remove_permission(self, caller: Caller, parameters: Parameters) -> Parameters:
        bus = bus_name(caller, parameters.get("EventBusName"))

        def edit(old: EventBus) -> EventBus:
            if parameters.get("RemoveAllPermissions"):
                return replace(old, policy=None)
            statements = policy_statements(old.policy)
            remaining = [each for each in statements if each.get("Sid") != parameters.get("StatementId")]
            if len(remaining) == len(statements):
                raise ResourceNotFoundException("Statement with the provided id does not exist.")
            return replace(old, policy=_text(remaining) if remaining else None)

        await self._catalog.change_bus(bus, edit)
        return {}


def _statement(caller: Caller, parameters: Parameters, bus_arn: str) -> dict[str, Any]:
    principal = parameters["Principal"]
    statement: dict[str, Any] = {
        "Sid": parameters["StatementId"],
        "Effect": "Allow",
        "Principal": "*" if principal == "*" else {"AWS": f"arn:{caller.partition}:iam::{principal}:root"},
        "Action": parameters["Action"],
        "Resource": bus_arn,
    }
    if condition := parameters.get("Condition"):
        statement["Condition"] = {condition["Type"]: {condition["Key"]: condition["Value"]}}
    return statement


def _text(statements: list[dict[str, Any]]) -> str:
    return json.dumps({"Version": _VERSION, "Statement": statements}, separators=(",", ":"))


def _require_policy(text: str) -> None:
    if len(text) > _LENGTH_MOST:
        raise PolicyLengthExceededException("Policy length exceeded.")
    try:
        parse_policy(text, PolicyKind.RESOURCE)
    except MalformedPolicyError as error:
        raise ValidationException(f"Parameter Policy is not valid. Reason: {error}") from None
