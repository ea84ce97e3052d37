"""Roles and policies as members of IAM's output shapes."""

from lambent.model.caller import Caller, Parameters
from lambent.model.role import ManagedPolicy, Role
from lambent.services.iam.aws_managed import AwsManagedPolicy
from lambent.services.iam.documents import encoded
from lambent.services.iam.tags import tag_members


def listed_role(role: Role, caller: Caller) -> Parameters:
    """A role as ListRoles has it: without tags and boundary."""
    members: Parameters = {
        "Path": role.path,
        "RoleName": role.name,
        "RoleId": role.id,
        "Arn": role.arn(caller.partition),
        "CreateDate": role.created_at,
        "AssumeRolePolicyDocument": encoded(role.trust_policy),
        "MaxSessionDuration": role.max_session_duration,
    }
    if role.description:
        members["Description"] = role.description
    return members


def full_role(role: Role, caller: Caller) -> Parameters:
    members = listed_role(role, caller)
    if role.permissions_boundary:
        members["PermissionsBoundary"] = {
            "PermissionsBoundaryType": "Policy",
            "PermissionsBoundaryArn": role.permissions_boundary,
        }
    if role.tags:
        members["Tags"] = tag_members(role.tags)
    return members


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
