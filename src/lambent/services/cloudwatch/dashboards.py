"""PutDashboard, GetDashboard, ListDashboards, DeleteDashboards: kept for the tools that set them.

Source: the cloudwatch service model, and errors that were recorded from AWS.
"""

import asyncio
import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime

from lambent.base.arn import partition_of
from lambent.base.clock import Clock
from lambent.model.caller import Caller, Parameters
from lambent.model.dashboard import Dashboard, dashboard_arn
from lambent.model.service import Operation
from lambent.services.cloudwatch.errors import (
    DashboardInvalidInputError,
    DashboardNotFoundError,
    InvalidParameterValueException,
)
from lambent.services.cloudwatch.paging import paged
from lambent.store.ports.errors import NotFoundError
from lambent.store.ports.named_records import Name, NamedRecords

_NAME = re.compile(r"[A-Za-z0-9_-]{1,255}")
_EVERYWHERE = ""
"""The region of what has none."""


class Dashboards:
    def __init__(self, records: NamedRecords[Dashboard], clock: Clock) -> None:
        self._records = records
        self._clock = clock
        self._changing = asyncio.Lock()

    def operations(self) -> dict[str, Operation]:
        return {
            "PutDashboard": self.put,
            "GetDashboard": self.get,
            "ListDashboards": self.list,
            "DeleteDashboards": self.delete,
        }

    async def put(self, caller: Caller, parameters: Parameters) -> Parameters:
        name = parameters["DashboardName"]
        if not _NAME.fullmatch(name):
            raise InvalidParameterValueException(
                "The value for field DashboardName contains invalid characters. It can only contain alphanumerics, "
                "dash (-) and underscore (_).\n"
            )
        if parameters.get("Tags"):
            raise InvalidParameterValueException("Lambent keeps no tags of dashboards: leave out Tags.")
        _check_body(parameters["DashboardBody"])
        made = Dashboard(name=name, body=parameters["DashboardBody"], modified_at=self._clock.now())
        async with self._changing:
            previous = await self._records.get(_name(caller, name))
            if previous is None:
                await self._records.insert(_name(caller, name), made)
            else:
                await self._records.replace(_name(caller, name), made, previous=previous)
        return {"DashboardValidationMessages": []}

    async def get(self, caller: Caller, parameters: Parameters) -> Parameters:
        name = parameters["DashboardName"]
        found = await self._records.get(_name(caller, name))
        if found is None:
            raise DashboardNotFoundError(f"Dashboard {name} does not exist")
        return {"DashboardArn": _arn(caller, name), "DashboardBody": found.body, "DashboardName": name}

    async def list(self, caller: Caller, parameters: Parameters) -> Parameters:
        prefix = parameters.get("DashboardNamePrefix", "")

        async def read(after: tuple[str, str], limit: int) -> Sequence[tuple[Name, Dashboard]]:
            return await self._records.page(
                caller.account_id, _EVERYWHERE, prefix=prefix, after=after, limit=limit
            )

        found, more = await paged(parameters | {"MaxRecords": 1000}, read)
        entries = [
            {
                "DashboardName": one.name,
                "DashboardArn": _arn(caller, one.name),
                "LastModified": datetime.fromtimestamp(one.modified_at, UTC),
                "Size": len(one.body.encode("utf-8", "surrogatepass")),
            }
            for one in found
        ]
        return {"DashboardEntries": entries} | more

    async def delete(self, caller: Caller, parameters: Parameters) -> Parameters:
        """All of them, or none."""
        async with self._changing:
            names = list(dict.fromkeys(parameters["DashboardNames"]))
            missing = [name for name in names if await self._records.get(_name(caller, name)) is None]
            if missing:
                raise DashboardNotFoundError(
                    f"The specified dashboard does not exist. [{', '.join(missing)}]"
                )
            for name in names:
                try:
                    await self._records.delete(_name(caller, name))
                except NotFoundError:
                    continue  # another node was faster
        return {}


def _check_body(body: str) -> None:
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError):
        parsed = None
    if not isinstance(parsed, dict):
        raise DashboardInvalidInputError("The field DashboardBody must be a valid JSON object")


def _name(caller: Caller, name: str) -> Name:
    return Name(caller.account_id, _EVERYWHERE, "", name)


def _arn(caller: Caller, name: str) -> str:
    return dashboard_arn(partition_of(caller.region), caller.account_id, name)
