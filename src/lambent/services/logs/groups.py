"""Log groups."""

import asyncio
from collections.abc import Callable

from lambent.base.clock import Clock
from lambent.model.caller import Caller, Parameters
from lambent.services.logs import tokens
from lambent.services.logs.arns import group_arn, group_name
from lambent.services.logs.exceptions import (
    InvalidParameterException,
    ResourceAlreadyExistsException,
    ResourceNotFoundException,
)
from lambent.services.logs.group_filter import group_filter
from lambent.services.logs.metric_filters.known import KnownMetricFilters
from lambent.services.logs.subscriptions.known import KnownSubscriptions
from lambent.store.ports.errors import AlreadyExistsError, NotFoundError
from lambent.store.ports.logs import LogGroup, LogStore

_DESCRIBE_MOST = 50
_LIST_DEFAULT = 50
_STANDARD = "STANDARD"


class Groups:
    """Log groups as the operations find and change them: one change at a time, so that none is lost."""

    def __init__(self, store: LogStore) -> None:
        self._store = store
        self._changing = asyncio.Lock()

    async def require(self, caller: Caller, name: str) -> LogGroup:
        """Raises ResourceNotFoundException."""
        group = await self._store.get_group(caller.account_id, caller.region, name)
        if group is None:
            raise ResourceNotFoundException.group()
        return group

    async def change(self, caller: Caller, name: str, changed: Callable[[LogGroup], LogGroup]) -> None:
        """Raises ResourceNotFoundException, and what `changed` raises."""
        async with self._changing:
            group = await self.require(caller, name)
            try:
                await self._store.replace_group(changed(group))
            except NotFoundError:
                raise ResourceNotFoundException.group() from None


