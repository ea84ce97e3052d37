"""The versions of managed policies: at most five, of which one is the default."""

from collections.abc import Mapping
from dataclasses import replace

from lambent.base.clock import Clock
from lambent.model.caller import Caller, Parameters
from lambent.model.role import ManagedPolicy, PolicyVersion
from lambent.model.service import Operation
from lambent.services.iam.aws_managed import AwsManagedPolicy, find_aws_managed
from lambent.services.iam.documents import encoded
from lambent.services.iam.errors import DeleteConflict, LimitExceeded, NoSuchEntity
from lambent.services.iam.limits import VERSIONS_PER_POLICY
from lambent.services.iam.pages import in_order, page, position
from lambent.services.iam.policies import managed_document
from lambent.services.iam.records import Records


class PolicyVersions:
    def __init__(self, records: Records, clock: Clock) -> None:
        self._records = records
        self._clock = clock

    def operations(self) -> Mapping[str, Operation]:
        return {
            "CreatePolicyVersion": self.create,
            "GetPolicyVersion": self.get,
            "ListPolicyVersions": self.list,
            "SetDefaultPolicyVersion": self.set_default,
            "DeletePolicyVersion": self.delete,
        }

    async def create(self, caller: Caller, parameters: Parameters) -> Parameters:
        document = managed_document(parameters["PolicyDocument"])
        now = float(int(self._clock.now()))

        def edit(policy: ManagedPolicy) -> ManagedPolicy:
            if len(policy.versions) >= VERSIONS_PER_POLICY:
                raise LimitExceeded(
                    f"A managed policy can have up to {VERSIONS_PER_POLICY} versions. "
                    "Before you create a new version, you must delete an existing version."
                )
            number = policy.newest_version + 1
            version = PolicyVersion(id=f"v{number}", document=document, created_at=now)
            default = version.id if parameters.get("SetAsDefault") else policy.default_version_id
            return replace(
                policy,
                versions=(*policy.versions, version),
                default_version_id=default,
                newest_version=number,
                updated_at=now,
            )

        policy = await self._records.change_policy(caller, parameters["PolicyArn"], edit)
        return {"PolicyVersion": _listed(policy.versions[-1], policy.default_version_id)}

    async def get(self, caller: Caller, parameters: Parameters) -> Parameters:
        arn = parameters["PolicyArn"]
        versions, default = await self._versions(caller, arn)
        version = _find(versions, parameters["VersionId"], arn)
        return {"PolicyVersion": {**_listed(version, default), "Document": encoded(version.document)}}

    async def list(self, caller: Caller, parameters: Parameters) -> Parameters:
        """Newest first."""
        versions, default = await self._versions(caller, parameters["PolicyArn"])
        entries = in_order(versions, _newest_first, position(parameters))
        taken, paging = await page(parameters, entries, _newest_first)
        return {"Versions": [_listed(version, default) for version in taken], **paging}

    async def set_default(self, caller: Caller, parameters: Parameters) -> Parameters:
        arn, now = parameters["PolicyArn"], float(int(self._clock.now()))

        def edit(policy: ManagedPolicy) -> ManagedPolicy:
            version = _find(policy.versions, parameters["VersionId"], arn)
            return replace(policy, default_version_id=version.id, updated_at=now)

        await self._records.change_policy(caller, arn, edit)
        return {}

    async def delete(self, caller: Caller, parameters: Parameters) -> Parameters:
        arn = parameters["PolicyArn"]

        def edit(policy: ManagedPolicy) -> ManagedPolicy:
            version = _find(policy.versions, parameters["VersionId"], arn)
            if version.id == policy.default_version_id:
                raise DeleteConflict("Cannot delete the default version of a policy.")
            return replace(policy, versions=tuple(kept for kept in policy.versions if kept is not version))

        await self._records.change_policy(caller, arn, edit)
        return {}

    async def _versions(self, caller: Caller, arn: str) -> tuple[tuple[PolicyVersion, ...], str]:
        """All that are known, and which is the default."""
        policy: AwsManagedPolicy | ManagedPolicy | None = find_aws_managed(arn)
        if policy is None:
            policy = await self._records.policy(caller, arn)
        if isinstance(policy, ManagedPolicy):
            return policy.versions, policy.default_version_id
        version = PolicyVersion(id=policy.version_id, document=policy.document, created_at=policy.updated_at)
        return (version,), version.id


def _find(versions: tuple[PolicyVersion, ...], id: str, arn: str) -> PolicyVersion:
    for version in versions:
        if version.id == id:
            return version
    raise NoSuchEntity(f"Policy {arn} version {id} does not exist or is not attachable.")


def _listed(version: PolicyVersion, default: str) -> Parameters:
    return {
        "VersionId": version.id,
        "IsDefaultVersion": version.id == default,
        "CreateDate": version.created_at,
    }


def _newest_first(version: PolicyVersion) -> str:
    return f"{10**9 - _number(version.id):09}"


def _number(id: str) -> int:
    return int(id.removeprefix("v"))
