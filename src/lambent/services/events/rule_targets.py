"""Targets of rules: PutTargets, RemoveTargets, ListTargetsByRule.

Source: https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutTargets.html
"""

from collections.abc import Mapping
from dataclasses import replace

from lambent.model.caller import Caller, Parameters, PassRole
from lambent.model.error import ValidationException
from lambent.model.event_bus import Rule
from lambent.model.input_template import InvalidInputError, makes_json
from lambent.model.json_path import InvalidPathError, dynamic, parse_path
from lambent.model.service import Operation
from lambent.services.events.catalog import Catalog
from lambent.services.events.courier import SERVICE, is_target
from lambent.services.events.errors import LimitExceededException, invalid, not_offered
from lambent.services.events.log_target import is_log_group
from lambent.services.events.names import bus_name, parse_arn, rule_name
from lambent.services.events.pages import page
from lambent.services.events.rules import require_own
from lambent.services.events.target_input import check_input
from lambent.store.ports.named_records import Name

_TARGETS_MOST = 5
_AGE_LEAST_SECONDS = 60


class RuleTargets:
    def __init__(self, catalog: Catalog, pass_role: PassRole) -> None:
        self._catalog = catalog
        self._pass_role = pass_role

    def operations(self) -> Mapping[str, Operation]:
        return {
            "PutTargets": self.put,
            "RemoveTargets": self.remove,
            "ListTargetsByRule": self.list,
        }

    async def put(self, caller: Caller, parameters: Parameters) -> Parameters:
        key = _key(caller, parameters)
        await self._catalog.require_rule(key)
        added = {target["Id"]: target for target in parameters["Targets"]}
        for target in parameters["Targets"]:
            _check(target)
            if "RoleArn" in target:
                await self._pass_role(caller, target["RoleArn"], SERVICE)

        def edit(rule: Rule) -> Rule:
            require_own(rule, by=caller.service)
            targets = {**rule.targets, **added}
            if len(targets) > _TARGETS_MOST:
                raise LimitExceededException("The requested resource exceeds the maximum number allowed.")
            return replace(rule, targets=targets)

        await self._catalog.change_rule(key, edit)
        return {"FailedEntryCount": 0, "FailedEntries": []}

    async def remove(self, caller: Caller, parameters: Parameters) -> Parameters:
        gone = set(parameters["Ids"])

        def edit(rule: Rule) -> Rule:
            if not parameters.get("Force"):
                require_own(rule, by=caller.service)
            return replace(
                rule, targets={id: target for id, target in rule.targets.items() if id not in gone}
            )

        await self._catalog.change_rule(_key(caller, parameters), edit)
        return {"FailedEntryCount": 0, "FailedEntries": []}

    async def list(self, caller: Caller, parameters: Parameters) -> Parameters:
        rule = await self._catalog.require_rule(_key(caller, parameters))
        targets, paging = page(parameters, list(rule.targets.values()), lambda target: str(target["Id"]))
        return {"Targets": list(targets), **paging}


def _key(caller: Caller, parameters: Parameters) -> Name:
    return rule_name(bus_name(caller, parameters.get("EventBusName")), parameters["Rule"])


def _check(target: Parameters) -> None:
    """Raises ValidationException."""
    id, arn = target["Id"], parse_arn(target["Arn"], target["Arn"])
    try:
        check_input(target)
    except InvalidInputError as error:
        raise ValidationException(str(error).replace("{id}", id)) from None
    transformer = target.get("InputTransformer")
    if is_log_group(arn) and transformer and not makes_json(transformer["InputTemplate"]):
        raise ValidationException(f"Input for target {id} is not a valid JSON text.")
    if not is_target(arn):
        raise not_offered(f"targets like {target['Arn']}")
    for path in dynamic(target.get("HttpParameters") or {}):
        try:
            parse_path(path)
        except InvalidPathError:
            raise invalid("HttpParameters", f"{path} is not a JSON path.") from None
    group = (target.get("SqsParameters") or {}).get("MessageGroupId")
    if arn.service == "sqs" and arn.resource.endswith(".fifo") and not group:
        raise ValidationException(f"Parameter(s) SqsParameters must be specified for target: {id}.")
    dead_letters = (target.get("DeadLetterConfig") or {}).get("Arn")
    if dead_letters is not None and parse_arn(dead_letters, "DeadLetterConfig.Arn").service != "sqs":
        raise invalid("DeadLetterConfig.Arn", "The dead-letter queue must be an Amazon SQS queue.")
