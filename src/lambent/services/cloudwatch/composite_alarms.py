"""PutCompositeAlarm.

Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html
"""

from lambent.model.alarm import ACTIONS, COMPOSITE, Alarm
from lambent.model.caller import Caller, Parameters
from lambent.model.error import ValidationException
from lambent.services.cloudwatch.alarm_changes import name_in
from lambent.services.cloudwatch.alarm_rule import AlarmRuleError, parse_rule
from lambent.services.cloudwatch.alarm_settings import require_action
from lambent.services.cloudwatch.errors import InvalidParameterValueException
from lambent.store.ports.named_records import Name, NamedRecords

SETTINGS = (
    "AlarmDescription",
    "ActionsEnabled",
    *ACTIONS,
    "AlarmRule",
    "ActionsSuppressor",
    "ActionsSuppressorWaitPeriod",
    "ActionsSuppressorExtensionPeriod",
)
_PERIODS = ("ActionsSuppressorWaitPeriod", "ActionsSuppressorExtensionPeriod")
_CHILDREN_MOST = 100


async def check_composite(alarms: NamedRecords[Alarm], caller: Caller, parameters: Parameters) -> None:
    """Raises ValidationException, InvalidParameterValueException."""
    if "ActionConfiguration" in parameters:
        raise InvalidParameterValueException("Lambent does not offer ActionConfiguration yet.")
    for name in ACTIONS:
        for action in parameters.get(name, ()):
            require_action(action)
    try:
        named = parse_rule(parameters["AlarmRule"]).alarms
    except AlarmRuleError as error:
        raise ValidationException(f"Error in AlarmRule [{error}]") from None
    if len(named) > _CHILDREN_MOST:
        raise ValidationException(f"AlarmRule must not name more than {_CHILDREN_MOST} alarms.")
    missing = [name for name in named if not await _exists(alarms, caller, name)]
    if missing:
        listed = ", ".join(missing)
        raise ValidationException(
            f"Could not save the composite alarm as alarms [{listed}] in the alarm rule do not exist"
        )
    await _check_suppressor(alarms, caller, parameters)


async def _check_suppressor(alarms: NamedRecords[Alarm], caller: Caller, parameters: Parameters) -> None:
    suppressor = parameters.get("ActionsSuppressor")
    for name in _PERIODS:
        if (suppressor is None) == (name in parameters):
            raise ValidationException(
                "ActionsSuppressor, ActionsSuppressorWaitPeriod and ActionsSuppressorExtensionPeriod must be "
                "specified together"
            )
        if parameters.get(name, 0) < 0:
            raise ValidationException(f"{name} must not be negative")
    if suppressor is not None and not await _exists(alarms, caller, suppressor):
        raise ValidationException(
            f"Could not save the composite alarm as the actions suppressor [{suppressor}] does not exist"
        )


async def _exists(alarms: NamedRecords[Alarm], caller: Caller, reference: str) -> bool:
    name = name_in(reference)
    for parent in ("", COMPOSITE):
        if await alarms.get(Name(caller.account_id, caller.region, parent, name)) is not None:
            return True
    return False
