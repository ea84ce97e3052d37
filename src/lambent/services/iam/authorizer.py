"""Whether a caller may do what it asks for, by the policies of its role or user."""

from collections.abc import Mapping
from functools import lru_cache

from lambent.base.arn import Arn
from lambent.base.clock import Clock
from lambent.model.caller import Caller
from lambent.model.credential import SessionFacts
from lambent.model.policy import (
    Decision,
    Evaluation,
    Outcome,
    Policies,
    PolicyDocument,
    PolicyKind,
    PolicyType,
    Principal,
    Request,
    combine,
    denial_message,
    evaluate,
    parse_policy,
    request_context,
)
from lambent.model.resource_policy import ResourcePolicy
from lambent.model.role import Role
from lambent.model.user import Group, User, is_user_arn
from lambent.services.iam.access_denied import AccessDenied
from lambent.services.iam.compiled_policies import CompiledPolicies
from lambent.services.iam.entities import Stores
from lambent.services.iam.key_uses import KeyUses
from lambent.store.ports.named_records import Name
from lambent.store.ports.roles import RoleStore

_NOT_AUTHORIZED_HERE = frozenset(
    # AssumeRole weighs the trust policy too, so that sts asks `decide` itself; the others need no permission.
    {
        *("sts:AssumeRole", "sts:AssumeRoleWithWebIdentity", "sts:GetCallerIdentity", "sts:GetSessionToken"),
        "sts:GetAccessKeyInfo",
    }
)
_CREATING_WITHIN = frozenset(
    {"iam:CreateAccessKey", "iam:ListAccessKeys", "iam:ListRoleTags", "iam:ListUserTags"}
)
"""What begins like the creation or the listing of roles, users or groups, but is done to one of them."""
_NO_FACTS = SessionFacts()
_ALLOWED = Outcome(Decision.ALLOWED)
_EVERYTHING = parse_policy(
    '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}',
    PolicyKind.IDENTITY,
)


@lru_cache(maxsize=4096)
def _compiled(document: str) -> PolicyDocument:
    """Of a policy that its service has accepted, and so parsed, before."""
    return parse_policy(document, PolicyKind.RESOURCE)


