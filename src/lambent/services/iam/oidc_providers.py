"""OpenID Connect providers: whose tokens sts:AssumeRoleWithWebIdentity takes."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from urllib.parse import urlsplit

from lambent.base.clock import Clock
from lambent.model.caller import Caller, Parameters
from lambent.model.oidc import OidcProvider
from lambent.model.service import Operation
from lambent.services.iam.errors import (
    ConcurrentModification,
    EntityAlreadyExists,
    InvalidInput,
    LimitExceeded,
    NoSuchEntity,
    ValidationError,
)
from lambent.services.iam.limits import CLIENT_IDS_PER_PROVIDER, PROVIDERS
from lambent.services.iam.pages import in_order, page, position
from lambent.services.iam.tags import parse_tags, tag_members, with_tags, without_tags
from lambent.store.ports.errors import AlreadyExistsError, NotFoundError, StaleRevisionError
from lambent.store.ports.named_records import Name, NamedRecords

_ATTEMPTS = 20
_THUMBPRINTS_MOST = 5
_RESOURCE = ":oidc-provider/"
_SCHEME = "https://"


class OidcProviders:
    def __init__(self, records: NamedRecords[OidcProvider], clock: Clock) -> None:
        self._records = records
        self._clock = clock

    def operations(self) -> Mapping[str, Operation]:
        return {
            "CreateOpenIDConnectProvider": self.create,
            "GetOpenIDConnectProvider": self.get,
            "ListOpenIDConnectProviders": self.list,
            "DeleteOpenIDConnectProvider": self.delete,
            "UpdateOpenIDConnectProviderThumbprint": self.update_thumbprints,
            "AddClientIDToOpenIDConnectProvider": self.add_client_id,
            "RemoveClientIDFromOpenIDConnectProvider": self.remove_client_id,
            "TagOpenIDConnectProvider": self.tag,
            "UntagOpenIDConnectProvider": self.untag,
            "ListOpenIDConnectProviderTags": self.list_tags,
        }

    async def create(self, caller: Caller, parameters: Parameters) -> Parameters:
        for member in ("ContextProvider", "IdentityCenterInstanceArn"):
            if member in parameters:
                raise InvalidInput(f"Lambent offers no {member}: there is no identity center.")
        provider = OidcProvider(
            account_id=caller.account_id,
            url=_url(parameters["Url"]),
            client_ids=tuple(parameters.get("ClientIDList", ())),
            thumbprints=_thumbprints(parameters.get("ThumbprintList", ())),
            created_at=float(int(self._clock.now())),
            tags=parse_tags(parameters.get("Tags", ())),
        )
        _check_client_ids(provider)
        if len(await self._records.page(caller.account_id, "", limit=PROVIDERS)) >= PROVIDERS:
            raise LimitExceeded(f"Cannot exceed quota for OpenIdConnectProvidersPerAccount: {PROVIDERS}")
        try:
            await self._records.insert(_name(caller.account_id, provider.url), provider)
        except AlreadyExistsError:
            raise EntityAlreadyExists(f"Provider with url {_SCHEME}{provider.url} already exists.") from None
        answer: Parameters = {"OpenIDConnectProviderArn": provider.arn(caller.partition)}
        return answer | {"Tags": tag_members(provider.tags)} if provider.tags else answer

    async def get(self, caller: Caller, parameters: Parameters) -> Parameters:
        provider = await self._find(caller, parameters)
        return {
            "Url": provider.url,
            "ClientIDList": list(provider.client_ids),
            "ThumbprintList": list(provider.thumbprints),
            "CreateDate": provider.created_at,
            "Tags": tag_members(provider.tags),
        }

    async def list(self, caller: Caller, parameters: Parameters) -> Parameters:
        found = await self._records.page(caller.account_id, "", limit=PROVIDERS)
        return {
            "OpenIDConnectProviderList": [{"Arn": provider.arn(caller.partition)} for _, provider in found]
        }

    async def delete(self, caller: Caller, parameters: Parameters) -> Parameters:
        arn = parameters["OpenIDConnectProviderArn"]
        try:
            await self._records.delete(_named(caller, arn))
        except NotFoundError:
            raise NoSuchEntity(f"OpenId connect Provider {arn} cannot be found.") from None
        return {}

    async def update_thumbprints(self, caller: Caller, parameters: Parameters) -> Parameters:
        thumbprints = _thumbprints(parameters["ThumbprintList"])
        await self._change(caller, parameters, lambda provider: replace(provider, thumbprints=thumbprints))
        return {}

    async def add_client_id(self, caller: Caller, parameters: Parameters) -> Parameters:
        """Adding one that is there changes nothing."""
        client_id = parameters["ClientID"]

        def edit(provider: OidcProvider) -> OidcProvider:
            if client_id in provider.client_ids:
                return provider
            changed = replace(provider, client_ids=(*provider.client_ids, client_id))
            _check_client_ids(changed)
            return changed

        await self._change(caller, parameters, edit)
        return {}

    async def remove_client_id(self, caller: Caller, parameters: Parameters) -> Parameters:
        """Removing one that is not there changes nothing."""

        def edit(provider: OidcProvider) -> OidcProvider:
            left = tuple(one for one in provider.client_ids if one != parameters["ClientID"])
            return replace(provider, client_ids=left)

        await self._change(caller, parameters, edit)
        return {}

    async def tag(self, caller: Caller, parameters: Parameters) -> Parameters:
        added = parse_tags(parameters["Tags"])
        await self._change(
            caller, parameters, lambda provider: replace(provider, tags=with_tags(provider.tags, added))
        )
        return {}

    async def untag(self, caller: Caller, parameters: Parameters) -> Parameters:
        keys = parameters["TagKeys"]
        await self._change(
            caller, parameters, lambda provider: replace(provider, tags=without_tags(provider.tags, keys))
        )
        return {}

    async def list_tags(self, caller: Caller, parameters: Parameters) -> Parameters:
        provider = await self._find(caller, parameters)
        keys, paging = await page(parameters, in_order(provider.tags, str, position(parameters)), str)
        return {"Tags": tag_members({key: provider.tags[key] for key in keys}), **paging}

    async def _find(self, caller: Caller, parameters: Parameters) -> OidcProvider:
        """Raises NoSuchEntity, InvalidInput."""
        arn = parameters["OpenIDConnectProviderArn"]
        found = await self._records.get(_named(caller, arn))
        if found is None:
            raise NoSuchEntity(f"OpenIDConnect Provider not found for arn {arn}")
        return found

    async def _change(
        self, caller: Caller, parameters: Parameters, edit: Callable[[OidcProvider], OidcProvider]
    ) -> None:
        for _ in range(_ATTEMPTS):
            previous = await self._find(caller, parameters)
            provider = edit(previous)
            try:
                await self._records.replace(
                    _name(caller.account_id, provider.url), provider, previous=previous
                )
            except (StaleRevisionError, NotFoundError):
                continue
            return
        raise ConcurrentModification("The provider is being modified by other requests.")


def _named(caller: Caller, arn: str) -> Name:
    """Raises InvalidInput for what is no provider's ARN. Other accounts have none here."""
    before, found, url = arn.partition(_RESOURCE)
    if not found or not url or not before.startswith("arn:"):
        raise InvalidInput(f"Invalid ARN: {arn}")
    return _name(before.rpartition(":")[2], url) if before.endswith(caller.account_id) else _name("", url)


def _name(account_id: str, url: str) -> Name:
    return Name(account_id, "", "", url)


def _url(given: str) -> str:
    """Raises ValidationError."""
    parts = urlsplit(given)
    if parts.scheme != "https" or not parts.hostname or parts.query or parts.fragment or "@" in parts.netloc:
        raise ValidationError("Invalid Open ID Connect Provider URL")
    return given.removeprefix(_SCHEME)


def _thumbprints(given: "list[str]") -> tuple[str, ...]:
    if len(given) > _THUMBPRINTS_MOST:
        raise InvalidInput("Thumbprint list must contain fewer than 5 entries.")
    return tuple(given)


def _check_client_ids(provider: OidcProvider) -> None:
    if len(provider.client_ids) > CLIENT_IDS_PER_PROVIDER:
        raise LimitExceeded(
            f"Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: {CLIENT_IDS_PER_PROVIDER}"
        )
