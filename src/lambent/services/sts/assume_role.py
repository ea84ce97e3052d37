"""AssumeRole: a role's trust policy, weighed with the caller's own policies."""

import math
import zlib
from collections.abc import Sequence
from typing import Protocol

from lambent.base.arn import Arn
from lambent.base.clock import Clock
from lambent.model.caller import Caller, Parameters
from lambent.model.policy import (
    Context,
    Decision,
    MalformedPolicyError,
    Match,
    Outcome,
    PolicyKind,
    PolicyType,
    Principal,
    Request,
    evaluate,
    parse_policy,
    request_context,
)
from lambent.model.role import Role
from lambent.services.sts.errors import (
    AccessDenied,
    MalformedPolicyDocument,
    PackedPolicyTooLarge,
    ValidationError,
)
from lambent.services.sts.sessions import SessionTokens
from lambent.services.sts.shapes import credentials_members
from lambent.store.ports.roles import RoleStore

_ACTION = "sts:AssumeRole"
_SESSION_POLICIES_SIZE = 2048
_CHAINED_DURATION = 3600
_NOT_OFFERED = ("Tags", "TransitiveTagKeys", "SourceIdentity", "ProvidedContexts")


class CallerPolicies(Protocol):
    """What the caller's own policies say: services.iam.authorizer.Authorizer."""

    async def decide(self, caller: Caller, action: str, resource_arn: str) -> Outcome: ...


class AssumeRole:
    """Unlike AWS's, an account's root may assume roles too: here it is the key that tools are run with."""

    def __init__(
        self, store: RoleStore, clock: Clock, sessions: SessionTokens, policies: CallerPolicies
    ) -> None:
        self._store = store
        self._clock = clock
        self._sessions = sessions
        self._policies = policies

    async def __call__(self, caller: Caller, parameters: Parameters) -> Parameters:
        _check_offered(parameters)
        role = await self._allowed_role(caller, parameters)
        duration = _duration(caller, role, parameters)
        session_policies, packed_percent = _session_policies(role, parameters)
        credential = self._sessions.issue(
            role,
            parameters["RoleSessionName"],
            duration,
            session_policies=session_policies,
            partition=caller.partition,
            minimum_token_size=parameters.get("MinimumSessionTokenSize", 0),
        )
        answer = credentials_members(credential)
        answer["AssumedRoleUser"] = {"AssumedRoleId": credential.user_id, "Arn": credential.principal_arn}
        if session_policies:
            answer["PackedPolicySize"] = packed_percent
        return answer

    async def _allowed_role(self, caller: Caller, parameters: Parameters) -> Role:
        """A role that does not exist is refused like one that does, so that nobody finds out which do."""
        role_arn = parameters["RoleArn"]
        role = await self._find(role_arn, caller.partition)
        if role is None or not await self._allows(caller, role, parameters):
            raise AccessDenied(
                f"User: {caller.principal_arn} is not authorized to perform: {_ACTION} "
                f"on resource: {role_arn}"
            )
        return role

    async def _find(self, role_arn: str, partition: str) -> Role | None:
        try:
            arn = Arn.parse(role_arn)
        except ValueError:
            raise ValidationError(f"{role_arn} is invalid") from None
        role = await self._store.get(arn.account_id, arn.resource.rpartition("/")[2])
        return role if role is not None and role.arn(partition) == role_arn else None

    async def _allows(self, caller: Caller, role: Role, parameters: Parameters) -> bool:
        """The trust policy must allow it. The caller's own policies must too, unless the trust policy names
        the caller itself, and not just its account, and both are of one account."""
        principal = Principal(
            account_id=caller.account_id, arn=caller.principal_arn, role_arn=caller.role_arn
        )
        request = Request(
            action=_ACTION,
            resource=parameters["RoleArn"],
            principal=principal,
            context=self._context(caller, parameters),
        )
        trust = evaluate([parse_policy(role.trust_policy, PolicyKind.TRUST)], request)
        if not trust.allowed:
            return False
        own = await self._policies.decide(caller, _ACTION, parameters["RoleArn"])
        if own.allowed:
            return True
        named = any(
            statement.principal is not None and statement.principal.match(principal) is Match.DIRECT
            for statement in trust.statements
        )
        only_silent = own == Outcome(Decision.IMPLICIT_DENY, PolicyType.IDENTITY)
        return named and only_silent and caller.account_id == role.account_id

    def _context(self, caller: Caller, parameters: Parameters) -> Context:
        own = {"sts:RoleSessionName": parameters["RoleSessionName"]}
        if "ExternalId" in parameters:
            own["sts:ExternalId"] = parameters["ExternalId"]
        return request_context(caller, parameters["RoleArn"], self._clock.now(), own=own)


def _check_offered(parameters: Parameters) -> None:
    for member in _NOT_OFFERED:
        if parameters.get(member):
            raise ValidationError(
                f"{member} is not offered by Lambent: sessions carry no tags or identities."
            )
    if "SerialNumber" in parameters or "TokenCode" in parameters:
        raise AccessDenied("MultiFactorAuthentication failed: Lambent has no MFA devices.")


def _duration(caller: Caller, role: Role, parameters: Parameters) -> int:
    duration = int(parameters.get("DurationSeconds", _CHAINED_DURATION))
    if duration > role.max_session_duration:
        raise ValidationError(
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
        )
    if caller.role_arn is not None and duration > _CHAINED_DURATION:
        raise ValidationError(
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by "
            "role chaining."
        )
    return duration


def _session_policies(role: Role, parameters: Parameters) -> tuple[Sequence[str], int]:
    """They, and how much of the room for them they take when packed, in percent.

    Managed ones must be of the role's account or AWS's."""
    policies = [given["arn"] for given in parameters.get("PolicyArns", ()) if "arn" in given]
    for arn in policies:
        if not arn.startswith("arn:") or arn.split(":")[4:5] not in (["aws"], [role.account_id]):
            raise ValidationError(
                f"Value '{arn}' at 'policyArns' is not a managed policy of the role's account."
            )
    if "Policy" in parameters:
        try:
            parse_policy(parameters["Policy"], PolicyKind.IDENTITY)
        except MalformedPolicyError as error:
            raise MalformedPolicyDocument(str(error)) from None
        policies.append(parameters["Policy"])
    if sum(len(policy) for policy in policies) > _SESSION_POLICIES_SIZE:
        raise PackedPolicyTooLarge(
            f"The session policies exceed {_SESSION_POLICIES_SIZE} characters, more than a session can carry."
        )
    packed = zlib.compress("\n".join(policies).encode())
    return policies, min(100, math.ceil(100 * len(packed) / _SESSION_POLICIES_SIZE))
