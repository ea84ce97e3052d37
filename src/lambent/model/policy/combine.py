"""How a principal's own policies and the policy of the resource decide together.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from lambent.model.policy.evaluate import Decision, Evaluation, Outcome, PolicyType
from lambent.model.policy.principal import Match, Principal


def combine(
    own: Outcome | None,
    attached: Evaluation,
    principal: Principal,
    *,
    same_account: bool,
    exclusive: bool = False,
) -> Outcome:
    """`own` is what the principal's policies say (None: an AWS service, which has none), `attached` what the resource's
    policy says. Whoever denies wins. Within an account either is enough to allow, across accounts it takes both.
    Where the resource's is `exclusive`, nobody is allowed whom it does not allow."""
    if attached.decision is Decision.EXPLICIT_DENY:
        return Outcome(Decision.EXPLICIT_DENY, PolicyType.RESOURCE)
    if exclusive and not attached.allowed and (own is None or own.allowed):
        return Outcome(Decision.IMPLICIT_DENY, PolicyType.RESOURCE)
    if own is not None and same_account:
        lacks_permission = own == Outcome(Decision.IMPLICIT_DENY, PolicyType.IDENTITY)
        return Outcome(Decision.ALLOWED) if lacks_permission and _names(attached, principal) else own
    if own is not None and not own.allowed:
        return own
    if attached.allowed:
        return Outcome(Decision.ALLOWED)
    return Outcome(Decision.IMPLICIT_DENY, PolicyType.RESOURCE)


def _names(attached: Evaluation, principal: Principal) -> bool:
    """Whether it allows the principal itself, not only its account, which leaves the decision to the account."""
    return attached.allowed and any(
        statement.principal is None or statement.principal.match(principal) is Match.DIRECT
        for statement in attached.statements
    )
