"""GetAccountSummary: what an account has, and its quotas."""

from collections.abc import Mapping

from lambent.model.caller import Caller, Parameters
from lambent.model.service import Operation
from lambent.model.user import Group, InstanceProfile, User
from lambent.services.iam.entities import Entities
from lambent.services.iam.limits import (
    ACCESS_KEYS_PER_USER,
    GROUP_POLICIES_SIZE,
    GROUPS_PER_USER,
    INLINE_POLICIES_SIZE,
    MANAGED_POLICY_SIZE,
    POLICIES_PER_GROUP,
    POLICIES_PER_ROLE,
    POLICIES_PER_USER,
    TRUST_POLICY_SIZE,
    USER_POLICIES_SIZE,
    VERSIONS_PER_POLICY,
)
from lambent.services.iam.records import Records


class Account:
    def __init__(
        self,
        records: Records,
        users: Entities[User],
        groups: Entities[Group],
        profiles: Entities[InstanceProfile],
    ) -> None:
        self._records = records
        self._users = users
        self._groups = groups
        self._profiles = profiles

    def operations(self) -> Mapping[str, Operation]:
        return {"GetAccountSummary": self.summary}

    async def summary(self, caller: Caller, parameters: Parameters) -> Parameters:
        roles = [role async for role in self._records.roles(caller)]
        policies = [policy async for policy in self._records.policies(caller)]
        return {
            "SummaryMap": {
                "Users": len([user async for user in self._users.all(caller.account_id)]),
                "Groups": len([group async for group in self._groups.all(caller.account_id)]),
                "InstanceProfiles": len([profile async for profile in self._profiles.all(caller.account_id)]),
                "Roles": len(roles),
                "Policies": len(policies),
                "PolicyVersionsInUse": sum(len(policy.versions) for policy in policies),
                "AccountAccessKeysPresent": 1,
                "AssumeRolePolicySizeQuota": TRUST_POLICY_SIZE,
                "RolePolicySizeQuota": INLINE_POLICIES_SIZE,
                "PolicySizeQuota": MANAGED_POLICY_SIZE,
                "AttachedPoliciesPerRoleQuota": POLICIES_PER_ROLE,
                "AttachedPoliciesPerUserQuota": POLICIES_PER_USER,
                "AttachedPoliciesPerGroupQuota": POLICIES_PER_GROUP,
                "UserPolicySizeQuota": USER_POLICIES_SIZE,
                "GroupPolicySizeQuota": GROUP_POLICIES_SIZE,
                "AccessKeysPerUserQuota": ACCESS_KEYS_PER_USER,
                "GroupsPerUserQuota": GROUPS_PER_USER,
                "VersionsPerPolicyQuota": VERSIONS_PER_POLICY,
            }
        }
