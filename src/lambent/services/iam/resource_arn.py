"""Which resource an IAM operation acts on.

A role is named without its path, and in whatever case: the authorizer puts the role's own ARN in the place of this
one (`Authorizer.authorize`), so that policies for role/some-path/… hold. CreateRole says the path."""

from lambent.model.caller import Caller, Parameters


def resource_arn(operation: str, caller: Caller, parameters: Parameters) -> str:
    if "PolicyArn" in parameters and "RoleName" not in parameters:
        return str(parameters["PolicyArn"])
    if "PolicySourceArn" in parameters:
        return str(parameters["PolicySourceArn"])
    account = f"arn:{caller.partition}:iam::{caller.account_id}"
    path = parameters.get("Path", "/")
    if "RoleName" in parameters:
        return f"{account}:role{path}{parameters['RoleName']}"
    if operation == "CreatePolicy":
        return f"{account}:policy{path}{parameters['PolicyName']}"
    if operation == "ListRoles":
        return f"{account}:role{parameters.get('PathPrefix', '/')}"
    return "*"