class GroupOperations:
    def __init__(
        self,
        store: LogStore,
        groups: Groups,
        metric_filters: KnownMetricFilters,
        subscriptions: KnownSubscriptions,
        clock: Clock,
    ) -> None:
        self._store = store
        self._groups = groups
        self._metric_filters = metric_filters
        self._subscriptions = subscriptions
        self._clock = clock

    async def create_log_group(self, caller: Caller, parameters: Parameters) -> Parameters:
        name = parameters["logGroupName"]
        if name.startswith("aws/"):
            raise InvalidParameterException("Log group names can't start with the string aws/")
        _refuse_unsupported(parameters)
        group = LogGroup(
            account_id=caller.account_id,
            region=caller.region,
            name=name,
            created_ms=int(self._clock.now() * 1000),
            tags=parameters.get("tags", {}),
        )
        try:
            await self._store.insert_group(group)
        except AlreadyExistsError:
            raise ResourceAlreadyExistsException("The specified log group already exists") from None
        return {}

    async def delete_log_group(self, caller: Caller, parameters: Parameters) -> Parameters:
        group = await self._groups.require(caller, parameters["logGroupName"])
        # First, so that a group of the same name never has filters that were another's.
        key = caller.account_id, caller.region, group.name
        await self._metric_filters.delete_group(key)
        await self._subscriptions.delete_group(key)
        try:
            await self._store.delete_group(caller.account_id, caller.region, group.name)
        except NotFoundError:
            raise ResourceNotFoundException.group() from None
        return {}

    async def describe_log_groups(self, caller: Caller, parameters: Parameters) -> Parameters:
        _refuse_linked_accounts(parameters)
        if identifiers := parameters.get("logGroupIdentifiers"):
            return {"logGroups": await self._identified(caller, identifiers, parameters)}
        prefix, pattern = parameters.get("logGroupNamePrefix", ""), parameters.get("logGroupNamePattern", "")
        if prefix and pattern:
            raise InvalidParameterException(
                "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters."
            )
        limit = parameters.get("limit", _DESCRIBE_MOST)
        groups: list[LogGroup] = []
        if parameters.get("logGroupClass", _STANDARD) == _STANDARD:  # there are no groups of other classes
            groups = await self._page(caller, parameters, limit, prefix=prefix, pattern=pattern)
        described = [self._described(caller, group) for group in groups[:limit]]
        if pattern:  # AWS answers these from an index that knows less of each group
            for group in described:
                del group["storedBytes"], group["deletionProtectionEnabled"]
        return _page_of(described, groups, limit)

    async def list_log_groups(self, caller: Caller, parameters: Parameters) -> Parameters:
        _refuse_linked_accounts(parameters)
        for filter_name in ("dataSources", "fieldIndexNames"):
            if filter_name in parameters:
                raise InvalidParameterException(f"Lambent does not index log groups by {filter_name}.")
        limit = parameters.get("limit", _LIST_DEFAULT)
        accepts = group_filter(parameters)
        found: list[LogGroup] = []
        after = _after(parameters)
        while len(found) <= limit:
            groups = await self._store.page_groups(
                caller.account_id, caller.region, prefix="", pattern="", after=after, limit=limit + 1
            )
            found.extend(filter(accepts, groups))
            if len(groups) <= limit:
                break
            after = groups[-1].name
        summaries = [
            {
                "logGroupName": group.name,
                "logGroupArn": group_arn(caller, group.name),
                "logGroupClass": group.log_group_class,
            }
            for group in found[:limit]
        ]
        return _page_of(summaries, found, limit)

    async def _page(
        self, caller: Caller, parameters: Parameters, limit: int, *, prefix: str, pattern: str
    ) -> list[LogGroup]:
        """One more than `limit`, if there is one more."""
        return list(
            await self._store.page_groups(
                caller.account_id,
                caller.region,
                prefix=prefix,
                pattern=pattern,
                after=_after(parameters),
                limit=limit + 1,
            )
        )

    async def _identified(
        self, caller: Caller, identifiers: list[str], parameters: Parameters
    ) -> list[Parameters]:
        allowed = {"logGroupIdentifiers", "includeLinkedAccounts"}
        if parameters.keys() - allowed:
            raise InvalidParameterException(
                "With logGroupIdentifiers the only other parameter that can be specified is includeLinkedAccounts."
            )
        names = sorted({group_name(caller, identifier) for identifier in identifiers})
        groups = [await self._store.get_group(caller.account_id, caller.region, name) for name in names]
        return [self._described(caller, group) for group in groups if group is not None]

    def _described(self, caller: Caller, group: LogGroup) -> Parameters:
        arn = group_arn(caller, group.name)
        described: Parameters = {
            "logGroupName": group.name,
            "creationTime": group.created_ms,
            "metricFilterCount": self._metric_filters.count((caller.account_id, caller.region, group.name)),
            "arn": f"{arn}:*",
            "storedBytes": group.stored_bytes,
            "logGroupClass": group.log_group_class,
            "logGroupArn": arn,
            "deletionProtectionEnabled": False,
        }
        if group.retention_days is not None:
            described["retentionInDays"] = group.retention_days
        return described


def _refuse_unsupported(parameters: Parameters) -> None:
    if parameters.get("kmsKeyId"):
        raise InvalidParameterException(
            "Lambent does not encrypt log groups: leave out kmsKeyId, and encrypt the disk instead."
        )
    if parameters.get("deletionProtectionEnabled"):
        raise InvalidParameterException("Lambent offers no deletion protection: leave it out.")
    if (log_group_class := parameters.get("logGroupClass", _STANDARD)) != _STANDARD:
        raise InvalidParameterException(
            f"Lambent offers the log group class {_STANDARD} only, not {log_group_class}."
        )


def _refuse_linked_accounts(parameters: Parameters) -> None:
    if parameters.get("includeLinkedAccounts") or parameters.get("accountIdentifiers"):
        raise InvalidParameterException("This account is no monitoring account: it has no linked accounts.")


def _after(parameters: Parameters) -> str | None:
    token = parameters.get("nextToken")
    return tokens.decode(token, str) if token else None


def _page_of(entries: list[Parameters], groups: list[LogGroup], limit: int) -> Parameters:
    page: Parameters = {"logGroups": entries}
    if len(groups) > limit:
        page["nextToken"] = tokens.encode(groups[limit - 1].name)
    return page
