"""Errors that several nouns share, in AWS's words."""

from lambent.base.arn import partition_of
from lambent.model.error import AccessDeniedException
from lambent.model.function import FunctionId
from lambent.model.lambda_errors import (
    InvalidParameterValueException,
    PreconditionFailedException,
    ResourceNotFoundException,
)


def function_not_found(function: FunctionId, qualifier: str | None = None) -> ResourceNotFoundException:
    return ResourceNotFoundException(
        f"Function not found: {function.arn(qualifier, partition_of(function.region))}"
    )


def revision_mismatch(getter: str = "GetFunction/GetAlias") -> PreconditionFailedException:
    """`getter` names the operation that tells the latest revision."""
    return PreconditionFailedException(
        "The Revision Id provided does not match the latest Revision Id. "
        f"Call the {getter} API to retrieve the latest Revision Id"
    )


def not_offered(what: str) -> InvalidParameterValueException:
    """For what AWS offers and Lambent does not: refused, so that nothing is stored and then ignored."""
    return InvalidParameterValueException(f"Lambent does not offer {what} yet.")


def not_authorized(principal_arn: str, action: str, resource_arn: str) -> AccessDeniedException:
    return AccessDeniedException(
        f"User: {principal_arn} is not authorized to perform: lambda:{action} on resource: {resource_arn} "
        f"because no resource-based policy allows the lambda:{action} action"
    )
