"""Functions: CreateFunction, GetFunction, UpdateFunctionCode, UpdateFunctionConfiguration, DeleteFunction,
ListFunctions."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from lambent.base.clock import Clock
from lambent.base.ids import new_uuid
from lambent.model.caller import Caller, Parameters
from lambent.model.function import (
    LATEST,
    CodeReference,
    Function,
    FunctionId,
    FunctionVersion,
    LayerReference,
)
from lambent.model.lambda_errors import InvalidParameterValueException, ResourceConflictException
from lambent.runtimes.identifiers import runtime_version_arn
from lambent.services.lambda_ import settings
from lambent.services.lambda_.activation import Activation
from lambent.services.lambda_.code import refuse_too_large
from lambent.services.lambda_.code_signing import CodeSigning
from lambent.services.lambda_.code_trust import CodeTrust
from lambent.services.lambda_.delivery_targets import DeliveryTargets
from lambent.services.lambda_.durable_config import changed_durable_config, new_durable_config
from lambent.services.lambda_.execution_role import ExecutionRoles
from lambent.services.lambda_.function_code import FunctionCode, require_package
from lambent.services.lambda_.function_concurrency import describe_concurrency
from lambent.services.lambda_.function_images import image_changes, refuse_image_config
from lambent.services.lambda_.function_layers import FunctionLayers
from lambent.services.lambda_.function_records import FunctionRecords, require_revision
from lambent.services.lambda_.function_reference import resolve_new, resolve_reference, resolve_unqualified
from lambent.services.lambda_.function_variables import FunctionVariables
from lambent.services.lambda_.paging import Page, marker_of, page_size, position
from lambent.services.lambda_.ports import Runtimes
from lambent.services.lambda_.snap_start import refuse_with_snap_start
from lambent.services.lambda_.states import pending, refuse_unsettled, updating
from lambent.services.lambda_.tag_rules import require_tags
from lambent.services.lambda_.unsupported import refuse_unsupported
from lambent.services.lambda_.versions import published
from lambent.store.ports.concurrency import ConcurrencyStore
from lambent.store.ports.errors import AlreadyExistsError, NotFoundError
from lambent.store.ports.functions import FunctionStore

_PAGE_LARGEST = 50


class Functions:
    def __init__(
        self,
        *,
        store: FunctionStore,
        records: FunctionRecords,
        code: FunctionCode,
        layers: FunctionLayers,
        variables: FunctionVariables,
        signing: CodeSigning,
        trust: CodeTrust,
        runtimes: Runtimes,
        roles: ExecutionRoles,
        activation: Activation,
        targets: DeliveryTargets,
        concurrency: ConcurrencyStore,
        clock: Clock,
    ) -> None:
        self._store = store
        self._records = records
        self._code = code
        self._layers = layers
        self._variables = variables
        self._signing = signing
        self._trust = trust
        self._runtimes = runtimes
        self._roles = roles
        self._activation = activation
        self._targets = targets
        self._concurrency = concurrency
        self._clock = clock

    async def create(self, caller: Caller, parameters: Parameters) -> Parameters:
        id = resolve_new(caller, parameters["FunctionName"])
        refuse_unsupported(parameters)
        refuse_unsupported(parameters["Code"])
        require_package(parameters)
        fields = settings.settings(
            parameters, id, self._runtimes, settings.default_logging(id), creating=True
        )
        fields["architectures"] = settings.architectures(parameters, self._runtimes)
        fields["durable"] = new_durable_config(parameters)
        fields["tenant_isolation"] = "TenancyConfig" in parameters
        tags = require_tags(parameters.get("Tags", {}))
        await self._roles.require(caller, parameters["Role"])
        if await self._store.get(id) is not None:
            raise _already_exists(id)
        dead_letters = parameters.get("DeadLetterConfig", {})
        fields["dead_letter_target"] = await self._targets.dead_letters(id, fields["role"], dead_letters)
        signing_config_arn = parameters.get("CodeSigningConfigArn")
        signing_config = (
            await self._signing.require(caller, signing_config_arn) if signing_config_arn else None
        )
        fields["layers"] = await self._layers.resolve(caller, parameters.get("Layers", []))
        fields |= await self._code.new(caller, id, parameters)
        refuse_too_large(fields["code"], fields["layers"])
        if signing_config is not None:
            await self._trust.require(id, signing_config, fields["code"], fields["layers"])
        fields.setdefault("logging", settings.default_logging(id))
        fields |= await self._variables.fields(caller, id, None, parameters, fields)
        latest = pending(
            FunctionVersion(function=id, revision_id=new_uuid(), last_modified=self._clock.now(), **fields),
            self._activation.settle_time(),
        )
        refuse_with_snap_start(latest)
        function = Function(id=id, latest=latest, tags=tags)
        try:
            await self._store.insert(function)
        except AlreadyExistsError as error:
            raise _already_exists(id) from error
        if signing_config_arn:
            await self._signing.attach(caller, id, signing_config_arn)
        self._activation.wake(latest)
        if parameters.get("Publish"):
            return await self._publish_created(caller, function)
        return await self._variables.describe(caller, latest, None)

    async def get(self, caller: Caller, parameters: Parameters) -> Parameters:
        reference = resolve_reference(
            caller, "GetFunction", parameters["FunctionName"], parameters.get("Qualifier")
        )
        function = await self._records.get(reference.function, reference.qualifier)
        version = await self._records.version(function, reference)
        answer: Parameters = {
            "Configuration": await self._variables.describe(caller, version, reference.qualifier),
            "Code": self._code.describe(caller, version),
        }
        if function.tags:
            answer["Tags"] = dict(function.tags)
        reserved = await self._concurrency.reserved(function.id)
        if reserved is not None:
            answer["Concurrency"] = describe_concurrency(reserved)
        return answer

    async def get_configuration(self, caller: Caller, parameters: Parameters) -> Parameters:
        reference = resolve_reference(
            caller, "GetFunctionConfiguration", parameters["FunctionName"], parameters.get("Qualifier")
        )
        function = await self._records.get(reference.function, reference.qualifier)
        version = await self._records.version(function, reference)
        return await self._variables.describe(caller, version, reference.qualifier)

    async def update_code(self, caller: Caller, parameters: Parameters) -> Parameters:
        id = resolve_unqualified(caller, "UpdateFunctionCode", parameters["FunctionName"])
        refuse_unsupported(parameters)
        dry_run = bool(parameters.get("DryRun"))
        async with self._records.lock(id):
            function = await self._updatable(id, parameters)
            changes = await self._code.changed(caller, function.latest, parameters, keep=not dry_run)
            code = changes["code"]
            if function.latest.image is None:
                await self._require_trust(id, code, function.latest.layers)
            if "Architectures" in parameters:
                changes["architectures"] = settings.architectures(parameters, self._runtimes)
            if dry_run:
                return await self._variables.describe(caller, replace(function.latest, **changes), None)
            refuse_too_large(code, function.latest.layers)
            return await self._update(caller, function, changes, publish=bool(parameters.get("Publish")))

    async def update_configuration(self, caller: Caller, parameters: Parameters) -> Parameters:
        id = resolve_unqualified(caller, "UpdateFunctionConfiguration", parameters["FunctionName"])
        refuse_unsupported(parameters)
        if "Role" in parameters:
            await self._roles.require(caller, parameters["Role"])
        async with self._records.lock(id):
            function = await self._updatable(id, parameters)
            if function.latest.image is None:
                refuse_image_config(parameters)
            changes = settings.settings(
                parameters, id, self._runtimes, function.latest.logging, creating=False
            )
            if "DeadLetterConfig" in parameters or "Role" in parameters:
                changes["dead_letter_target"] = await self._targets.dead_letters(
                    id,
                    parameters.get("Role", function.latest.role),
                    parameters.get("DeadLetterConfig", {}),
                    function.latest.dead_letter_target,
                )
            if function.latest.image is not None:
                changes |= image_changes(function.latest.image, parameters)
            changes["durable"] = changed_durable_config(parameters, function.latest.durable)
            if "Layers" in parameters:
                changes["layers"] = await self._layers.resolve(caller, parameters["Layers"])
                refuse_too_large(function.latest.code, changes["layers"])
                await self._require_trust(id, None, changes["layers"])
            changes |= await self._variables.fields(caller, id, function.latest, parameters, changes)
            return await self._update(caller, function, changes)

    async def delete(self, caller: Caller, parameters: Parameters) -> Parameters:
        """A version that does not exist is deleted already; a function that does not exist is an error."""
        reference = resolve_reference(
            caller, "DeleteFunction", parameters["FunctionName"], parameters.get("Qualifier")
        )
        _refuse_undeletable(reference.qualifier)
        async with self._records.lock(reference.function):
            await self._records.get(reference.function)
            if reference.qualifier is None:
                await self._store.delete(reference.function)
            elif reference.qualifier.isdigit():
                await self._delete_version(reference.function, reference.qualifier)
        return {"StatusCode": 204}

    async def list(self, caller: Caller, parameters: Parameters) -> Parameters:
        limit = page_size(parameters, default=_PAGE_LARGEST, largest=_PAGE_LARGEST)
        if parameters.get("FunctionVersion") == "ALL":
            return await self._list_versions(caller, parameters, limit)
        if "MasterRegion" in parameters:
            raise InvalidParameterValueException(
                "FunctionVersion must be ALL where MasterRegion is specified."
            )
        after = position(parameters, str)
        functions = await self._store.page(caller.account_id, caller.region, after=after, limit=limit + 1)
        page = Page(functions, limit)
        answer: Parameters = {
            "Functions": [
                await self._variables.describe_in_list(caller, function.latest, None)
                for function in page.items
            ]
        }
        if page.more:
            answer["NextMarker"] = marker_of(page.items[-1].id.name)
        return answer

    async def _list_versions(self, caller: Caller, parameters: Parameters, limit: int) -> Parameters:
        """Every version of every function, by name and number; `$LATEST` is number 0."""
        if parameters.get("MasterRegion", "ALL") != "ALL":
            return {"Functions": []}  # it asks for replicas of Lambda@Edge functions, of which there are none
        after = position(parameters, tuple[str, int])
        owner = (caller.account_id, caller.region)
        functions = await self._store.page(*owner, after=after and after[0], limit=limit + 1)
        versions = [
            *(function.latest for function in functions),
            *await self._store.page_all_versions(*owner, after=after, limit=limit + 1),
        ]
        page = Page(sorted(versions, key=_name_and_number), limit)
        answer: Parameters = {
            "Functions": [
                await self._variables.describe_in_list(caller, version, version.version)
                for version in page.items
            ]
        }
        if page.more:
            answer["NextMarker"] = marker_of(_name_and_number(page.items[-1]))
        return answer

    async def _publish_created(self, caller: Caller, function: Function) -> Parameters:
        async with self._records.lock(function.id):
            current = await self._records.get(function.id)
            version = published(current, current.latest, None, self._activation.settle_time())
            await self._records.replace_latest(current, current.latest, publish=version)
        self._activation.wake(version)
        # AWS names the function here, and the version only in `Version`.
        return await self._variables.describe(caller, version, None)

    async def _require_trust(
        self, id: FunctionId, code: CodeReference | None, layers: Sequence[LayerReference]
    ) -> None:
        config = await self._signing.attached(id)
        if config is not None:
            await self._trust.require(id, config, code, layers)

    async def _updatable(self, id: FunctionId, parameters: Parameters) -> Function:
        function = await self._records.get(id)
        require_revision(parameters, function.latest.revision_id)
        refuse_unsettled(function.latest)
        return function

    async def _update(
        self, caller: Caller, function: Function, changes: dict[str, Any], *, publish: bool = False
    ) -> Parameters:
        # One later at least, so that the time of change tells two updates apart.
        modified = max(self._clock.now(), function.latest.last_modified + 0.001)
        changes |= {"revision_id": new_uuid(), "last_modified": modified}
        if function.latest.update_runtime_on != "Manual" and function.latest.runtime:
            # What the host has now: an update is when a function may get another runtime version.
            runtime = changes.get("runtime", function.latest.runtime)
            changes["runtime_version_arn"] = runtime_version_arn(
                function.id.region, runtime, self._runtimes.version(runtime)
            )
        settles_at = self._activation.settle_time()
        latest = updating(function.latest, changes, settles_at)
        refuse_with_snap_start(latest)
        version = published(function, latest, None, settles_at) if publish else None
        await self._records.replace_latest(function, latest, publish=version)
        self._activation.wake(latest)
        if version is None:
            return await self._variables.describe(caller, latest, None)
        self._activation.wake(version)
        return await self._variables.describe(caller, version, version.version)

    async def _delete_version(self, id: FunctionId, qualifier: str) -> None:
        aliases = await self._store.page_aliases(id, version=qualifier, after=None, limit=_PAGE_LARGEST)
        if aliases:
            names = ", ".join(alias.name for alias in aliases)
            raise ResourceConflictException(
                f"Unable to delete version because the following aliases reference it: [{names}]"
            )
        try:
            await self._store.delete_version(id, qualifier)
        except NotFoundError:
            return


def _refuse_undeletable(qualifier: str | None) -> None:
    """Whether the function exists or not. Raises InvalidParameterValueException."""
    if qualifier == LATEST:
        raise InvalidParameterValueException(
            "$LATEST version cannot be deleted without deleting the function."
        )
    if qualifier is not None and not qualifier.isdigit() and "$" not in qualifier:
        raise InvalidParameterValueException("Deletion of aliases is not currently supported.")


def _already_exists(id: FunctionId) -> ResourceConflictException:
    return ResourceConflictException(f"Function already exist: {id.name}")


def _name_and_number(version: FunctionVersion) -> tuple[str, int]:
    return version.function.name, 0 if version.version == LATEST else int(version.version)
