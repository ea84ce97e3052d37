"""Roles, users, groups and policies as members of IAM's output shapes."""

from lambent.model.caller import Caller, Parameters
from lambent.model.role import ManagedPolicy, Role
from lambent.model.user import Group, User
from lambent.services.iam.aws_managed import AwsManagedPolicy
from lambent.services.iam.documents import encoded
from lambent.services.iam.tags import tag_members


def bare_role(role: Role, caller: Caller) -> Parameters:
    """A role as instance profiles have it."""
    return {
        "Path": role.path,
        "RoleName": role.name,
        "RoleId": role.id,
        "Arn": role.arn(caller.partition),
        "CreateDate": role.created_at,
        "AssumeRolePolicyDocument": encoded(role.trust_policy),
    }


def created_role(role: Role, caller: Caller) -> Parameters:
    """A role as CreateRole has it: AWS repeats neither its description nor its duration."""
    return bare_role(role, caller) | _extras(role)


def described_role(role: Role, caller: Caller) -> Parameters:
    """A role as UpdateRoleDescription has it."""
    members = created_role(role, caller)
    return members | {"Description": role.description} if role.description else members


def listed_role(role: Role, caller: Caller) -> Parameters:
    """A role as ListRoles has it: without tags and boundary."""
    members = bare_role(role, caller) | {"MaxSessionDuration": role.max_session_duration}
    if role.description:
        members["Description"] = role.description
    return members


def full_role(role: Role, caller: Caller) -> Parameters:
    """A role as GetRole has it. When it was last used is not remembered."""
    return listed_role(role, caller) | _extras(role) | {"RoleLastUsed": {}}


def listed_user(user: User, caller: Caller) -> Parameters:
    """A user as ListUsers has it: without tags and boundary."""
    return {
        "Path": user.path,
        "UserName": user.name,
        "UserId": user.id,
        "Arn": user.arn(caller.partition),
        "CreateDate": user.created_at,
    }


def full_user(user: User, caller: Caller) -> Parameters:
    return listed_user(user, caller) | _extras(user)


def _extras(holder: Role | User) -> Parameters:
    members: Parameters = {}
    if holder.permissions_boundary:
        members["PermissionsBoundary"] = {
            "PermissionsBoundaryType": "Policy",
            "PermissionsBoundaryArn": holder.permissions_boundary,
        }
    if holder.tags:
        members["Tags"] = tag_members(holder.tags)
    return members


def group_members(group: Group, caller: Caller) -> Parameters:
    return {
        "Path": group.path,
        "GroupName": group.name,
        "GroupId": group.id,
        "Arn": group.arn(caller.partition),
        "CreateDate": group.created_at,
    }


def listed_policy(
    policy: ManagedPolicy | AwsManagedPolicy, caller: Caller, *, attachments: int, boundaries: int
) -> Parameters:
    """A policy as ListPolicies has it: without description and tags."""
    default = policy.version_id if isinstance(policy, AwsManagedPolicy) else policy.default_version_id
    return {
        "PolicyName": policy.name,
        "PolicyId": policy.id,
        "Arn": policy.arn(caller.partition),
        "Path": policy.path,
        "DefaultVersionId": default,
        "AttachmentCount": attachments,
        "PermissionsBoundaryUsageCount": boundaries,
        "IsAttachable": True,
        "CreateDate": policy.created_at,
        "UpdateDate": policy.updated_at,
    }


def full_policy(
    policy: ManagedPolicy | AwsManagedPolicy, caller: Caller, *, attachments: int, boundaries: int
) -> Parameters:
    members = listed_policy(policy, caller, attachments=attachments, boundaries=boundaries)
    members["Tags"] = tag_members(policy.tags) if isinstance(policy, ManagedPolicy) else []
    if policy.description:
        members["Description"] = policy.description
    return members


def created_policy(policy: ManagedPolicy, caller: Caller) -> Parameters:
    """A policy as CreatePolicy has it: AWS does not repeat the description, nor tags that are not there."""
    members = listed_policy(policy, caller, attachments=0, boundaries=0)
    return members | {"Tags": tag_members(policy.tags)} if policy.tags else members
