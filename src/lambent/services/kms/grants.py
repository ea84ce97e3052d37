"""Grants: CreateGrant, ListGrants, ListRetirableGrants, RetireGrant, RevokeGrant. They are in force at once."""

from collections.abc import Mapping

from lambent.base.arn import partition_of
from lambent.base.clock import Clock
from lambent.base.ids import new_token
from lambent.model.caller import Caller, Parameters
from lambent.model.kms import Grant
from lambent.model.service import Operation
from lambent.services.kms.errors import (
    DryRunOperationException,
    InvalidGrantIdException,
    NotFoundException,
    ValidationException,
)
from lambent.services.kms.key_reference import find_key, require_usable
from lambent.services.kms.key_ring import KeyRing
from lambent.services.kms.pages import page

_ID_DIGITS = 64
_PAGE_MOST = 50


class Grants:
    def __init__(self, ring: KeyRing, clock: Clock) -> None:
        self._ring = ring
        self._clock = clock

    def operations(self) -> Mapping[str, Operation]:
        return {
            "CreateGrant": self.create,
            "ListGrants": self.list,
            "ListRetirableGrants": self.list_retirable,
            "RetireGrant": self.retire,
            "RevokeGrant": self.revoke,
        }

    async def create(self, caller: Caller, parameters: Parameters) -> Parameters:
        """The same grant under the same name is not made twice."""
        key = require_usable(find_key(self._ring, caller, parameters["KeyId"]))
        grantee = parameters.get("GranteePrincipal") or parameters.get("GranteeServicePrincipal")
        if grantee is None:
            raise ValidationException("GranteePrincipal is required.")
        if parameters.get("DryRun"):
            raise DryRunOperationException
        grant = Grant(
            id=new_token(_ID_DIGITS),
            key_id=key.id,
            grantee=grantee,
            retiring=parameters.get("RetiringPrincipal") or parameters.get("RetiringServicePrincipal"),
            operations=tuple(parameters["Operations"]),
            constraints=parameters.get("Constraints", {}),
            name=parameters.get("Name"),
            issuing_account=f"arn:{partition_of(caller.region)}:iam::{caller.account_id}:root",
            created_at=self._clock.now(),
        )
        async with self._ring.lock(key.id):
            for other in self._ring.grants(key.id):
                if grant.name is not None and _content(other) == _content(grant):
                    return {"GrantToken": _token(other), "GrantId": other.id}
            await self._ring.add_grant(key, grant)
        return {"GrantToken": _token(grant), "GrantId": grant.id}

    async def list(self, caller: Caller, parameters: Parameters) -> Parameters:
        key = find_key(self._ring, caller, parameters["KeyId"])
        grants = [
            grant
            for grant in self._ring.grants(key.id)
            if parameters.get("GrantId", grant.id) == grant.id
            and parameters.get("GranteePrincipal", grant.grantee) == grant.grantee
        ]
        return page(parameters, grants, lambda grant: grant.id, "Grants", self._describe, most=_PAGE_MOST)

    async def list_retirable(self, caller: Caller, parameters: Parameters) -> Parameters:
        """Of the keys of this account and region."""
        wanted = parameters.get("RetiringPrincipal")
        grants = sorted(
            (
                grant
                for key in self._ring.keys(caller.account_id, caller.region)
                for grant in self._ring.grants(key.id)
                if grant.retiring == wanted
            ),
            key=lambda grant: grant.id,
        )
        return page(parameters, grants, lambda grant: grant.id, "Grants", self._describe, most=_PAGE_MOST)

    async def retire(self, caller: Caller, parameters: Parameters) -> Parameters:
        """By its token, or by key and id."""
        token = parameters.get("GrantToken")
        for grant in list(self._ring.all_grants()):
            if token == _token(grant) if token is not None else grant.id == parameters.get("GrantId"):
                return await self._drop(grant)
        raise NotFoundException("No such grant exists")

    async def revoke(self, caller: Caller, parameters: Parameters) -> Parameters:
        key = find_key(self._ring, caller, parameters["KeyId"])
        for grant in self._ring.grants(key.id):
            if grant.id == parameters["GrantId"]:
                return await self._drop(grant)
        raise InvalidGrantIdException(f"Grant ID {parameters['GrantId']} not found")

    async def _drop(self, grant: Grant) -> Parameters:
        key = self._ring.key(grant.key_id)
        if key is not None:
            await self._ring.drop_grant(key, grant)
        return {}

    def _describe(self, grant: Grant) -> Parameters:
        key = self._ring.key(grant.key_id)
        described: Parameters = {
            "KeyId": key.arn(partition_of(key.region)) if key is not None else grant.key_id,
            "GrantId": grant.id,
            "Name": grant.name or "",
            "CreationDate": grant.created_at,
            "GranteePrincipal": grant.grantee,
            "IssuingAccount": grant.issuing_account,
            "Operations": list(grant.operations),
        }
        if grant.retiring is not None:
            described["RetiringPrincipal"] = grant.retiring
        if grant.constraints:
            described["Constraints"] = dict(grant.constraints)
        return described


def _content(grant: Grant) -> tuple[object, ...]:
    return grant.name, grant.grantee, grant.retiring, grant.operations, dict(grant.constraints)


def _token(grant: Grant) -> str:
    """Grants are in force at once, so that nobody needs a token but to name the grant."""
    return f"grant:{grant.id}"
