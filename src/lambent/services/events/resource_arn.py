"""The ARN that each operation acts on, and the policy attached to a bus.

Source: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoneventbridge.html
"""

from collections.abc import Awaitable, Callable

from lambent.model.caller import Caller, Parameters
from lambent.model.error import ServiceException
from lambent.model.event_bus import DEFAULT_BUS
from lambent.model.resource_policy import ResourcePolicy
from lambent.services.events.catalog import Catalog
from lambent.services.events.names import arn_of_bus, bus_name, bus_of_arn, is_bus_arn
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
    "PutPermission": "EventBusName",
    "RemovePermission": "EventBusName",
    "UpdateEventBus": "Name",
}
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
        return arn_of_bus(caller, bus_name(caller, parameters.get(member)))
    if operation in _BY_ARN:
        return str(parameters["ResourceARN"])
    for noun, kind in _OF_OTHERS.items():
        name = parameters.get(f"{noun}Name", parameters.get("Name"))
        if operation.endswith(noun) and name is not None:
            return f"arn:{caller.partition}:events:{caller.region}:{caller.account_id}:{kind}/{name}"
    return "*"


def bus_policies(catalog: Catalog) -> Callable[[str], Awaitable[ResourcePolicy | None]]:
    """Who owns a bus, and its policy; other resources have none."""

    async def policy(arn: str) -> ResourcePolicy | None:
        if not is_bus_arn(arn):
            return None
        bus = bus_of_arn(arn)
        listener = await catalog.listener(bus)
        if listener is None:
            return None
        return ResourcePolicy(account_id=bus.account_id, document=listener.bus.policy)

    return policy
