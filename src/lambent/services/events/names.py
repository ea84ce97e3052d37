"""Buses and rules as requests name them, and their ARNs."""

from lambent.base.arn import Arn
from lambent.model.caller import Caller
from lambent.model.event_bus import DEFAULT_BUS, bus_arn
from lambent.services.events.errors import invalid
from lambent.store.ports.named_records import Name

_BUS = "event-bus/"
_RULE = "rule/"


def bus_name(caller: Caller, given: str | None) -> Name:
    """Of a name or an ARN. Raises ValidationException for an ARN of something else."""
    if given is None or not given.startswith("arn:"):
        return Name(caller.account_id, caller.region, "", given or DEFAULT_BUS)
    return bus_of_arn(given)


def bus_of_arn(text: str, parameter: str = "EventBusName") -> Name:
    """Raises ValidationException."""
    arn = parse_arn(text, parameter)
    if arn.service != "events" or not arn.resource.startswith(_BUS):
        raise invalid(parameter, "Provided Arn is not in correct format.")
    return Name(arn.account_id, arn.region, "", arn.resource.removeprefix(_BUS))


def rule_name(bus: Name, rule: str) -> Name:
    return Name(bus.account_id, bus.region, bus.name, rule)


def rule_of_arn(text: str) -> Name:
    """Raises ValidationException."""
    arn = parse_arn(text, "ResourceARN")
    if arn.service != "events" or not arn.resource.startswith(_RULE):
        raise invalid("ResourceARN", "Provided Arn is not in correct format.")
    bus, _, rule = arn.resource.removeprefix(_RULE).rpartition("/")
    return Name(arn.account_id, arn.region, bus or DEFAULT_BUS, rule)


def is_bus_arn(text: str) -> bool:
    parts = text.split(":", 5)
    return len(parts) == 6 and parts[2] == "events" and parts[5].startswith(_BUS)


def is_rule_arn(text: str) -> bool:
    parts = text.split(":", 5)
    return len(parts) == 6 and parts[2] == "events" and parts[5].startswith(_RULE)


def arn_of_bus(caller: Caller, bus: Name) -> str:
    return bus_arn(caller.partition, bus.region, bus.account_id, bus.name)


def parse_arn(text: str, parameter: str) -> Arn:
    """Raises ValidationException."""
    try:
        return Arn.parse(text)
    except ValueError:
        raise invalid(parameter, "Provided Arn is not in correct format.") from None
