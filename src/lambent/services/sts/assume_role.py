"""AssumeRole: a role's trust policy, weighed with the caller's own policies."""

import re
from typing import Protocol

from lambent.base.arn import Arn
from lambent.base.clock import Clock
from lambent.model.caller import Caller, Parameters
from lambent.model.credential import SessionFacts
from lambent.model.policy import (
    Context,
    Decision,
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
from lambent.services.sts.errors import AccessDenied, ValidationError
from lambent.services.sts.session_policies import session_policies
from lambent.services.sts.session_tags import requested_facts
from lambent.services.sts.sessions import SessionTokens
from lambent.services.sts.shapes import credentials_members
from lambent.store.ports.roles import RoleStore

_ACTION = "sts:AssumeRole"
_CHAINED_DURATION = 3600
_ARN = re.compile(r"arn:[^:]+:[^:]+:[^:]*:[^:]*:.+")


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
        if not _ARN.fullmatch(parameters["RoleArn"]):
            raise ValidationError(f"{parameters['RoleArn']} is invalid")
        facts = requested_facts(caller, parameters)
        role = await self._allowed_role(caller, parameters, facts)
        duration = assumed_duration(caller, role, parameters)
        policies, packed_percent = session_policies(role.account_id, parameters, facts.tags)
        credential = self._sessions.issue(
            role,
            parameters["RoleSessionName"],
            duration,
            session_policies=policies,
            facts=facts,
            partition=caller.partition,
            minimum_token_size=parameters.get("MinimumSessionTokenSize", 0),
        )
        answer = credentials_members(credential)
        answer["AssumedRoleUser"] = {"AssumedRoleId": credential.user_id, "Arn": credential.principal_arn}
        if packed_percent:
            answer["PackedPolicySize"] = packed_percent
        if facts.source_identity is not None:
            answer["SourceIdentity"] = facts.source_identity
        return answer

    async def _allowed_role(self, caller: Caller, parameters: Parameters, facts: SessionFacts) -> Role:
        """A role that does not exist is refused like one that does, so that nobody finds out which do."""
        role_arn = parameters["RoleArn"]
        role = await find_role(self._store, role_arn, caller.partition)
        needed = [_ACTION]
        if facts.tags:
            needed.append("sts:TagSession")
        if facts.source_identity is not None:
            needed.append("sts:SetSourceIdentity")
        for action in needed:
            if role is None or not await self._allows(caller, role, action, parameters, facts):
                raise AccessDenied(
                    f"User: {caller.principal_arn} is not authorized to perform: {action} "
                    f"on resource: {role_arn}"
                )
        assert role is not None
        return role

    async def _allows(
        self, caller: Caller, role: Role, action: str, parameters: Parameters, facts: SessionFacts
    ) -> bool:
        """The trust policy must allow it. The caller's own policies must too, unless the trust policy names
        the caller itself, and not just its account, and both are of one account."""
        principal = Principal(
            account_id=caller.account_id, arn=caller.principal_arn, role_arn=caller.role_arn
        )
        request = Request(
            action=action,
            resource=parameters["RoleArn"],
            principal=principal,
            context=self._context(caller, parameters, facts),
        )
        trust = evaluate([parse_policy(role.trust_policy, PolicyKind.TRUST)], request)
        if not trust.allowed:
            return False
        own = await self._policies.decide(caller, action, parameters["RoleArn"])
        if own.allowed:
            return True
        named = any(
            statement.principal is not None and statement.principal.match(principal) is Match.DIRECT
            for statement in trust.statements
        )
        only_silent = own == Outcome(Decision.IMPLICIT_DENY, PolicyType.IDENTITY)
        return named and only_silent and caller.account_id == role.account_id

    def _context(self, caller: Caller, parameters: Parameters, facts: SessionFacts) -> Context:
        own = {"sts:RoleSessionName": parameters["RoleSessionName"]}
        if "ExternalId" in parameters:
            own["sts:ExternalId"] = parameters["ExternalId"]
        if facts.source_identity is not None:
            own["sts:SourceIdentity"] = facts.source_identity
        own |= {f"aws:RequestTag/{key}": value for key, value in facts.tags.items()}
        context = request_context(caller, parameters["RoleArn"], self._clock.now(), own=own)
        if not facts.tags:
            return context
        keys = {"aws:tagkeys": tuple(facts.tags), "sts:transitivetagkeys": facts.transitive_tag_keys}
        return {**context, **keys}


async def find_role(store: RoleStore, role_arn: str, partition: str) -> Role | None:
    arn = Arn.parse(role_arn)
    role = await store.get(arn.account_id, arn.resource.rpartition("/")[2])
    return role if role is not None and role.arn(partition) == role_arn else None


def _check_offered(parameters: Parameters) -> None:
    if parameters.get("ProvidedContexts"):
        raise ValidationError("ProvidedContexts is not offered by Lambent: there is no identity center.")
    if "SerialNumber" in parameters or "TokenCode" in parameters:
        raise AccessDenied("MultiFactorAuthentication failed: Lambent has no MFA devices.")


def assumed_duration(caller: Caller, role: Role, parameters: Parameters) -> int:
    """Of the session, in seconds. Raises ValidationError."""
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
