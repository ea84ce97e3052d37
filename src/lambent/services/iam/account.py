"""GetAccountSummary: what an account has, and its quotas."""

from collections.abc import Mapping

from lambent.model.caller import Caller, Parameters
from lambent.model.oidc import OidcProvider
from lambent.model.service import Operation
from lambent.model.user import Group, InstanceProfile, User
from lambent.services.iam.entities import Entities
from lambent.services.iam.limits import (
    ACCESS_KEYS_PER_USER,
    CERTIFICATES_PER_USER,
    GROUP_POLICIES_SIZE,
    GROUPS_PER_USER,
    INLINE_POLICIES_SIZE,
    MANAGED_POLICY_SIZE,
    POLICIES_PER_GROUP,
    POLICIES_PER_ROLE,
    POLICIES_PER_USER,
    PROVIDERS,
    TRUST_POLICY_SIZE,
    USER_POLICIES_SIZE,
    VERSIONS_PER_POLICY,
)
from lambent.services.iam.records import Records
from lambent.store.ports.named_records import NamedRecords

_QUOTAS = {
    "AccessKeysPerUserQuota": ACCESS_KEYS_PER_USER,
    "AssumeRolePolicySizeQuota": TRUST_POLICY_SIZE,
    "AttachedPoliciesPerGroupQuota": POLICIES_PER_GROUP,
    "AttachedPoliciesPerRoleQuota": POLICIES_PER_ROLE,
    "AttachedPoliciesPerUserQuota": POLICIES_PER_USER,
    "GlobalEndpointTokenVersion": 1,
    "GroupPolicySizeQuota": GROUP_POLICIES_SIZE,
    "GroupsPerUserQuota": GROUPS_PER_USER,
    "GroupsQuota": 300,
    "InstanceProfilesQuota": 1000,
    "PoliciesQuota": 1500,
    "PolicySizeQuota": MANAGED_POLICY_SIZE,
    "PolicyVersionsInUseQuota": 10000,
    "RolePolicySizeQuota": INLINE_POLICIES_SIZE,
    "RolesQuota": 1000,
    "ServerCertificatesQuota": 20,
    "SigningCertificatesPerUserQuota": CERTIFICATES_PER_USER,
    "UserPolicySizeQuota": USER_POLICIES_SIZE,
    "UsersQuota": 5000,
    "VersionsPerPolicyQuota": VERSIONS_PER_POLICY,
}
"""Those that are not limits of IAM here (of roles, say) are AWS's defaults."""
_NONE_HERE = (
    *("AccountMFAEnabled", "AccountPasswordPresent", "AccountSigningCertificatesPresent"),
    *("MFADevices", "MFADevicesInUse", "ServerCertificates"),
)


class Account:
    def __init__(
        self,
        records: Records,
        users: Entities[User],
        groups: Entities[Group],
        profiles: Entities[InstanceProfile],
        providers: NamedRecords[OidcProvider],
    ) -> None:
        self._records = records
        self._users = users
        self._groups = groups
        self._profiles = profiles
        self._providers = providers

    def operations(self) -> Mapping[str, Operation]:
        return {"GetAccountSummary": self.summary}

    async def summary(self, caller: Caller, parameters: Parameters) -> Parameters:
        account = caller.account_id
        roles = [role async for role in self._records.roles(caller)]
        policies = [policy async for policy in self._records.policies(caller)]
        return {
            "SummaryMap": {
                **dict.fromkeys(_NONE_HERE, 0),
                "AccountAccessKeysPresent": 1,
                "Users": len([user async for user in self._users.all(account)]),
                "Groups": len([group async for group in self._groups.all(account)]),
                "InstanceProfiles": len([profile async for profile in self._profiles.all(account)]),
                "Roles": len(roles),
                "Policies": len(policies),
                "PolicyVersionsInUse": sum(len(policy.versions) for policy in policies),
                "Providers": len(await self._providers.page(account, "", limit=PROVIDERS)),
                **_QUOTAS,
            }
        }
