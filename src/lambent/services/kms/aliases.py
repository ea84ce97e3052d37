"""Names of keys: CreateAlias, UpdateAlias, DeleteAlias, ListAliases."""

import re
from collections.abc import Mapping
from dataclasses import replace

from lambent.base.arn import partition_of
from lambent.base.clock import Clock
from lambent.model.caller import Caller, Parameters
from lambent.model.kms import Alias
from lambent.model.service import Operation
from lambent.services.kms.errors import InvalidAliasNameException, NotFoundException, ValidationException
from lambent.services.kms.key_reference import find_key, require_present
from lambent.services.kms.key_ring import KeyRing
from lambent.services.kms.pages import page

_PREFIX = "alias/"
_OF_AWS = "alias/aws/"
_NAME = re.compile(r"[a-zA-Z0-9/_-]+")
_PAGE_MOST = 50


class Aliases:
    def __init__(self, ring: KeyRing, clock: Clock) -> None:
        self._ring = ring
        self._clock = clock

    def operations(self) -> Mapping[str, Operation]:
        return {
            "CreateAlias": self.create,
            "UpdateAlias": self.update,
            "DeleteAlias": self.delete,
            "ListAliases": self.list,
        }

    async def create(self, caller: Caller, parameters: Parameters) -> Parameters:
        name = _require_name(parameters["AliasName"])
        if parameters["TargetKeyId"].startswith(_PREFIX):
            raise ValidationException("Aliases must refer to keys. Not aliases")
        key = require_present(find_key(self._ring, caller, parameters["TargetKeyId"]))
        now = self._clock.now()
        alias = Alias(
            account_id=caller.account_id,
            region=caller.region,
            name=name,
            key_id=key.id,
            created_at=now,
            updated_at=now,
        )
        await self._ring.add_alias(alias)
        return {}

    async def update(self, caller: Caller, parameters: Parameters) -> Parameters:
        alias = self._find(caller, _require_name(parameters["AliasName"]))
        key = require_present(find_key(self._ring, caller, parameters["TargetKeyId"]))
        async with self._ring.lock(alias.arn()):
            current = self._find(caller, alias.name)
            await self._ring.replace_alias(replace(current, key_id=key.id, updated_at=self._clock.now()))
        return {}

    async def delete(self, caller: Caller, parameters: Parameters) -> Parameters:
        await self._ring.drop_alias(self._find(caller, _require_name(parameters["AliasName"])))
        return {}

    async def list(self, caller: Caller, parameters: Parameters) -> Parameters:
        aliases = self._ring.aliases(caller.account_id, caller.region)
        if "KeyId" in parameters:
            key = find_key(self._ring, caller, parameters["KeyId"])
            aliases = [alias for alias in aliases if alias.key_id == key.id]
        return page(parameters, aliases, lambda alias: alias.name, "Aliases", _describe, most=_PAGE_MOST)

    def _find(self, caller: Caller, name: str) -> Alias:
        alias = self._ring.alias(caller.account_id, caller.region, name)
        if alias is None:
            arn = f"arn:{partition_of(caller.region)}:kms:{caller.region}:{caller.account_id}:{name}"
            raise NotFoundException(f"Alias {arn} is not found.")
        return alias


def _describe(alias: Alias) -> Parameters:
    return {
        "AliasName": alias.name,
        "AliasArn": alias.arn(partition_of(alias.region)),
        "TargetKeyId": alias.key_id,
        "CreationDate": alias.created_at,
        "LastUpdatedDate": alias.updated_at,
    }


def _require_name(name: str) -> str:
    if not name.startswith(_PREFIX) or name == _PREFIX:
        raise ValidationException(
            'Alias must start with the prefix "alias/". '
            "Please see https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html"
        )
    if name.startswith(_OF_AWS):
        raise InvalidAliasNameException(f"Alias {name} is reserved for AWS.")
    if not _NAME.fullmatch(name):
        raise InvalidAliasNameException(f"{name} contains invalid characters for an alias")
    return name
