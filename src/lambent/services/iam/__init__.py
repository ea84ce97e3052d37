"""AWS Identity and Access Management: users, groups, roles, managed policies, and the authorization that rests on them.

Operations are grouped by noun, one module each, and by what several nouns have (inline policies, attachments, tags);
`authorizer` is asked by the api on every request, `user_credentials` are what users sign with, `role_checker` is asked
by services that are given a role. There is no console that passwords would open, and there are no MFA devices.

Source: the iam service model and https://docs.aws.amazon.com/IAM/latest/UserGuide/
"""

from lambent.base.clock import Clock
from lambent.base.sealing import Sealing
from lambent.model.service import Service
from lambent.model.user import Group, User
from lambent.services.iam.access_keys import AccessKeys
from lambent.services.iam.account import Account
from lambent.services.iam.account_settings import AccountSettings
from lambent.services.iam.attachments import Attachments
from lambent.services.iam.authorization_details import AuthorizationDetails
from lambent.services.iam.authorizer import Authorizer
from lambent.services.iam.boundaries import Boundaries
from lambent.services.iam.entities import Stores, group_entities, profile_entities, user_entities
from lambent.services.iam.groups import Groups
from lambent.services.iam.holders import RoleHolders
from lambent.services.iam.inline_policies import InlinePolicies
from lambent.services.iam.instance_profiles import InstanceProfiles
from lambent.services.iam.key_uses import KeyUseOperations, KeyUses
from lambent.services.iam.limits import (
    GROUP_POLICIES_SIZE,
    INLINE_POLICIES_SIZE,
    POLICIES_PER_GROUP,
    POLICIES_PER_ROLE,
    POLICIES_PER_USER,
    USER_POLICIES_SIZE,
)
from lambent.services.iam.login_profiles import LoginProfiles
from lambent.services.iam.oidc_providers import OidcProviders
from lambent.services.iam.policies import Policies
from lambent.services.iam.policy_usage import PolicyUsage
from lambent.services.iam.policy_versions import PolicyVersions
from lambent.services.iam.records import Records
from lambent.services.iam.resource_arn import resource_arn
from lambent.services.iam.role_checker import RoleChecker
from lambent.services.iam.roles import Roles
from lambent.services.iam.service_linked_roles import ServiceLinkedRoles
from lambent.services.iam.signing_certificates import SigningCertificates
from lambent.services.iam.simulation import Simulation
from lambent.services.iam.tag_operations import TagOperations
from lambent.services.iam.user_credentials import UserCredentials
from lambent.services.iam.users import Users
from lambent.store.ports.roles import RoleStore

__all__ = ["Authorizer", "KeyUses", "RoleChecker", "Stores", "UserCredentials", "service"]


def service(
    store: RoleStore,
    stores: Stores,
    clock: Clock,
    authorizer: Authorizer,
    credentials: UserCredentials,
    sealing: Sealing,
    uses: KeyUses,
) -> Service:
    """`authorizer` and `credentials` are told of every change; `sealing` is what access keys are kept under, `uses`
    are told of by the authorizer."""

    def user_changed(before: User | None, after: User | None) -> None:
        credentials.changed(before, after)
        for user in (before, after):
            if user is not None:
                authorizer.forget(user.account_id)

    def group_changed(before: Group | None, after: Group | None) -> None:
        for group in (before, after):
            if group is not None:
                authorizer.forget(group.account_id)

    records = Records(store, authorizer)
    roles = RoleHolders(records)
    people, of_people = (
        user_entities(stores.users, user_changed),
        group_entities(stores.groups, group_changed),
    )
    profiles = profile_entities(stores.instance_profiles)
    profile_operations = InstanceProfiles(records, profiles, clock)
    usage = PolicyUsage(records, people, of_people)
    settings = AccountSettings(stores.accounts)
    return Service(
        name="iam",
        operations={
            **Roles(records, profile_operations, clock).operations(),
            **InlinePolicies(roles, INLINE_POLICIES_SIZE).operations(),
            **Attachments(records, roles, POLICIES_PER_ROLE).operations(),
            **Boundaries(records, roles).operations(),
            **TagOperations(roles).operations(),
            **Users(records, people, clock).operations(),
            **InlinePolicies(people, USER_POLICIES_SIZE).operations(),
            **Attachments(records, people, POLICIES_PER_USER).operations(),
            **Boundaries(records, people).operations(),
            **TagOperations(people).operations(),
            **AccessKeys(people, sealing, clock).operations(),
            **KeyUseOperations(people, uses).operations(),
            **LoginProfiles(people, settings, clock).operations(),
            **SigningCertificates(people, clock).operations(),
            **Groups(of_people, people, clock).operations(),
            **InlinePolicies(of_people, GROUP_POLICIES_SIZE).operations(),
            **Attachments(records, of_people, POLICIES_PER_GROUP).operations(),
            **profile_operations.operations(),
            **TagOperations(profiles).operations(),
            **Policies(records, usage, clock).operations(),
            **PolicyVersions(records, clock).operations(),
            **usage.operations(),
            **Simulation(records, clock).operations(),
            **ServiceLinkedRoles(records, clock).operations(),
            **OidcProviders(stores.providers, clock).operations(),
            **settings.operations(),
            **AuthorizationDetails(records, people, of_people, profile_operations, usage).operations(),
            **Account(records, people, of_people, profiles, stores.providers).operations(),
        },
        resource_arn=resource_arn,
    )
