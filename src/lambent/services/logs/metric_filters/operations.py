"""PutMetricFilter, DescribeMetricFilters, DeleteMetricFilter."""

import math

from lambent.base.clock import Clock
from lambent.model.caller import Caller, Parameters
from lambent.model.metric_filter import MetricFilter, MetricTransformation
from lambent.services.logs import tokens
from lambent.services.logs.exceptions import (
    InvalidParameterException,
    LimitExceededException,
    ResourceNotFoundException,
)
from lambent.services.logs.filter_pattern import InvalidFilterPatternError
from lambent.services.logs.groups import Groups
from lambent.services.logs.known_filters import TooManyFiltersError
from lambent.services.logs.metric_filters.compile import (
    CompiledFilter,
    InvalidTransformationError,
    compile_filter,
)
from lambent.services.logs.metric_filters.known import KnownMetricFilters
from lambent.store.ports.errors import NotFoundError
from lambent.store.ports.named_records import Name

_FILTERS_MOST = 100
_DIMENSIONS_MOST = 3
_PAGE = 50
_SYSTEM_FIELDS = ("@aws.account", "@aws.region")


class MetricFilterOperations:
    def __init__(self, known: KnownMetricFilters, groups: Groups, clock: Clock) -> None:
        self._known = known
        self._groups = groups
        self._clock = clock

    async def put_metric_filter(self, caller: Caller, parameters: Parameters) -> Parameters:
        _refuse_unsupported(parameters)
        compiled = _compiled(
            MetricFilter(
                pattern=parameters["filterPattern"],
                transformation=_transformation(parameters["metricTransformations"][0]),
                created_ms=int(self._clock.now() * 1000),
                system_fields=tuple(parameters.get("emitSystemFieldDimensions", ())),
            )
        )
        _check_dimensions(compiled.filter)
        group = await self._groups.require(caller, parameters["logGroupName"])
        name = Name(caller.account_id, caller.region, group.name, parameters["filterName"])
        try:
            await self._known.put(name, compiled, most=_FILTERS_MOST)
        except TooManyFiltersError:
            raise LimitExceededException("Resource limit exceeded.") from None
        return {}

    async def describe_metric_filters(self, caller: Caller, parameters: Parameters) -> Parameters:
        wanted = parameters.get("metricName"), parameters.get("metricNamespace")
        for given, needed in ((0, 1), (1, 0)):
            if wanted[given] is not None and wanted[needed] is None:
                names = ("metricName", "metricNamespace")
                raise InvalidParameterException(
                    f"If you include the {names[given]} parameter in your request, "
                    f"you must also include the {names[needed]} parameter."
                )
        group = parameters.get("logGroupName")
        if group is not None:
            await self._groups.require(caller, group)
        # AWS looks at the prefix only where there is a group.
        prefix = parameters.get("filterNamePrefix", "") if group is not None else ""
        after = tokens.decode(parameters["nextToken"], tuple[str, str]) if "nextToken" in parameters else None
        found = [
            (name, of_group, filter)
            for name, of_group, filter in self._known.of_region(caller.account_id, caller.region)
            if group in (None, of_group)
            and name.startswith(prefix)
            and (wanted[0] is None or wanted == _metric(filter))
            and (after is None or (name, of_group) > after)
        ]
        limit = parameters.get("limit", _PAGE)
        page: Parameters = {"metricFilters": [_described(*entry) for entry in found[:limit]]}
        if len(found) > limit:
            page["nextToken"] = tokens.encode(found[limit - 1][:2])
        return page

    async def delete_metric_filter(self, caller: Caller, parameters: Parameters) -> Parameters:
        group = await self._groups.require(caller, parameters["logGroupName"])
        try:
            await self._known.delete(
                Name(caller.account_id, caller.region, group.name, parameters["filterName"])
            )
        except NotFoundError:
            raise ResourceNotFoundException("The specified metric filter does not exist.") from None
        return {}


def _compiled(filter: MetricFilter) -> CompiledFilter:
    transformation = filter.transformation
    if transformation.dimensions and transformation.default_value is not None:
        raise InvalidParameterException(
            "Invalid metric transformation: dimensions and default value are mutually exclusive properties"
        )
    try:
        return compile_filter(filter)
    except (InvalidFilterPatternError, InvalidTransformationError) as error:
        raise InvalidParameterException(str(error)) from None


def _transformation(given: Parameters) -> MetricTransformation:
    default = given.get("defaultValue")
    if default is not None and not math.isfinite(default):
        raise InvalidParameterException("Invalid metric transformation: the default value is not a number")
    return MetricTransformation(
        metric_name=given["metricName"],
        metric_namespace=given["metricNamespace"],
        metric_value=given["metricValue"],
        default_value=default,
        dimensions=given.get("dimensions", {}),
        unit=given.get("unit"),
    )


def _check_dimensions(filter: MetricFilter) -> None:
    for field in filter.system_fields:
        if field not in _SYSTEM_FIELDS:
            raise InvalidParameterException(
                f"Invalid system field '{field}': only {' and '.join(_SYSTEM_FIELDS)} can be emitted"
            )
    dimensions = filter.transformation.dimensions
    if len(dimensions) + len(set(filter.system_fields)) > _DIMENSIONS_MOST:
        raise InvalidParameterException(
            f"Invalid metric transformation: a metric filter has at most {_DIMENSIONS_MOST} dimensions"
        )
    for name in dimensions:
        if not name.strip() or not name.isascii() or name.startswith(":"):
            raise InvalidParameterException(f"Invalid metric transformation: invalid dimension name '{name}'")


def _refuse_unsupported(parameters: Parameters) -> None:
    if parameters.get("applyOnTransformedLogs"):
        raise InvalidParameterException(
            "Lambent transforms no logs: leave out applyOnTransformedLogs, which asks for those of a transformer."
        )
    if parameters.get("fieldSelectionCriteria"):
        raise InvalidParameterException(
            "Lambent centralizes no logs: leave out fieldSelectionCriteria, which selects by their source."
        )


def _metric(filter: MetricFilter) -> tuple[str, str]:
    return filter.transformation.metric_name, filter.transformation.metric_namespace


def _described(name: str, group: str, filter: MetricFilter) -> Parameters:
    transformation = filter.transformation
    described: Parameters = {
        "metricName": transformation.metric_name,
        "metricNamespace": transformation.metric_namespace,
        "metricValue": transformation.metric_value,
    }
    if transformation.default_value is not None:
        described["defaultValue"] = transformation.default_value
    if transformation.dimensions:
        described["dimensions"] = dict(transformation.dimensions)
    if transformation.unit is not None:
        described["unit"] = transformation.unit
    answer: Parameters = {
        "filterName": name,
        "filterPattern": filter.pattern,
        "metricTransformations": [described],
        "creationTime": filter.created_ms,
        "logGroupName": group,
        "applyOnTransformedLogs": False,
    }
    if filter.system_fields:
        answer["emitSystemFieldDimensions"] = list(filter.system_fields)
    return answer
