"""When a function gets another runtime version: PutRuntimeManagementConfig, GetRuntimeManagementConfig.

A runtime version is the interpreter of this host, by its exact version. A host has one of each runtime, so that what
is pinned runs while that is the one, and is refused when the host's has been replaced (environments/preparation.py).
Source: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-update.html
"""

from dataclasses import replace
from typing import Any

from lambent.base.ids import new_uuid
from lambent.model.caller import Caller, Parameters
from lambent.model.function import LATEST, Function, FunctionVersion
from lambent.model.lambda_errors import InvalidParameterValueException
from lambent.runtimes.identifiers import runtime_version_arn
from lambent.services.lambda_.errors import function_not_found
from lambent.services.lambda_.function_records import FunctionRecords
from lambent.services.lambda_.function_reference import resolve_reference
from lambent.services.lambda_.ports import Runtimes
from lambent.services.lambda_.states import refuse_unsettled
from lambent.store.ports.errors import NotFoundError, StaleRevisionError
from lambent.store.ports.functions import FunctionStore


class RuntimeManagement:
    def __init__(self, store: FunctionStore, records: FunctionRecords, runtimes: Runtimes) -> None:
        self._store = store
        self._records = records
        self._runtimes = runtimes

    async def put(self, caller: Caller, parameters: Parameters) -> Parameters:
        reference = resolve_reference(
            caller, "PutRuntimeManagementConfig", parameters["FunctionName"], parameters.get("Qualifier")
        )
        async with self._records.lock(reference.function):
            function = await self._records.get(reference.function, reference.qualifier)
            version = await self._version(function, reference.qualifier)
            refuse_unsettled(version)
            changes = self._changes(version, parameters)
            await self._replace(function, version, changes)
        return _describe(replace(version, **changes), reference.arn)

    async def get(self, caller: Caller, parameters: Parameters) -> Parameters:
        reference = resolve_reference(
            caller, "GetRuntimeManagementConfig", parameters["FunctionName"], parameters.get("Qualifier")
        )
        function = await self._records.get(reference.function, reference.qualifier)
        return _describe(await self._version(function, reference.qualifier), reference.arn)

    async def _version(self, function: Function, qualifier: str | None) -> FunctionVersion:
        """Aliases have none of their own. Raises ResourceNotFoundException, InvalidParameterValueException."""
        if qualifier is not None and qualifier != LATEST and not qualifier.isdigit():
            raise InvalidParameterValueException(
                "Runtime management configurations are of $LATEST and of published versions, not of aliases."
            )
        return await self._records.numbered(function, qualifier or LATEST)

    def _changes(self, version: FunctionVersion, parameters: Parameters) -> dict[str, Any]:
        if version.image is not None:
            raise InvalidParameterValueException(
                "Runtime management is not supported for functions created with container images."
            )
        mode, wanted = parameters["UpdateRuntimeOn"], parameters.get("RuntimeVersionArn")
        if (mode == "Manual") is not (wanted is not None):
            raise InvalidParameterValueException(
                "RuntimeVersionArn is required where UpdateRuntimeOn is Manual, and not allowed where it is not."
            )
        runtime, region = version.runtime or "", version.function.region
        here = runtime_version_arn(region, runtime, self._runtimes.version(runtime))
        if wanted not in (None, here):
            raise InvalidParameterValueException(
                f"The runtime version {wanted} is not on this host; that of {runtime} is {here}."
            )
        return {"update_runtime_on": mode, "runtime_version_arn": here, "revision_id": new_uuid()}

    async def _replace(self, function: Function, version: FunctionVersion, changes: dict[str, Any]) -> None:
        try:
            if version.published:
                await self._store.replace_version(replace(version, **changes))
                return
            serving = function.serving and replace(function.serving, **changes)
            await self._store.replace(
                replace(function, latest=replace(version, **changes), serving=serving),
                expected_revision_id=version.revision_id,
            )
        except (NotFoundError, StaleRevisionError) as error:
            raise function_not_found(function.id, version.version) from error


def _describe(version: FunctionVersion, arn: str) -> Parameters:
    described: Parameters = {"UpdateRuntimeOn": version.update_runtime_on, "FunctionArn": arn}
    if version.update_runtime_on == "Manual":
        described["RuntimeVersionArn"] = version.runtime_version_arn
    return described
