"""Code signing configurations: CreateCodeSigningConfig and its family, and which function has which."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from lambent.base.arn import Arn, partition_of
from lambent.base.clock import Clock
from lambent.base.ids import new_token
from lambent.model.caller import Caller, Parameters
from lambent.model.code_signing import CodeSigningConfig
from lambent.model.function import FunctionId
from lambent.model.lambda_errors import (
    CodeSigningConfigNotFoundException,
    ResourceConflictException,
    ResourceNotFoundException,
)
from lambent.services.lambda_.configuration import format_time
from lambent.services.lambda_.function_images import refuse_signing
from lambent.services.lambda_.function_records import FunctionRecords
from lambent.services.lambda_.function_reference import resolve_unqualified
from lambent.services.lambda_.paging import Page, marker_of, page_size, position
from lambent.services.lambda_.tag_rules import require_tags
from lambent.store.ports.code_signing_configs import CodeSigningConfigStore
from lambent.store.ports.errors import InUseError, NotFoundError

_PAGE_LARGEST = 50
_ID_DIGITS = 17


class CodeSigning:
    def __init__(self, store: CodeSigningConfigStore, records: FunctionRecords, clock: Clock) -> None:
        self._store = store
        self._records = records
        self._clock = clock

    async def create(self, caller: Caller, parameters: Parameters) -> Parameters:
        config = CodeSigningConfig(
            account_id=caller.account_id,
            region=caller.region,
            id=f"csc-{new_token(_ID_DIGITS)}",
            tags=require_tags(parameters.get("Tags", {})),
            last_modified=self._clock.now(),
            **_settings(parameters),
        )
        await self._store.insert(config)
        return {"CodeSigningConfig": _describe(config)}

    async def get(self, caller: Caller, parameters: Parameters) -> Parameters:
        return {"CodeSigningConfig": _describe(await self._get(caller, parameters))}

    async def update(self, caller: Caller, parameters: Parameters) -> Parameters:
        config = await self._get(caller, parameters)
        changed = replace(config, last_modified=self._clock.now(), **_settings(parameters))
        try:
            await self._store.replace(changed)
        except NotFoundError as error:
            raise _not_found(parameters["CodeSigningConfigArn"]) from error
        return {"CodeSigningConfig": _describe(changed)}

    async def delete(self, caller: Caller, parameters: Parameters) -> Parameters:
        arn = parameters["CodeSigningConfigArn"]
        try:
            await self._store.delete(caller.account_id, caller.region, _own(caller, arn))
        except NotFoundError as error:
            raise _not_found(arn) from error
        except InUseError as error:
            raise ResourceConflictException(
                f"Code signing configuration {arn} is in use by one or more functions."
            ) from error
        return {}

    async def list(self, caller: Caller, parameters: Parameters) -> Parameters:
        limit = page_size(parameters, default=_PAGE_LARGEST, largest=_PAGE_LARGEST)
        configs = await self._store.page(
            caller.account_id, caller.region, after=position(parameters, str), limit=limit + 1
        )
        page = Page(configs, limit)
        answer: Parameters = {"CodeSigningConfigs": [_describe(config) for config in page.items]}
        if page.more:
            answer["NextMarker"] = marker_of(page.items[-1].id)
        return answer

    async def put_function(self, caller: Caller, parameters: Parameters) -> Parameters:
        id = resolve_unqualified(caller, "PutFunctionCodeSigningConfig", parameters["FunctionName"])
        arn = parameters["CodeSigningConfigArn"]
        await self.require(caller, arn)
        async with self._records.lock(id):
            refuse_signing((await self._records.get(id)).latest)
            await self.attach(caller, id, arn)
        return {"CodeSigningConfigArn": arn, "FunctionName": id.name}

    async def get_function(self, caller: Caller, parameters: Parameters) -> Parameters:
        id = resolve_unqualified(caller, "GetFunctionCodeSigningConfig", parameters["FunctionName"])
        await self._records.get(id)
        config = await self._store.attached(id)
        if config is None:
            return {}
        return {"CodeSigningConfigArn": _arn(config), "FunctionName": id.name}

    async def delete_function(self, caller: Caller, parameters: Parameters) -> Parameters:
        id = resolve_unqualified(caller, "DeleteFunctionCodeSigningConfig", parameters["FunctionName"])
        async with self._records.lock(id):
            await self._records.get(id)
            await self._store.detach(id)
        return {}

    async def list_functions(self, caller: Caller, parameters: Parameters) -> Parameters:
        config = await self._get(caller, parameters)
        limit = page_size(parameters, default=_PAGE_LARGEST, largest=_PAGE_LARGEST)
        names = await self._store.page_functions(
            caller.account_id, caller.region, config.id, after=position(parameters, str), limit=limit + 1
        )
        page = Page(names, limit)
        partition = partition_of(caller.region)
        owner = (caller.account_id, caller.region)
        answer: Parameters = {
            "FunctionArns": [FunctionId(*owner, name).arn(partition=partition) for name in page.items]
        }
        if page.more:
            answer["NextMarker"] = marker_of(page.items[-1])
        return answer

    async def require(self, caller: Caller, arn: str) -> CodeSigningConfig:
        """Raises CodeSigningConfigNotFoundException."""
        config = await self._store.get(caller.account_id, caller.region, _own(caller, arn))
        if config is None:
            raise _not_there(arn)
        return config

    async def attach(self, caller: Caller, id: FunctionId, arn: str) -> None:
        """Raises CodeSigningConfigNotFoundException."""
        try:
            await self._store.attach(id, _own(caller, arn))
        except NotFoundError as error:
            raise _not_there(arn) from error

    async def attached(self, id: FunctionId) -> CodeSigningConfig | None:
        return await self._store.attached(id)

    async def get_tags(self, caller: Caller, arn: str) -> Mapping[str, str]:
        """Raises ResourceNotFoundException."""
        return (await self._get(caller, {"CodeSigningConfigArn": arn})).tags

    async def put_tags(self, caller: Caller, arn: str, tags: Mapping[str, str]) -> None:
        config = await self._get(caller, {"CodeSigningConfigArn": arn})
        await self._store.replace(replace(config, tags=dict(tags)))

    async def _get(self, caller: Caller, parameters: Parameters) -> CodeSigningConfig:
        arn = parameters["CodeSigningConfigArn"]
        config = await self._store.get(caller.account_id, caller.region, _own(caller, arn))
        if config is None:
            raise _not_found(arn)
        return config


def _own(caller: Caller, arn: str) -> str:
    """The id of a configuration of this account and region; of another's, one that there is not."""
    parsed = Arn.parse(arn)
    owned = (parsed.account_id, parsed.region) == (caller.account_id, caller.region)
    return parsed.resource.removeprefix("code-signing-config:") if owned else ""


