"""AWS Identity and Access Management: roles, managed policies, and the authorization that rests on them.

There are no users and groups: an account has its root, and roles. Operations are grouped by noun, one module
each; `authorizer` is asked by the api on every request, `role_checker` by services that are given a role.

Source: the iam service model and https://docs.aws.amazon.com/IAM/latest/UserGuide/
"""

from lambent.base.clock import Clock
from lambent.model.service import Service
from lambent.services.iam.account import Account
from lambent.services.iam.attachments import Attachments
from lambent.services.iam.authorizer import Authorizer
from lambent.services.iam.boundaries import Boundaries
from lambent.services.iam.policies import Policies
from lambent.services.iam.policy_versions import PolicyVersions
from lambent.services.iam.records import Records
from lambent.services.iam.resource_arn import resource_arn
from lambent.services.iam.role_checker import RoleChecker
from lambent.services.iam.role_policies import RolePolicies
from lambent.services.iam.roles import Roles
from lambent.services.iam.simulation import Simulation
from lambent.store.ports.roles import RoleStore

__all__ = ["Authorizer", "RoleChecker", "service"]


def service(store: RoleStore, clock: Clock, authorizer: Authorizer) -> Service:
    """`authorizer` is told of every change."""
    records = Records(store, authorizer)
    return Service(
        name="iam",
        operations={
            **Roles(records, clock).operations(),
            **RolePolicies(records).operations(),
            **Attachments(records).operations(),
            **Boundaries(records).operations(),
            **Policies(records, clock).operations(),
            **PolicyVersions(records, clock).operations(),
            **Simulation(records, clock).operations(),
            **Account(records).operations(),
        },
        resource_arn=resource_arn,
    )
