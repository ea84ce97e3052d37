"""PutSubscriptionFilter, DescribeSubscriptionFilters, DeleteSubscriptionFilter."""

from lambent.base.arn import Arn
from lambent.base.clock import Clock
from lambent.model.caller import Caller, Parameters
from lambent.model.error import ServiceException
from lambent.model.service import Client
from lambent.model.subscription_filter import SubscriptionFilter
from lambent.services.logs import tokens
from lambent.services.logs.exceptions import (
    AccessDeniedException,
    InvalidParameterException,
    LimitExceededException,
    ResourceNotFoundException,
)
from lambent.services.logs.filter_pattern import InvalidFilterPatternError
from lambent.services.logs.groups import Groups
from lambent.services.logs.known_filters import TooManyFiltersError
from lambent.services.logs.subscriptions.courier import as_logs, group_source
from lambent.services.logs.subscriptions.known import KnownSubscriptions, compiled
from lambent.store.ports.errors import NotFoundError
from lambent.store.ports.named_records import Name

_FILTERS_MOST = 2
_PAGE = 50
_NOT_OFFERED = ("applyOnTransformedLogs", "emitSystemFields", "fieldSelectionCriteria")
_STREAMS = ("kinesis", "firehose")
_OTHERS_FUNCTION = (
    "Cross-account lambda invocation passing is not allowed. "
    "You must use DestinationPolicies to create cross account lambda triggers."
)
_NOT_EXECUTED = (
    "Could not execute the lambda function. "
    "Make sure you have given CloudWatch Logs permission to execute your function."
)


class SubscriptionOperations:
    def __init__(self, known: KnownSubscriptions, groups: Groups, client: Client, clock: Clock) -> None:
        self._known = known
        self._groups = groups
        self._client = client
        self._clock = clock

    async def put_subscription_filter(self, caller: Caller, parameters: Parameters) -> Parameters:
        """As AWS does, tries whether the function may be invoked."""
        for member in _NOT_OFFERED:
            if parameters.get(member):
                raise InvalidParameterException(f"Lambent does not offer {member} of subscription filters.")
        try:
            made = compiled(
                SubscriptionFilter(
                    pattern=parameters["filterPattern"],
                    destination_arn=parameters["destinationArn"],
                    created_ms=int(self._clock.now() * 1000),
                )
            )
        except InvalidFilterPatternError as error:
            raise InvalidParameterException(str(error)) from None
        _check_destination(caller, made.filter.destination_arn, parameters)
        group = await self._groups.require(caller, parameters["logGroupName"])
        await self._try(caller, group.name, made.filter.destination_arn)
        try:
            await self._known.put(
                Name(caller.account_id, caller.region, group.name, parameters["filterName"]),
                made,
                most=_FILTERS_MOST,
            )
        except TooManyFiltersError:
            raise LimitExceededException("Resource limit exceeded.") from None
        return {}

    async def _try(self, caller: Caller, group: str, destination_arn: str) -> None:
        asked = {"FunctionName": destination_arn, "InvocationType": "DryRun"}
        source = group_source(caller.account_id, caller.region, group)
        try:
            await as_logs(self._client, caller.account_id, caller.region, source, asked)
        except ServiceException as error:
            raise InvalidParameterException(_NOT_EXECUTED) from error

    async def describe_subscription_filters(self, caller: Caller, parameters: Parameters) -> Parameters:
        group = await self._groups.require(caller, parameters["logGroupName"])
        prefix = parameters.get("filterNamePrefix", "")
        after = tokens.decode(parameters["nextToken"], str) if "nextToken" in parameters else ""
        found = [
            (name, filter)
            for name, filter in self._known.named((caller.account_id, caller.region, group.name))
            if name.startswith(prefix) and name > after
        ]
        limit = parameters.get("limit", _PAGE)
        page: Parameters = {
            "subscriptionFilters": [
                {
                    "filterName": name,
                    "logGroupName": group.name,
                    "filterPattern": filter.pattern,
                    "destinationArn": filter.destination_arn,
                    "distribution": "ByLogStream",
                    "creationTime": filter.created_ms,
                    "applyOnTransformedLogs": False,
                }
                for name, filter in found[:limit]
            ]
        }
        if len(found) > limit:
            page["nextToken"] = tokens.encode(found[limit - 1][0])
        return page

    async def delete_subscription_filter(self, caller: Caller, parameters: Parameters) -> Parameters:
        group = await self._groups.require(caller, parameters["logGroupName"])
        try:
            await self._known.delete(
                Name(caller.account_id, caller.region, group.name, parameters["filterName"])
            )
        except NotFoundError:
            raise ResourceNotFoundException("The specified subscription filter does not exist.") from None
        return {}


def _check_destination(caller: Caller, destination_arn: str, parameters: Parameters) -> None:
    """Comes before the log group is looked for."""
    try:
        arn = Arn.parse(destination_arn)
    except ValueError:
        raise InvalidParameterException("Invalid ARN") from None
    if arn.service in _STREAMS and "roleArn" not in parameters:
        raise InvalidParameterException(
            f"destinationArn for vendor {arn.service} cannot be used without roleArn"
        )
    if arn.service != "lambda":
        raise InvalidParameterException(
            f"Lambent delivers log events to Lambda functions, not to {destination_arn}."
        )
    if arn.account_id != caller.account_id:
        raise AccessDeniedException(_OTHERS_FUNCTION)
    if arn.region != caller.region:
        raise InvalidParameterException(
            "destinationArn for vendor lambda cannot be used in a different region"
        )