def _settings(parameters: Parameters) -> dict[str, Any]:
    settings: dict[str, Any] = {}
    if "Description" in parameters:
        settings["description"] = parameters["Description"]
    if "AllowedPublishers" in parameters:
        arns = parameters["AllowedPublishers"]["SigningProfileVersionArns"]
        settings["signing_profile_version_arns"] = tuple(arns)
    if "UntrustedArtifactOnDeployment" in parameters.get("CodeSigningPolicies", {}):
        policy = parameters["CodeSigningPolicies"]["UntrustedArtifactOnDeployment"]
        settings["untrusted_artifact_on_deployment"] = policy
    return settings


def _describe(config: CodeSigningConfig) -> Parameters:
    described: Parameters = {
        "CodeSigningConfigId": config.id,
        "CodeSigningConfigArn": _arn(config),
        "AllowedPublishers": {"SigningProfileVersionArns": list(config.signing_profile_version_arns)},
        "CodeSigningPolicies": {"UntrustedArtifactOnDeployment": config.untrusted_artifact_on_deployment},
        "LastModified": format_time(config.last_modified),
    }
    if config.description is not None:
        described["Description"] = config.description
    return described


def _arn(config: CodeSigningConfig) -> str:
    return config.arn(partition_of(config.region))


def _not_found(arn: str) -> ResourceNotFoundException:
    # AWS leaves `Type` out of this one.
    return ResourceNotFoundException(
        f"The Lambda code signing configuration {arn} can not be found.", members={"Type": None}
    )


def _not_there(arn: str) -> CodeSigningConfigNotFoundException:
    return CodeSigningConfigNotFoundException(
        "The code signing configuration cannot be found. "
        f"Check that the provided configuration is not deleted: {arn}."
    )
