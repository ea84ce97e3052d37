"""Signing profiles: PutSigningProfile, GetSigningProfile, ListSigningProfiles, CancelSigningProfile,
RevokeSigningProfile, and their tags."""

from collections.abc import Mapping
from dataclasses import replace

from lambent.base.arn import Arn, partition_of
from lambent.base.clock import Clock
from lambent.base.ids import new_token
from lambent.model.caller import Caller, Parameters
from lambent.model.service import Operation
from lambent.model.signing import Revocation, SigningProfile
from lambent.services.signer.errors import (
    BadRequestException,
    NotFoundException,
    ResourceNotFoundException,
    ValidationException,
)
from lambent.services.signer.pages import page
from lambent.services.signer.platforms import DISPLAY_NAME, PLATFORM
from lambent.services.signer.times import seconds
from lambent.store.ports.errors import AlreadyExistsError, StaleRevisionError
from lambent.store.ports.named_records import Name, NamedRecords

_VERSION_DIGITS = 10
_VALIDITY = (135, "MONTHS")
_PREFIX = "/signing-profiles/"


class Profiles:
    def __init__(self, records: NamedRecords[SigningProfile], clock: Clock) -> None:
        self._records = records
        self._clock = clock

    def operations(self) -> Mapping[str, Operation]:
        return {
            "PutSigningProfile": self.put,
            "GetSigningProfile": self.get,
            "ListSigningProfiles": self.list,
            "CancelSigningProfile": self.cancel,
            "RevokeSigningProfile": self.revoke,
            "TagResource": self.tag,
            "UntagResource": self.untag,
            "ListTagsForResource": self.list_tags,
        }

    async def put(self, caller: Caller, parameters: Parameters) -> Parameters:
        """A name that was canceled may be used again, for another version."""
        _refuse_other_platforms(parameters)
        period = parameters.get("signatureValidityPeriod", {})
        profile = SigningProfile(
            account_id=caller.account_id,
            region=caller.region,
            name=parameters["profileName"],
            version=new_token(_VERSION_DIGITS),
            validity_value=period.get("value", _VALIDITY[0]),
            validity_type=period.get("type", _VALIDITY[1]),
            tags=parameters.get("tags", {}),
        )
        name = _name(caller, profile.name)
        previous = await self._records.get(name)
        try:
            if previous is None:
                await self._records.insert(name, profile)
            elif previous.canceled:
                profile = replace(profile, revocations=previous.revocations)
                await self._records.replace(name, profile, previous=previous)
            else:
                raise AlreadyExistsError(profile.name)
        except (AlreadyExistsError, StaleRevisionError) as error:
            raise ValidationException(f"Signing profile {profile.name} already exists") from error
        partition = partition_of(caller.region)
        return {
            "arn": profile.arn(partition),
            "profileVersion": profile.version,
            "profileVersionArn": profile.version_arn(partition),
        }

    async def get(self, caller: Caller, parameters: Parameters) -> Parameters:
        profile = await self.require(caller, parameters["profileName"], parameters.get("profileOwner"))
        described = describe_profile(profile)
        revocation = profile.revocations.get(profile.version)
        if revocation is not None:
            described["revocationRecord"] = {
                "revocationEffectiveFrom": revocation.effective_from,
                "revokedAt": revocation.revoked_at,
                "revokedBy": revocation.revoked_by,
            }
        return described

    async def list(self, caller: Caller, parameters: Parameters) -> Parameters:
        statuses = parameters.get("statuses") or ["Active"]
        if parameters.get("includeCanceled"):
            statuses = [*statuses, "Canceled"]

        def wanted(profile: SigningProfile) -> bool:
            return profile.status in statuses and parameters.get("platformId", PLATFORM) == PLATFORM

        return await page(self._records, caller, parameters, "profiles", wanted, describe_profile)

    async def cancel(self, caller: Caller, parameters: Parameters) -> Parameters:
        """What it signed stays trusted."""
        profile = await self.require(caller, parameters["profileName"])
        await self._replace(profile, replace(profile, canceled=True))
        return {}

    async def revoke(self, caller: Caller, parameters: Parameters) -> Parameters:
        profile = await self.require(caller, parameters["profileName"])
        now, effective_from = self._clock.now(), seconds(parameters["effectiveTime"])
        if effective_from > now:
            raise ValidationException("The effective time of a revocation cannot be in the future")
        revocation = Revocation(
            reason=parameters["reason"],
            revoked_at=now,
            revoked_by=caller.principal_arn,
            effective_from=effective_from,
        )
        revocations = {**profile.revocations, parameters["profileVersion"]: revocation}
        await self._replace(profile, replace(profile, revocations=revocations))
        return {}

    async def tag(self, caller: Caller, parameters: Parameters) -> Parameters:
        profile = await self._tagged(caller, parameters["resourceArn"])
        await self._replace(profile, replace(profile, tags={**profile.tags, **parameters["tags"]}))
        return {}

    async def untag(self, caller: Caller, parameters: Parameters) -> Parameters:
        profile = await self._tagged(caller, parameters["resourceArn"])
        kept = {key: value for key, value in profile.tags.items() if key not in parameters["tagKeys"]}
        await self._replace(profile, replace(profile, tags=kept))
        return {}

    async def list_tags(self, caller: Caller, parameters: Parameters) -> Parameters:
        return {"tags": dict((await self._tagged(caller, parameters["resourceArn"])).tags)}

    async def require(self, caller: Caller, name: str, owner: str | None = None) -> SigningProfile:
        """Raises ResourceNotFoundException."""
        profile = await self._records.get(Name(owner or caller.account_id, caller.region, "", name))
        if profile is None:
            raise ResourceNotFoundException(f"Signing profile {name} not found")
        return profile

    async def by_arn(self, arn: str) -> SigningProfile | None:
        """Of a profile, or of one of its versions."""
        parsed = Arn.parse(arn)
        name = parsed.resource.removeprefix(_PREFIX).partition("/")[0]
        return await self._records.get(Name(parsed.account_id, parsed.region, "", name))

    async def _tagged(self, caller: Caller, arn: str) -> SigningProfile:
        try:
            profile = await self.by_arn(arn)
        except ValueError as error:
            raise BadRequestException(f"{arn} is not the ARN of a signing profile") from error
        if profile is None or profile.account_id != caller.account_id:
            raise NotFoundException(f"Signing profile {arn} not found")
        return profile

    async def _replace(self, previous: SigningProfile, profile: SigningProfile) -> None:
        name = Name(profile.account_id, profile.region, "", profile.name)
        try:
            await self._records.replace(name, profile, previous=previous)
        except StaleRevisionError as error:
            raise ValidationException("The profile is being changed by somebody else; try again") from error


def describe_profile(profile: SigningProfile) -> Parameters:
    partition = partition_of(profile.region)
    described: Parameters = {
        "profileName": profile.name,
        "profileVersion": profile.version,
        "profileVersionArn": profile.version_arn(partition),
        "platformId": PLATFORM,
        "platformDisplayName": DISPLAY_NAME,
        "signatureValidityPeriod": {"value": profile.validity_value, "type": profile.validity_type},
        "status": profile.status,
        "arn": profile.arn(partition),
    }
    if profile.tags:
        described["tags"] = dict(profile.tags)
    return described


def _name(caller: Caller, name: str) -> Name:
    return Name(caller.account_id, caller.region, "", name)


def _refuse_other_platforms(parameters: Parameters) -> None:
    if parameters["platformId"] != PLATFORM:
        raise ValidationException(f"Lambent signs for {PLATFORM} only, not for {parameters['platformId']}")
    for member in ("signingMaterial", "overrides", "signingParameters"):
        if parameters.get(member):
            raise ValidationException(f"{member} is not of {PLATFORM}")