class Authorizer:
    """The account's root may do everything, a role's session what its role's policies allow, a user what its own and
    its groups' do; all within the session's policies and the boundary. What these are is looked up at the time of the
    request: a deleted role's sessions may do nothing, nor do they gain what a new role of the same name has."""

    def __init__(
        self, store: RoleStore, clock: Clock, stores: Stores | None = None, uses: KeyUses | None = None
    ) -> None:
        """Without `stores` there are roles only. `uses` are told what users' keys are used for."""
        self._uses = uses
        self._store = store
        self._stores = stores
        self._clock = clock
        self._compiled = CompiledPolicies(store, clock, stores)

    async def authorize(
        self,
        caller: Caller,
        action: str,
        resource_arn: str,
        context: Mapping[str, str] | None = None,
        policy: ResourcePolicy | None = None,
    ) -> None:
        """Raises AccessDenied. `context` are condition keys of the service itself, such
        as iam:PassedToService for iam:PassRole; `policy` is what is attached to the resource."""
        if action in _NOT_AUTHORIZED_HERE:
            self._note(caller, action)
            return
        if action.startswith("iam:"):
            resource_arn = await self._own_arn(resource_arn, action)
        own = None if caller.service else await self.decide(caller, action, resource_arn, context)
        if policy is not None:
            attached, principal = self._evaluate(caller, action, resource_arn, context, policy)
            same_account = policy.account_id == caller.account_id
            outcome = combine(own, attached, principal, same_account=same_account, exclusive=policy.exclusive)
        else:
            outcome = own or Outcome(Decision.IMPLICIT_DENY, PolicyType.RESOURCE)
        if not outcome.allowed:
            message = denial_message(caller.principal_arn, action, resource_arn, outcome)
            raise AccessDenied(message, action)

    async def decide(
        self, caller: Caller, action: str, resource_arn: str, context: Mapping[str, str] | None = None
    ) -> Outcome:
        """What the caller's own policies say."""
        if caller.role_arn is None and not caller.session_policies and not is_user_arn(caller.principal_arn):
            return _ALLOWED
        self._note(caller, action)
        found = await self._policies(caller)
        if found is None:
            return Outcome(Decision.IMPLICIT_DENY, PolicyType.IDENTITY)
        policies, principal_tags = found
        request = Request(
            action=action,
            resource=resource_arn,
            principal=Principal(
                account_id=caller.account_id, arn=caller.principal_arn, role_arn=caller.role_arn
            ),
            context=request_context(
                caller,
                resource_arn,
                self._clock.now(),
                principal_tags=principal_tags,
                own=context,
            ),
        )
        return policies.decide(request)

    def _note(self, caller: Caller, action: str) -> None:
        if self._uses is not None and caller.role_arn is None and caller.access_key_id.startswith("AKIA"):
            self._uses.note(caller, action)

    def _evaluate(
        self,
        caller: Caller,
        action: str,
        resource_arn: str,
        context: Mapping[str, str] | None,
        policy: ResourcePolicy,
    ) -> tuple[Evaluation, Principal]:
        """What the resource's policy says of this caller."""
        principal = Principal(
            account_id=None if caller.service else caller.account_id,
            arn=None if caller.service else caller.principal_arn,
            role_arn=caller.role_arn,
            service=caller.service,
        )
        keys = request_context(caller, resource_arn, self._clock.now(), own=context)
        request = Request(action=action, resource=resource_arn, principal=principal, context=keys)
        documents = (_compiled(policy.document),) if policy.document is not None else ()
        return evaluate(documents, request), principal

    async def _own_arn(self, resource_arn: str, action: str) -> str:
        """The ARN of what an IAM operation will find: requests say no path, and any case will do."""
        if action.startswith(("iam:Create", "iam:List")) and action not in _CREATING_WITHIN:
            return resource_arn
        arn = Arn.parse(resource_arn) if resource_arn != "*" else None
        kind = arn.resource.partition("/")[0] if arn is not None else ""
        if arn is None or kind not in ("role", "user", "group"):
            return resource_arn
        name = arn.resource.rpartition("/")[2]
        found: Role | User | Group | None = None
        if kind == "role":
            found = await self._store.get(arn.account_id, name)
        elif self._stores is not None:
            key = Name(arn.account_id, "", "", name.lower())
            found = await (self._stores.users.get(key) if kind == "user" else self._stores.groups.get(key))
        return resource_arn if found is None else found.arn(arn.partition)

    def forget(self, account_id: str) -> None:
        """A role or policy of this account has changed."""
        self._compiled.forget(account_id)

    def forget_all(self) -> None:
        self._compiled.forget_all()

    async def _policies(self, caller: Caller) -> tuple[Policies, Mapping[str, str]] | None:
        """With the tags of the role or user. None where it is gone."""
        session = await self._compiled.of_session(caller.account_id, caller.session_policies)
        facts = caller.session or _NO_FACTS
        acting_as = facts.issuer_arn or caller.principal_arn
        if caller.role_arn is not None:
            compiled = await self._compiled.of_role(caller.account_id, caller.role_arn.rpartition("/")[2])
        elif is_user_arn(acting_as):
            compiled = await self._compiled.of_user(caller.account_id, acting_as.rpartition("/")[2])
        else:
            return Policies(identity=(_EVERYTHING,), session=session), facts.tags
        if compiled is None or compiled.holder.id != (facts.issuer_id or caller.user_id.partition(":")[0]):
            return None
        policies = Policies(identity=compiled.identity, boundary=compiled.boundary, session=session)
        return policies, {**compiled.holder.tags, **facts.tags}
