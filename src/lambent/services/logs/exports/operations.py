"""CreateExportTask, DescribeExportTasks, CancelExportTask."""

from lambent.base.clock import Clock
from lambent.base.ids import new_uuid
from lambent.model.caller import Caller, Parameters
from lambent.model.log_export import LogExport
from lambent.model.service import Client
from lambent.services.logs import tokens
from lambent.services.logs.exceptions import (
    InvalidOperationException,
    LimitExceededException,
    ResourceNotFoundException,
)
from lambent.services.logs.exports.bucket import Bucket
from lambent.services.logs.exports.tasks import PREFIX, UNFINISHED, ExportTasks
from lambent.services.logs.groups import Groups
from lambent.store.ports.errors import NotFoundError
from lambent.store.ports.named_records import Name

_PAGE = 50


class ExportOperations:
    def __init__(self, tasks: ExportTasks, groups: Groups, client: Client, clock: Clock) -> None:
        self._tasks = tasks
        self._groups = groups
        self._client = client
        self._clock = clock

    async def create_export_task(self, caller: Caller, parameters: Parameters) -> Parameters:
        """One at a time in an account, as on AWS."""
        group = await self._groups.require(caller, parameters["logGroupName"])
        prefix = parameters.get("destinationPrefix") or None
        bucket = Bucket(self._client, caller.account_id, caller.region, group.name, parameters["destination"])
        await bucket.check(prefix)
        held = await self._tasks.all(caller.account_id, caller.region)
        if any(export.status in UNFINISHED for _, export in held):
            raise LimitExceededException("Resource limit exceeded.")
        name = Name(caller.account_id, caller.region, "", new_uuid())
        await self._tasks.start(
            name,
            LogExport(
                name=parameters.get("taskName"),
                group=group.name,
                stream_prefix=parameters.get("logStreamNamePrefix", ""),
                from_ms=parameters["from"],
                to_ms=parameters["to"],
                bucket=parameters["destination"],
                prefix=prefix,
                created_ms=int(self._clock.now() * 1000),
            ),
        )
        return {"taskId": name.name}

    async def describe_export_tasks(self, caller: Caller, parameters: Parameters) -> Parameters:
        task, status = parameters.get("taskId"), parameters.get("statusCode")
        start = tokens.decode(parameters["nextToken"], int) if "nextToken" in parameters else 0
        found = [
            (name, export)
            for name, export in await self._tasks.all(caller.account_id, caller.region)
            if task in (None, name.name) and status in (None, export.status)
        ]
        limit = parameters.get("limit", _PAGE)
        page: Parameters = {
            "exportTasks": [_described(name, export) for name, export in found[start : start + limit]]
        }
        if start + limit < len(found):
            page["nextToken"] = tokens.encode(start + limit)
        return page

    async def cancel_export_task(self, caller: Caller, parameters: Parameters) -> Parameters:
        name = Name(caller.account_id, caller.region, "", parameters["taskId"])
        try:
            cancelled = await self._tasks.cancel(name)
        except NotFoundError:
            raise ResourceNotFoundException("The specified export task does not exist.") from None
        if not cancelled:
            raise InvalidOperationException("The specified export task has already finished")
        return {}


def _described(name: Name, export: LogExport) -> Parameters:
    status: Parameters = {"code": export.status}
    if export.message is not None:
        status["message"] = export.message
    execution: Parameters = {"creationTime": export.created_ms}
    if export.completed_ms is not None:
        execution["completionTime"] = export.completed_ms
    described: Parameters = {
        "taskId": name.name,
        "logGroupName": export.group,
        "from": export.from_ms,
        "to": export.to_ms,
        "destination": export.bucket,
        "destinationPrefix": export.prefix or PREFIX,
        "status": status,
        "executionInfo": execution,
    }
    return described if export.name is None else {**described, "taskName": export.name}
