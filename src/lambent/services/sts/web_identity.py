"""AssumeRoleWithWebIdentity: a role for whoever an OpenID Connect provider of the role's account vouches for.

Nobody signs the request: the token says who calls, and the role's trust policy who may.
"""

from lambent.base.arn import Arn
from lambent.base.clock import Clock
from lambent.model.caller import Caller, Parameters
from lambent.model.oidc import OidcProvider
from lambent.model.policy import PolicyKind, Principal, Request, evaluate, parse_policy, request_context
from lambent.model.role import Role
from lambent.services.sts.assume_role import assumed_duration, find_role
from lambent.services.sts.errors import (
    AccessDenied,
    ExpiredTokenException,
    InvalidIdentityToken,
    ValidationError,
)
from lambent.services.sts.identity_token import IdentityToken, read_token, signed_by
from lambent.services.sts.issuer_keys import IssuerKeys, Send
from lambent.services.sts.session_policies import session_policies
from lambent.services.sts.sessions import SessionTokens
from lambent.services.sts.shapes import credentials_members
from lambent.store.ports.named_records import Name, NamedRecords
from lambent.store.ports.roles import RoleStore

_ACTION = "sts:AssumeRoleWithWebIdentity"
_SCHEME = "https://"
_SKEW_SECONDS = 300.0


class AssumeRoleWithWebIdentity:
    def __init__(
        self,
        store: RoleStore,
        providers: NamedRecords[OidcProvider],
        sessions: SessionTokens,
        clock: Clock,
        send: Send,
    ) -> None:
        self._store = store
        self._providers = providers
        self._sessions = sessions
        self._clock = clock
        self._keys = IssuerKeys(send, clock)

    async def __call__(self, caller: Caller, parameters: Parameters) -> Parameters:
        if "ProviderId" in parameters:
            raise ValidationError("ProviderId is for OAuth 2.0 access tokens, which Lambent does not take.")
        account_id = _account_of(parameters["RoleArn"])
        token = read_token(parameters["WebIdentityToken"])
        provider = await self._provider(account_id, token)
        self._check_times(token)
        audience = _audience(provider, token)
        if not any(signed_by(token, key) for key in await self._keys.of(_issuer(token), token.key_id)):
            raise InvalidIdentityToken("Provided Token's signature could not be verified.")
        role = await self._trusted_role(caller, parameters, provider, token, audience)
        policies, packed_percent = session_policies(role.account_id, parameters, {})
        credential = self._sessions.issue(
            role,
            parameters["RoleSessionName"],
            assumed_duration(caller, role, parameters),
            session_policies=policies,
            partition=caller.partition,
            minimum_token_size=parameters.get("MinimumSessionTokenSize", 0),
        )
        answer = credentials_members(credential)
        answer |= {
            "SubjectFromWebIdentityToken": token.text("sub"),
            "AssumedRoleUser": {"AssumedRoleId": credential.user_id, "Arn": credential.principal_arn},
            "Provider": provider.arn(caller.partition),
            "Audience": audience,
        }
        return answer | {"PackedPolicySize": packed_percent} if packed_percent else answer

    async def _provider(self, account_id: str, token: IdentityToken) -> OidcProvider:
        issuer = _issuer(token)
        name = Name(account_id, "", "", issuer.removeprefix(_SCHEME))
        provider = await self._providers.get(name) if issuer.startswith(_SCHEME) else None
        if provider is None:
            raise InvalidIdentityToken(f"No OpenIDConnect provider found in your account for {issuer}")
        return provider

    def _check_times(self, token: IdentityToken) -> None:
        """Raises ExpiredTokenException, InvalidIdentityToken."""
        now = self._clock.now()
        expires, begins, issued = (token.time(claim) for claim in ("exp", "nbf", "iat"))
        if expires is None or issued is None or not token.text("sub"):
            missing = "exp" if expires is None else "iat" if issued is None else "sub"
            raise InvalidIdentityToken(f"Missing a required claim: {missing}")
        if now >= expires:
            raise ExpiredTokenException(
                f"Token expired: current date/time {int(now)} must be before the expiration date/time {int(expires)}"
            )
        if max(issued, begins or issued) > now + _SKEW_SECONDS:
            raise InvalidIdentityToken("The token is not valid yet.")

    async def _trusted_role(
        self,
        caller: Caller,
        parameters: Parameters,
        provider: OidcProvider,
        token: IdentityToken,
        audience: str,
    ) -> Role:
        """A role that does not exist is refused like one that trusts somebody else."""
        role = await find_role(self._store, parameters["RoleArn"], caller.partition)
        keys = {"sts:RoleSessionName": parameters["RoleSessionName"]}
        keys |= {
            f"{provider.url}:{claim}": value
            for claim, value in token.claims.items()
            if isinstance(value, str) and claim != "aud"
        }
        keys[f"{provider.url}:aud"] = audience
        original = token.claims.get("aud")
        if isinstance(original, str) and original != audience:
            keys[f"{provider.url}:oaud"] = original
        request = Request(
            action=_ACTION,
            resource=parameters["RoleArn"],
            principal=Principal(account_id=None, arn=None, federated=provider.arn(caller.partition)),
            context=request_context(caller, parameters["RoleArn"], self._clock.now(), own=keys),
        )
        if role is None or not evaluate([parse_policy(role.trust_policy, PolicyKind.TRUST)], request).allowed:
            raise AccessDenied(f"Not authorized to perform {_ACTION}")
        return role


def _account_of(role_arn: str) -> str:
    try:
        arn = Arn.parse(role_arn)
    except ValueError:
        raise ValidationError(f"{role_arn} is invalid") from None
    return arn.account_id


def _issuer(token: IdentityToken) -> str:
    return token.text("iss") or ""


def _audience(provider: OidcProvider, token: IdentityToken) -> str:
    for audience in token.audiences():
        if audience in provider.client_ids:
            return audience
    raise InvalidIdentityToken("Incorrect token audience")
