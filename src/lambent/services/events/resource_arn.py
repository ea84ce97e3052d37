"""The ARN that each operation acts on, and the policy attached to a bus.

Source: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoneventbridge.html
"""

from collections.abc import Awaitable, Callable, Mapping

from lambent.model.caller import Caller, Parameters
from lambent.model.error import ServiceException
from lambent.model.event_bus import DEFAULT_BUS
from lambent.model.resource_policy import ResourcePolicy
from lambent.services.events.catalog import Catalog
from lambent.services.events.catalog import bus_of as bus_of_rule
from lambent.services.events.names import (
    arn_of_bus,
    bus_name,
    bus_of_arn,
    is_bus_arn,
    is_rule_arn,
    rule_of_arn,
)
from lambent.services.events.put_events import bus_arns

_OF_A_RULE = {
    "DeleteRule": "Name",
    "DescribeRule": "Name",
    "DisableRule": "Name",
    "EnableRule": "Name",
    "ListTargetsByRule": "Rule",
    "PutRule": "Name",
    "PutTargets": "Rule",
    "RemoveTargets": "Rule",
}
_OF_A_BUS = {
    "CreateEventBus": "Name",
    "DeleteEventBus": "Name",
    "DescribeEventBus": "Name",
    "ListRuleNamesByTarget": "EventBusName",
    "ListRules": "EventBusName",
    "PutPermission": "EventBusName",
    "RemovePermission": "EventBusName",
    "UpdateEventBus": "Name",
}
_LISTS = frozenset({"ListRules", "ListRuleNamesByTarget"})
"""For these AWS defines no resource, within an account."""
_OF_OTHERS = {
    "Archive": "archive",
    "Replay": "replay",
    "Connection": "connection",
    "ApiDestination": "api-destination",
}
_BY_ARN = frozenset({"ListTagsForResource", "TagResource", "UntagResource"})


def resource_arn(operation: str, caller: Caller, parameters: Parameters) -> str | tuple[str, ...]:
    try:
        return _resource_arn(operation, caller, parameters)
    except ServiceException:  # not an ARN where one should be: the operation says so
        return "*"


def _resource_arn(operation: str, caller: Caller, parameters: Parameters) -> str | tuple[str, ...]:
    if operation == "PutEvents":
        return bus_arns(caller, parameters)
    if (member := _OF_A_RULE.get(operation)) is not None:
        bus = bus_name(caller, parameters.get("EventBusName"))
        path = parameters[member] if bus.name == DEFAULT_BUS else f"{bus.name}/{parameters[member]}"
        return f"arn:{caller.partition}:events:{bus.region}:{bus.account_id}:rule/{path}"
    if (member := _OF_A_BUS.get(operation)) is not None:
        bus = bus_name(caller, parameters.get(member))
        own_list = operation in _LISTS and bus.account_id == caller.account_id
        return "*" if own_list else arn_of_bus(caller, bus)
    if operation in _BY_ARN:
        return str(parameters["ResourceARN"])
    for noun, kind in _OF_OTHERS.items():
        name = parameters.get(f"{noun}Name", parameters.get("Name"))
        if operation.endswith(noun) and name is not None:
            return f"arn:{caller.partition}:events:{caller.region}:{caller.account_id}:{kind}/{name}"
    return "*"


def bus_policies(catalog: Catalog) -> Callable[[str], Awaitable[ResourcePolicy | None]]:
    """Who owns a bus or a rule, and the bus's policy, which is its rules' too; other resources have none."""

    async def policy(arn: str) -> ResourcePolicy | None:
        if is_bus_arn(arn):
            bus = bus_of_arn(arn)
        elif is_rule_arn(arn):
            bus = bus_of_rule(rule_of_arn(arn))
        else:
            return None
        listener = await catalog.listener(bus)
        return listener.policy if listener else ResourcePolicy(account_id=bus.account_id, document=None)

    return policy


def condition_keys(operation: str, caller: Caller, parameters: Parameters) -> Mapping[str, str]:
    """Of PutEvents, where all entries agree."""
    if operation != "PutEvents":
        return {}
    keys = {"events:source": "Source", "events:detail-type": "DetailType"}
    found = {key: {entry.get(member) for entry in parameters["Entries"]} for key, member in keys.items()}
    return {key: values.pop() for key, values in found.items() if len(values) == 1 and None not in values}


def open_to_root(catalog: Catalog) -> Callable[[str, Caller, Parameters], bool]:
    """Events for buses of one's own account that have no policies of their own."""

    def is_open(operation: str, caller: Caller, parameters: Parameters) -> bool:
        if operation != "PutEvents":
            return False
        for entry in parameters["Entries"]:
            name = entry.get("EventBusName")
            if name is not None and name.startswith("arn:"):
                return False
            known = catalog.known(bus_name(caller, name))
            if known is None or known.bus.policy is not None:
                return False
        return True

    return is_open
