"""What policies decide about a request: an explicit deny overrides every allow; the default is to deny."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum

from lambent.model.policy.document import PolicyDocument, Statement
from lambent.model.policy.pattern import Context
from lambent.model.policy.principal import Principal


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """`principal` is only looked at by statements that have a Principal element."""

    action: str
    resource: str
    principal: Principal | None = None
    context: Context = field(default_factory=dict)


class Decision(Enum):
    """AWS's words for it (PolicyEvaluationDecisionType)."""

    ALLOWED = "allowed"
    EXPLICIT_DENY = "explicitDeny"
    IMPLICIT_DENY = "implicitDeny"


@dataclass(frozen=True, slots=True)
class Evaluation:
    """`statements` are those that apply and have the effect that was decided; none for an implicit deny."""

    decision: Decision
    statements: tuple[Statement, ...] = ()

    @property
    def allowed(self) -> bool:
        return self.decision is Decision.ALLOWED


class PolicyType(Enum):
    """With the article and words of AWS's messages."""

    IDENTITY = ("an", "identity-based policy")
    BOUNDARY = ("a", "permissions boundary")
    SESSION = ("a", "session policy")
    RESOURCE = ("a", "resource-based policy")


@dataclass(frozen=True, slots=True)
class Outcome:
    """`policy_type` says which kind of policy denied; None where allowed."""

    decision: Decision
    policy_type: PolicyType | None = None

    @property
    def allowed(self) -> bool:
        return self.decision is Decision.ALLOWED


@dataclass(frozen=True, slots=True, kw_only=True)
class Policies:
    """All that bears on one principal: it may do what each kind that is there (not None) allows."""

    identity: Sequence[PolicyDocument]
    boundary: Sequence[PolicyDocument] | None = None
    session: Sequence[PolicyDocument] | None = None

    def decide(self, request: Request) -> Outcome:
        """Names IDENTITY only where nothing else denies: a resource's own policy can make up for that."""
        results = [
            (kind, evaluate(documents, request).decision)
            for kind, documents in (
                (PolicyType.BOUNDARY, self.boundary),
                (PolicyType.SESSION, self.session),
                (PolicyType.IDENTITY, self.identity),
            )
            if documents is not None
        ]
        for denial in (Decision.EXPLICIT_DENY, Decision.IMPLICIT_DENY):
            for kind, decision in results:
                if decision is denial:
                    return Outcome(decision, kind)
        return Outcome(Decision.ALLOWED)


def evaluate(documents: Iterable[PolicyDocument], request: Request) -> Evaluation:
    allowing: list[Statement] = []
    denying: list[Statement] = []
    for document in documents:
        for statement in document.statements:
            if _applies(statement, request):
                (allowing if statement.effect == "Allow" else denying).append(statement)
    if denying:
        return Evaluation(Decision.EXPLICIT_DENY, tuple(denying))
    if allowing:
        return Evaluation(Decision.ALLOWED, tuple(allowing))
    return Evaluation(Decision.IMPLICIT_DENY)


def _applies(statement: Statement, request: Request) -> bool:
    context = request.context
    if not statement.action.matches(request.action, context):
        return False
    if statement.resource is not None and not statement.resource.matches(request.resource, context):
        return False
    if statement.principal is not None and (
        request.principal is None or not statement.principal.match(request.principal)
    ):
        return False
    return all(condition.holds(context) for condition in statement.conditions)


def denial_message(principal_arn: str, action: str, resource_arn: str, outcome: Outcome) -> str:
    """AWS's sentence for a denial.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html"""
    assert outcome.policy_type is not None
    article, words = outcome.policy_type.value
    message = f"User: {principal_arn} is not authorized to perform: {action} on resource: {resource_arn}"
    if outcome.decision is Decision.EXPLICIT_DENY:
        return f"{message} with an explicit deny in {article} {words}"
    return f"{message} because no {words} allows the {action} action"
