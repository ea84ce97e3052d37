"""Which resource an IAM operation acts on.

Roles, users and groups are named without their path, and in whatever case: the authorizer puts their own ARN in the
place of this one (`Authorizer.authorize`), so that policies for role/some-path/… hold. CreateRole says the path."""

from collections.abc import Callable, Mapping

from lambent.model.caller import Caller, Parameters
from lambent.model.user import is_user_arn

_KINDS = {
    "InstanceProfileName": "instance-profile",
    "GroupName": "group",
    "RoleName": "role",
    "UserName": "user",
}
_LISTS = {
    "ListGroups": "group",
    "ListInstanceProfiles": "instance-profile",
    "ListRoles": "role",
    "ListUsers": "user",
}
_MADE: Mapping[str, Callable[[str, Parameters], str]] = {
    "CreatePolicy": lambda path, given: f"policy{path}{given['PolicyName']}",
    "CreateServiceLinkedRole": lambda path, given: f"role/aws-service-role/{given['AWSServiceName']}/*",
    "CreateOpenIDConnectProvider": lambda path, given: (
        f"oidc-provider/{given['Url'].removeprefix('https://')}"
    ),
}
_OWN = frozenset(
    {
        *("CreateAccessKey", "DeleteAccessKey", "GetUser", "ListAccessKeys", "UpdateAccessKey"),
        *("ChangePassword", "CreateLoginProfile", "DeleteLoginProfile", "GetLoginProfile"),
        *("UploadSigningCertificate", "UpdateSigningCertificate", "DeleteSigningCertificate"),
        "ListSigningCertificates",
    }
)
"""Of the caller where they name no user."""


def resource_arn(operation: str, caller: Caller, parameters: Parameters) -> str:
    named = next((member for member in _KINDS if member in parameters), None)
    for member in ("PolicyArn", "PolicySourceArn", "OpenIDConnectProviderArn"):
        if member in parameters and named is None:
            return str(parameters[member])
    if named is None and operation in _OWN and is_user_arn(caller.principal_arn):
        return caller.principal_arn
    account, path = f"arn:{caller.partition}:iam::{caller.account_id}", parameters.get("Path", "/")
    if named is not None:
        return f"{account}:{_KINDS[named]}{path}{parameters[named]}"
    if operation in _LISTS:
        return f"{account}:{_LISTS[operation]}{parameters.get('PathPrefix', '/')}"
    made = _MADE.get(operation)
    return "*" if made is None else f"{account}:{made(path, parameters)}"
