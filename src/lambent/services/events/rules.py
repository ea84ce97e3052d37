"""Rules: PutRule, DescribeRule, ListRules, EnableRule, DisableRule, DeleteRule, ListRuleNamesByTarget."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from lambent.base.clock import Clock
from lambent.model.caller import Caller, Parameters, PassRole
from lambent.model.error import ValidationException
from lambent.model.event_bus import DEFAULT_BUS, Rule
from lambent.model.service import Operation
from lambent.services.events.archive_rules import rule_of
from lambent.services.events.catalog import Catalog
from lambent.services.events.courier import SERVICE
from lambent.services.events.errors import ManagedRuleException, no_bus
from lambent.services.events.names import bus_name, rule_name
from lambent.services.events.pages import cut, limit, page, position
from lambent.services.events.put_events import compiled_pattern
from lambent.services.events.rule_schedules import check_schedule, next_time
from lambent.services.events.tags import parse_tags
from lambent.store.ports.named_records import Name


class Rules:
    """`wake` is called when a schedule may be due earlier than before."""

    def __init__(self, catalog: Catalog, pass_role: PassRole, clock: Clock, wake: Callable[[], None]) -> None:
        self._catalog = catalog
        self._pass_role = pass_role
        self._clock = clock
        self._wake = wake

    def operations(self) -> Mapping[str, Operation]:
        return {
            "PutRule": self.put,
            "DescribeRule": self.describe,
            "ListRules": self.list,
            "EnableRule": self.enable,
            "DisableRule": self.disable,
            "DeleteRule": self.delete,
            "ListRuleNamesByTarget": self.list_names_by_target,
        }

    async def put(self, caller: Caller, parameters: Parameters) -> Parameters:
        bus = bus_name(caller, parameters.get("EventBusName"))
        await self._catalog.require_bus(bus)
        _check(bus, parameters)
        if "RoleArn" in parameters:
            await self._pass_role(caller, parameters["RoleArn"], SERVICE)
        now = self._clock.now()
        rule = Rule(
            account_id=bus.account_id,
            region=bus.region,
            bus=bus.name,
            name=parameters["Name"],
            event_pattern=parameters.get("EventPattern") or None,
            schedule_expression=parameters.get("ScheduleExpression") or None,
            state=parameters.get("State", "ENABLED"),
            description=parameters.get("Description"),
            role_arn=parameters.get("RoleArn"),
            managed_by=caller.service,
            created_by=caller.account_id,
            tags=parse_tags(parameters.get("Tags", ())),
            scheduled_from=now,
        )
        key = rule_name(bus, rule.name)
        if (managed := await self._catalog.archive_rule(key)) is not None:
            require_own(managed, by=caller.service)
        if not await self._catalog.insert_rule(key, rule, next_time(rule, now)):
            await self._replace(key, rule, now)
        self._wake()
        return {"RuleArn": rule.arn(caller.partition)}

    async def _replace(self, key: Name, rule: Rule, now: float) -> None:
        """What was not given is gone, but targets and tags stay, and a schedule that is the same counts on."""

        def edit(old: Rule) -> Rule:
            require_own(old, by=rule.managed_by)
            unchanged = old.schedule_expression == rule.schedule_expression and old.enabled
            return replace(
                rule,
                targets=old.targets,
                tags=old.tags,
                created_by=old.created_by,
                managed_by=old.managed_by,
                scheduled_from=old.scheduled_from if unchanged else now,
            )

        await self._catalog.change_rule(key, edit, lambda changed: next_time(changed, now))

    async def describe(self, caller: Caller, parameters: Parameters) -> Parameters:
        rule = await self._catalog.require_rule(_key(caller, parameters))
        return {**_listed(rule, caller), "CreatedBy": rule.created_by}

    async def list(self, caller: Caller, parameters: Parameters) -> Parameters:
        bus = bus_name(caller, parameters.get("EventBusName"))
        await self._catalog.require_bus(bus)
        found = await self._catalog.rules.page(
            bus.account_id,
            bus.region,
            parent=bus.name,
            prefix=parameters.get("NamePrefix", ""),
            after=(bus.name, position(parameters)),
            limit=limit(parameters) + 1,
        )
        every = [*(rule for _, rule in found), *await self._of_archives(bus, parameters)]
        rules, paging = cut(parameters, sorted(every, key=_name), _name)
        return {"Rules": [_listed(rule, caller) for rule in rules], **paging}

    async def _of_archives(self, bus: Name, parameters: Parameters) -> Sequence[Rule]:
        found = [rule_of(archive) for archive in await self._catalog.archives_of(bus)]
        prefix, after = parameters.get("NamePrefix", ""), position(parameters)
        return [rule for rule in found if rule.name.startswith(prefix) and rule.name > after]

    async def enable(self, caller: Caller, parameters: Parameters) -> Parameters:
        now = self._clock.now()

        def edit(rule: Rule) -> Rule:
            require_own(rule, by=caller.service)
            return rule if rule.enabled else replace(rule, state="ENABLED", scheduled_from=now)

        await self._catalog.change_rule(_key(caller, parameters), edit, lambda rule: next_time(rule, now))
        self._wake()
        return {}

    async def disable(self, caller: Caller, parameters: Parameters) -> Parameters:
        def edit(rule: Rule) -> Rule:
            require_own(rule, by=caller.service)
            return replace(rule, state="DISABLED")

        await self._catalog.change_rule(_key(caller, parameters), edit, lambda rule: None)
        return {}

    async def delete(self, caller: Caller, parameters: Parameters) -> Parameters:
        key = _key(caller, parameters)
        rule = await self._catalog.find_rule(key)
        if rule is None:
            if await self._catalog.bus(Name(key.account_id, key.region, "", key.parent)) is None:
                raise no_bus(key.parent)
            return {}
        if not parameters.get("Force"):
            require_own(rule, by=caller.service)
        if rule.targets:
            raise ValidationException("Rule can't be deleted since it has targets.")
        await self._catalog.delete_rule(key)
        return {}

    async def list_names_by_target(self, caller: Caller, parameters: Parameters) -> Parameters:
        bus = bus_name(caller, parameters.get("EventBusName"))
        await self._catalog.require_bus(bus)
        arn = parameters["TargetArn"]
        names = [
            rule.name
            for rule in await self._catalog.rules_of(bus)
            if any(target["Arn"] == arn for target in rule.targets.values())
        ]
        found, paging = page(parameters, names, str)
        return {"RuleNames": list(found), **paging}


def _check(bus: Name, parameters: Parameters) -> None:
    pattern, schedule = parameters.get("EventPattern"), parameters.get("ScheduleExpression")
    if not pattern and not schedule:
        raise ValidationException("Parameter(s) EventPattern or ScheduleExpression must be specified.")
    if pattern:
        compiled_pattern(pattern)
    if schedule:
        if bus.name != DEFAULT_BUS:
            raise ValidationException("ScheduleExpression is supported only on the default event bus.")
        check_schedule(schedule)


def require_own(rule: Rule, *, by: str | None) -> None:
    """Raises ManagedRuleException for a rule that a service made for itself, unless it is that service."""
    if rule.managed_by is not None and rule.managed_by != by:
        raise ManagedRuleException(
            f"Rule {rule.name} is managed by {rule.managed_by} and can only be changed by it."
        )


def _name(rule: Rule) -> str:
    return rule.name


def _key(caller: Caller, parameters: Parameters) -> Name:
    return rule_name(bus_name(caller, parameters.get("EventBusName")), parameters["Name"])


def _listed(rule: Rule, caller: Caller) -> Parameters:
    members: Parameters = {"Name": rule.name, "Arn": rule.arn(caller.partition)}
    optional = {
        "EventPattern": rule.event_pattern,
        "State": rule.state,
        "Description": rule.description,
        "ScheduleExpression": rule.schedule_expression,
        "RoleArn": rule.role_arn,
        "ManagedBy": rule.managed_by,
        "EventBusName": rule.bus,
    }
    members.update({name: value for name, value in optional.items() if value is not None})
    return members
