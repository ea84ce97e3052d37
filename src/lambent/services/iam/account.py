"""GetAccountSummary: what an account has, and its quotas."""

from collections.abc import Mapping

from lambent.model.caller import Caller, Parameters
from lambent.model.service import Operation
from lambent.services.iam.limits import (
    INLINE_POLICIES_SIZE,
    MANAGED_POLICY_SIZE,
    POLICIES_PER_ROLE,
    TRUST_POLICY_SIZE,
    VERSIONS_PER_POLICY,
)
from lambent.services.iam.records import Records


class Account:
    def __init__(self, records: Records) -> None:
        self._records = records

    def operations(self) -> Mapping[str, Operation]:
        return {"GetAccountSummary": self.summary}

    async def summary(self, caller: Caller, parameters: Parameters) -> Parameters:
        roles = [role async for role in self._records.roles(caller)]
        policies = [policy async for policy in self._records.policies(caller)]
        return {
            "SummaryMap": {
                "Users": 0,
                "Groups": 0,
                "InstanceProfiles": 0,
                "Roles": len(roles),
                "Policies": len(policies),
                "PolicyVersionsInUse": sum(len(policy.versions) for policy in policies),
                "AccountAccessKeysPresent": 1,
                "AssumeRolePolicySizeQuota": TRUST_POLICY_SIZE,
                "RolePolicySizeQuota": INLINE_POLICIES_SIZE,
                "PolicySizeQuota": MANAGED_POLICY_SIZE,
                "AttachedPoliciesPerRoleQuota": POLICIES_PER_ROLE,
                "VersionsPerPolicyQuota": VERSIONS_PER_POLICY,
            }
        }
