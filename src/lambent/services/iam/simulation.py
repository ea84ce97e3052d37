"""SimulatePrincipalPolicy and SimulateCustomPolicy: what the policies would decide, without doing
anything."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from lambent.base.arn import Arn
from lambent.base.clock import Clock
from lambent.model.caller import Caller, Parameters
from lambent.model.policy import (
    Context,
    Evaluation,
    Policies,
    PolicyDocument,
    PolicyKind,
    Request,
    evaluate,
    parse_policy,
)
from lambent.model.role import Role
from lambent.model.service import Operation
from lambent.services.iam.aws_managed import find_aws_managed
from lambent.services.iam.documents import check_document
from lambent.services.iam.errors import InvalidInput, NoSuchEntity
from lambent.services.iam.pages import in_order, page, position
from lambent.services.iam.records import Records, policy_name

_NOT_SIMULATED = {
    "ResourcePolicy": "is simulated for IAM users only, which Lambent does not have",
    "CallerArn": "names an IAM user, which Lambent does not have",
    "ResourceOwner": "only matters to a ResourcePolicy, which Lambent does not simulate",
    "ResourceHandlingOption": "is about Amazon EC2, which Lambent does not have",
    "PolicyExclusionList": "is not offered by Lambent",
    "OrderedOrganizationPolicyInputList": "is about AWS Organizations, which Lambent does not have",
}


@dataclass(frozen=True, slots=True)
class _Source:
    id: str
    type: str
    document: PolicyDocument


class Simulation:
    def __init__(self, records: Records, clock: Clock) -> None:
        self._records = records
        self._clock = clock

    def operations(self) -> Mapping[str, Operation]:
        return {
            "SimulatePrincipalPolicy": self.principal,
            "SimulateCustomPolicy": self.custom,
        }

    async def custom(self, caller: Caller, parameters: Parameters) -> Parameters:
        boundary = _inputs(parameters, "PermissionsBoundaryPolicyInputList")
        return await self._simulate(parameters, _inputs(parameters, "PolicyInputList"), boundary or None)

    async def principal(self, caller: Caller, parameters: Parameters) -> Parameters:
        """Boundary policies that are given replace the role's own boundary."""
        role = await self._role(caller, parameters["PolicySourceArn"])
        sources = [
            _Source(f"role_{role.name}_{name}", "role", parse_policy(text, PolicyKind.IDENTITY))
            for name, text in role.inline_policies.items()
        ]
        sources += [await self._managed(caller, arn) for arn in role.attached_policies]
        boundary = _inputs(parameters, "PermissionsBoundaryPolicyInputList")
        if not boundary and role.permissions_boundary:
            boundary = [await self._managed(caller, role.permissions_boundary)]
        return await self._simulate(
            parameters, sources + _inputs(parameters, "PolicyInputList"), boundary or None
        )

    async def _simulate(
        self, parameters: Parameters, sources: Sequence[_Source], boundary: Sequence[_Source] | None
    ) -> Parameters:
        for member, reason in _NOT_SIMULATED.items():
            if parameters.get(member):
                raise InvalidInput(f"{member} {reason}.")
        context = self._context(parameters)
        results = [
            _result(Request(action=action, resource=resource, context=context), sources, boundary)
            for action in parameters["ActionNames"]
            for resource in parameters.get("ResourceArns") or ["*"]
        ]
        numbers = in_order(range(len(results)), _sortable, position(parameters))
        taken, paging = await page(parameters, numbers, _sortable)
        return {"EvaluationResults": [results[number] for number in taken], **paging}

    def _context(self, parameters: Parameters) -> Context:
        now = self._clock.now()
        given = {
            entry["ContextKeyName"].lower(): tuple(entry.get("ContextKeyValues", ()))
            for entry in parameters.get("ContextEntries", ())
            if "ContextKeyName" in entry
        }
        return {
            "aws:currenttime": (datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),),
            "aws:epochtime": (str(int(now)),),
            **given,
        }

    async def _role(self, caller: Caller, arn: str) -> Role:
        try:
            parsed = Arn.parse(arn)
        except ValueError:
            raise InvalidInput(f"Invalid Entity Arn: {arn}") from None
        role = await self._records.store.get(caller.account_id, parsed.resource.rpartition("/")[2])
        if role is None or role.arn(caller.partition) != arn:
            raise NoSuchEntity(f"Unknown entity: {arn}")
        return role

    async def _managed(self, caller: Caller, arn: str) -> _Source:
        ours = find_aws_managed(arn)
        if ours is not None:
            return _Source(ours.name, "aws-managed", parse_policy(ours.document, PolicyKind.IDENTITY))
        policy = await self._records.policy(caller, arn)
        texts = {version.id: version.document for version in policy.versions}
        document = parse_policy(texts[policy.default_version_id], PolicyKind.IDENTITY)
        return _Source(policy_name(arn), "user-managed", document)


def _inputs(parameters: Parameters, member: str) -> list[_Source]:
    return [
        _Source(
            f"{member}.{number}",
            "none",
            parse_policy(check_document(text, PolicyKind.IDENTITY), PolicyKind.IDENTITY),
        )
        for number, text in enumerate(parameters.get(member, ()), 1)
    ]


def _result(request: Request, sources: Sequence[_Source], boundary: Sequence[_Source] | None) -> Parameters:
    identity = [source.document for source in sources]
    limit = None if boundary is None else [source.document for source in boundary]
    outcome = Policies(identity=identity, boundary=limit).decide(request)
    result: Parameters = {
        "EvalActionName": request.action,
        "EvalResourceName": request.resource,
        "EvalDecision": outcome.decision.value,
        "MatchedStatements": _matched([*sources, *(boundary or ())], request, outcome.decision.value),
        "MissingContextValues": _missing([*sources, *(boundary or ())], request.context),
    }
    if limit is not None:
        allowed = evaluate(limit, request).allowed
        result["PermissionsBoundaryDecisionDetail"] = {"AllowedByPermissionsBoundary": allowed}
    return result


def _matched(sources: Sequence[_Source], request: Request, decision: str) -> list[Parameters]:
    """The policies whose statements made the decision, once for each statement."""
    matched = []
    for source in sources:
        evaluation: Evaluation = evaluate([source.document], request)
        if evaluation.decision.value == decision:
            statement = {"SourcePolicyId": source.id, "SourcePolicyType": source.type}
            matched += [statement] * len(evaluation.statements)
    return matched


def _missing(sources: Sequence[_Source], context: Context) -> list[str]:
    keys = {
        condition.key
        for source in sources
        for statement in source.document.statements
        for condition in statement.conditions
    }
    return sorted(keys - context.keys())


def _sortable(number: int) -> str:
    return f"{number:09}"
