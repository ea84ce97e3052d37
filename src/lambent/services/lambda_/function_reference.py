"""What callers write to name a function: a name, a partial ARN or an ARN, with the qualifier inside or beside it.

my-function                                                 my-function:prod
123456789012:function:my-function                           us-east-1:123456789012:function:my-function:prod
arn:aws:lambda:us-east-1:123456789012:function:my-function  …:function:my-function:prod
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from lambent.base.arn import partition_of
from lambent.model.caller import Caller
from lambent.model.error import ServiceException, ValidationException
from lambent.model.function import LATEST, FunctionId
from lambent.model.lambda_errors import InvalidParameterValueException, ResourceNotFoundException
from lambent.services.lambda_.errors import not_authorized, not_offered

_REFERENCE = re.compile(
    r"(arn:(?P<partition>[a-zA-Z-]+):lambda:)?"
    r"((?P<region>[a-z]{2,4}(-[a-z]+)+-\d):)?"
    r"((?P<account_id>\d{12}):)?"
    r"(function:)?"
    r"(?P<name>[a-zA-Z0-9-_.]+)"
    r"(:(?P<qualifier>\$LATEST(\.PUBLISHED)?|[a-zA-Z0-9-_$]+))?"
)
"""Of a qualifier that stands beside the name, the model lets through more than of one inside it."""
_NAME_LONGEST = 64
_PATTERN = (
    r"(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?(\d{12}:)?(function:)?"
    r"([a-zA-Z0-9-_]+)(:(\$LATEST|[a-zA-Z0-9-_]+))?"
)
"""The model's of a function's name, as errors show it."""
LATEST_PUBLISHED = "$LATEST.PUBLISHED"


_ACROSS_ACCOUNTS = frozenset(
    {
        *("GetFunction", "GetFunctionConfiguration", "UpdateFunctionCode", "DeleteFunction"),
        *(
            "PublishVersion",
            "ListVersionsByFunction",
            "GetPolicy",
            "ListTags",
            "TagResource",
            "UntagResource",
        ),
        *("CreateAlias", "GetAlias", "ListAliases", "UpdateAlias", "DeleteAlias"),
        *("PutFunctionConcurrency", "DeleteFunctionConcurrency"),
    }
)
"""What a function's policy can allow another account beside invoking it. Source:
https://docs.aws.amazon.com/lambda/latest/dg/access-control-resource-based.html"""


@dataclass(frozen=True, slots=True)
class FunctionReference:
    """`qualifier` is None where the caller gave none; `arn` is the reference as an ARN, qualified as the caller did."""

    function: FunctionId
    qualifier: str | None
    arn: str


@lru_cache(maxsize=8192)
def parse_reference(text: str, qualifier: str | None, account_id: str, region: str) -> FunctionReference:
    """`account_id` and `region` are the caller's. Pure, and remembered: every invocation comes through here.

    Raises InvalidParameterValueException (two qualifiers that differ), ResourceNotFoundException (another region)."""
    match = _REFERENCE.fullmatch(text)
    if match is None:
        raise _violated(ValidationException, text, f"satisfy regular expression pattern: {_PATTERN}")
    inside = match["qualifier"]
    if inside and qualifier and inside != qualifier:
        raise InvalidParameterValueException(
            "The derived qualifier from the function name does not match the specified qualifier."
        )
    if match["region"] and match["region"] != region:
        raise ResourceNotFoundException(
            f"Functions from '{match['region']}' are not reachable in this region ('{region}')"
        )
    qualifier = qualifier or inside
    if qualifier == LATEST_PUBLISHED:
        raise not_offered(f"the qualifier {LATEST_PUBLISHED}")
    function = FunctionId(match["account_id"] or account_id, region, match["name"])
    return FunctionReference(function, qualifier, function.arn(qualifier, partition_of(region)))


def resolve_reference(
    caller: Caller, action: str, text: str, qualifier: str | None = None
) -> FunctionReference:
    """The reference as this caller may use it: authorization has let through whom the function's policy lets use it.

    Raises as `parse_reference`, and AccessDeniedException for a function of another account where no policy can allow
    the action."""
    reference = parse_reference(text, qualifier, caller.account_id, caller.region)
    if reference.function.account_id != caller.account_id and action not in _ACROSS_ACCOUNTS:
        raise not_authorized(caller.principal_arn, action, reference.arn)
    return reference


def resolve_unqualified(caller: Caller, action: str, text: str, *, latest_too: bool = True) -> FunctionId:
    """For operations on the function as a whole. `$LATEST` is the function for most of them (`latest_too`); any other
    qualifier is refused."""
    reference = resolve_reference(caller, action, text)
    if reference.qualifier is not None and not (latest_too and reference.qualifier == LATEST):
        raise InvalidParameterValueException(
            "This operation is permitted on Lambda functions only. Aliases and versions do not support this operation. "
            "Please specify either a function name or an unqualified function ARN."
        )
    return reference.function


def resolve_new(caller: Caller, text: str) -> FunctionId:
    """For CreateFunction: unqualified, with a name that a function may have.

    Raises as `resolve_reference`, ValidationException, InvalidParameterValueException."""
    reference = resolve_reference(caller, "CreateFunction", text)
    if reference.qualifier is not None:
        raise _violated(ValidationException, text, f"satisfy regular expression pattern: {_PATTERN}")
    function = reference.function
    if len(function.name) > _NAME_LONGEST:
        # A name alone gets the other error from AWS.
        error = InvalidParameterValueException if text == function.name else ValidationException
        raise _violated(error, function.name, f"have length less than or equal to {_NAME_LONGEST}")
    return function


def _violated(error: type[ServiceException], text: str, constraint: str) -> ServiceException:
    return error(
        f"1 validation error detected: Value '{text}' at 'functionName' failed to satisfy constraint: "
        f"Member must {constraint}"
    )
