"""Managed policies: the customer's, and AWS's to look at."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace

from lambent.base.clock import Clock
from lambent.model.caller import Caller, Parameters
from lambent.model.policy import PolicyKind
from lambent.model.role import ManagedPolicy, PolicyVersion
from lambent.model.service import Operation
from lambent.services.iam.aws_managed import AwsManagedPolicy, aws_managed_policies, find_aws_managed
from lambent.services.iam.documents import check_document
from lambent.services.iam.errors import DeleteConflict, LimitExceeded
from lambent.services.iam.identifiers import new_policy_id
from lambent.services.iam.limits import MANAGED_POLICY_SIZE, policy_size
from lambent.services.iam.pages import in_order, page, position
from lambent.services.iam.policy_usage import PolicyUsage, Usage
from lambent.services.iam.records import Records
from lambent.services.iam.shapes import created_policy, full_policy, listed_policy
from lambent.services.iam.tags import parse_tags, tag_members, with_tags, without_tags

AnyPolicy = ManagedPolicy | AwsManagedPolicy


class Policies:
    def __init__(self, records: Records, usage: PolicyUsage, clock: Clock) -> None:
        self._records = records
        self._usage = usage
        self._clock = clock

    def operations(self) -> Mapping[str, Operation]:
        return {
            "CreatePolicy": self.create,
            "GetPolicy": self.get,
            "DeletePolicy": self.delete,
            "ListPolicies": self.list,
            "TagPolicy": self.tag,
            "UntagPolicy": self.untag,
            "ListPolicyTags": self.list_tags,
        }

    async def create(self, caller: Caller, parameters: Parameters) -> Parameters:
        now = float(int(self._clock.now()))
        version = PolicyVersion(
            id="v1", document=managed_document(parameters["PolicyDocument"]), created_at=now
        )
        policy = ManagedPolicy(
            account_id=caller.account_id,
            name=parameters["PolicyName"],
            path=parameters.get("Path", "/"),
            id=new_policy_id(),
            description=parameters.get("Description", ""),
            created_at=now,
            updated_at=now,
            versions=(version,),
            tags=parse_tags(parameters.get("Tags", ())),
        )
        await self._records.insert_policy(policy)
        return {"Policy": created_policy(policy, caller)}

    async def get(self, caller: Caller, parameters: Parameters) -> Parameters:
        arn = parameters["PolicyArn"]
        policy = find_aws_managed(arn) or await self._records.policy(caller, arn)
        usage = await self._usage.count(caller)
        return {"Policy": full_policy(policy, caller, **usage.counts(arn))}

    async def delete(self, caller: Caller, parameters: Parameters) -> Parameters:
        arn = parameters["PolicyArn"]
        policy = await self._records.policy(caller, arn)
        usage = await self._usage.count(caller)
        if any(usage.counts(arn).values()):
            raise DeleteConflict("Cannot delete a policy attached to entities.")
        if len(policy.versions) > 1:
            raise DeleteConflict(
                "This policy has more than one version. Before you delete a policy, you must delete the "
                "policy's versions. The default version is deleted with the policy."
            )
        await self._records.delete_policy(caller, policy)
        return {}

    async def list(self, caller: Caller, parameters: Parameters) -> Parameters:
        usage = await self._usage.count(caller)
        entries = self._listed(caller, parameters, usage)
        policies, paging = await page(parameters, entries, _key)
        members = [
            listed_policy(policy, caller, **usage.counts(policy.arn(caller.partition))) for policy in policies
        ]
        return {"Policies": members, **paging}

    async def tag(self, caller: Caller, parameters: Parameters) -> Parameters:
        added = parse_tags(parameters["Tags"])

        def edit(policy: ManagedPolicy) -> ManagedPolicy:
            return replace(policy, tags=with_tags(policy.tags, added))

        await self._records.change_policy(caller, parameters["PolicyArn"], edit)
        return {}

    async def untag(self, caller: Caller, parameters: Parameters) -> Parameters:
        def edit(policy: ManagedPolicy) -> ManagedPolicy:
            return replace(policy, tags=without_tags(policy.tags, parameters["TagKeys"]))

        await self._records.change_policy(caller, parameters["PolicyArn"], edit)
        return {}

    async def list_tags(self, caller: Caller, parameters: Parameters) -> Parameters:
        arn = parameters["PolicyArn"]
        tags = {} if find_aws_managed(arn) else (await self._records.policy(caller, arn)).tags
        keys, paging = await page(parameters, in_order(tags, str, position(parameters)), str)
        return {"Tags": tag_members({key: tags[key] for key in keys}), **paging}

    async def _listed(self, caller: Caller, parameters: Parameters, usage: Usage) -> AsyncIterator[AnyPolicy]:
        """The customer's before AWS's, each by name: the order that `_key` says."""
        prefix = parameters.get("PathPrefix", "/")
        async for policy in self._scoped(
            caller, parameters.get("Scope", "All"), prefix, position(parameters)
        ):
            counts = usage.counts(policy.arn(caller.partition))
            if parameters.get("OnlyAttached") and not any(counts.values()):
                continue
            wanted = parameters.get("PolicyUsageFilter")
            if wanted == "PermissionsPolicy" and not counts["attachments"]:
                continue
            if wanted == "PermissionsBoundary" and not counts["boundaries"]:
                continue
            yield policy

    async def _scoped(
        self, caller: Caller, scope: str, prefix: str, after: str | None
    ) -> AsyncIterator[AnyPolicy]:
        owner, _, name = (after or "").partition(":")
        if scope != "AWS" and owner != "aws":
            async for policy in self._records.policies(caller, prefix, name or None):
                yield policy
        if scope != "Local":
            ours = [p for p in aws_managed_policies().values() if p.path.startswith(prefix)]
            async for entry in in_order(ours, lambda p: p.name, name if owner == "aws" else None):
                yield entry


def managed_document(text: str) -> str:
    """Raises MalformedPolicyDocument, LimitExceeded."""
    check_document(text, PolicyKind.IDENTITY)
    if policy_size(text) > MANAGED_POLICY_SIZE:
        raise LimitExceeded(f"Cannot exceed quota for PolicySize: {MANAGED_POLICY_SIZE}")
    return text


def _key(policy: AnyPolicy) -> str:
    owner = "aws" if isinstance(policy, AwsManagedPolicy) else "local"
    return f"{owner}:{policy.name}"
