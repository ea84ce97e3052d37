"""What a mapping is to do, from a request: defaults filled in, and whatever AWS refuses refused. Pure."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from lambent.model.caller import Parameters
from lambent.model.event_pattern import InvalidPatternError, parse_pattern
from lambent.model.lambda_errors import InvalidParameterValueException
from lambent.services.lambda_.event_source_kinds import SourceKind, allows

_FILTERS_MOST = 5
_FIFO_BATCH_MOST = 10
_POLLERS_DEFAULT = {"MinimumPollers": 2, "MaximumPollers": 200}
_ELSEWHERE = frozenset({"Enabled", "EventSourceArn", "FunctionName", "Tags", "UUID"})
"""Members that are fields of the mapping itself."""
_CLEARED_BY_EMPTY = frozenset(
    {"FilterCriteria", "KMSKeyArn", "MetricsConfig", "ProvisionedPollerConfig", "ScalingConfig"}
)

Settings = dict[str, Any]


def new_settings(kind: SourceKind, source_arn: str | None, request: Parameters, now: float) -> Settings:
    """Of a CreateEventSourceMapping request. Raises InvalidParameterValueException."""
    _require_allowed(kind, request)
    for member in kind.required:
        if member not in request:
            raise _missing(member)
    _check_position(kind, source_arn, request, now)
    settings = {"BatchSize": kind.batch_size, **kind.defaults, **_given(request)}
    return _checked(kind, source_arn, settings)


def changed_settings(
    kind: SourceKind, source_arn: str | None, settings: Mapping[str, Any], request: Parameters
) -> Settings:
    """Of an UpdateEventSourceMapping request: what it does not name stays. Raises InvalidParameterValueException."""
    _require_allowed(kind, request)
    changed = {**settings, **_given(request)}
    for member in _CLEARED_BY_EMPTY:
        if not _says_something(request.get(member, True)):
            changed.pop(member, None)
    return _checked(kind, source_arn, changed)


def _given(request: Parameters) -> Settings:
    settings = {name: value for name, value in request.items() if name not in _ELSEWHERE}
    moment = settings.get("StartingPositionTimestamp")
    if isinstance(moment, datetime):
        settings["StartingPositionTimestamp"] = moment.timestamp()
    return settings


def _says_something(value: object) -> bool:
    if isinstance(value, Mapping):
        return any(_says_something(member) for member in value.values())
    return value not in (None, "", [])


def _require_allowed(kind: SourceKind, request: Parameters) -> None:
    if kind.name == "sqs" and "StartingPosition" in request:
        raise InvalidParameterValueException("StartingPosition is not valid for SQS event sources.")
    for member in request:
        if not allows(kind, member):
            raise _unsupported(member)


def _check_position(kind: SourceKind, source_arn: str | None, request: Parameters, now: float) -> None:
    position = request.get("StartingPosition")
    moment = request.get("StartingPositionTimestamp")
    if position is not None and position != "AT_TIMESTAMP" and moment is not None:
        raise InvalidParameterValueException("Timestamp only valid with StartingPosition AT_TIMESTAMP")
    if position is not None and position not in kind.positions:
        raise InvalidParameterValueException(f"Unsupported starting position for arn type: {source_arn}")
    if position == "AT_TIMESTAMP":
        if moment is None:
            raise _missing("StartingPositionTimestamp")
        if (moment.timestamp() if isinstance(moment, datetime) else moment) > now:
            raise InvalidParameterValueException("StartingPositionTimestamp cannot be in the future.")


def _checked(kind: SourceKind, source_arn: str | None, settings: Settings) -> Settings:
    for member, check in _CHECKS.items():
        if member in settings:
            settings[member] = check(kind, settings[member])
    if kind.name == "sqs":
        _check_sqs_batch(source_arn or "", settings)
        if "ScalingConfig" in settings and "ProvisionedPollerConfig" in settings:
            raise InvalidParameterValueException(
                "Provisioned mode for SQS ESM does not support maximum concurrency feature. "
                "Use MaximumPollers as the control mechanism and remove maximum concurrency."
            )
    # A setting that says nothing is not shown.
    return {
        name: value
        for name, value in settings.items()
        if name in kind.defaults or _says_something(value) or isinstance(value, (bool, int))
    }


def _check_sqs_batch(source_arn: str, settings: Settings) -> None:
    size, window = settings["BatchSize"], settings["MaximumBatchingWindowInSeconds"]
    fifo = source_arn.endswith(".fifo")
    if fifo and window > 0:
        raise InvalidParameterValueException("Batching window is not supported for FIFO queues")
    if size > _FIFO_BATCH_MOST and window == 0:
        raise InvalidParameterValueException(
            "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10"
        )


def _filters(kind: SourceKind, criteria: Mapping[str, Any]) -> Mapping[str, Any]:
    filters = criteria.get("Filters") or []
    if len(filters) > _FILTERS_MOST:
        raise InvalidParameterValueException(
            f"An event source mapping can have at most {_FILTERS_MOST} filters."
        )
    for each in filters:
        try:
            parse_pattern(each.get("Pattern") or "")
        except InvalidPatternError as error:
            raise InvalidParameterValueException("Invalid filter pattern definition.") from error
    return criteria


def _destinations(kind: SourceKind, config: Mapping[str, Any]) -> Mapping[str, Any]:
    if "OnSuccess" in config:
        raise _unsupported("DestinationConfig")
    return {"OnFailure": config.get("OnFailure") or {}}


def _record_age(kind: SourceKind, seconds: int) -> int:
    if seconds != -1 and seconds < 60:
        raise InvalidParameterValueException(
            "MaximumRecordAgeInSeconds must be -1, or between 60 and 604800 seconds."
        )
    return seconds


def _metrics(kind: SourceKind, config: Mapping[str, Any]) -> Mapping[str, Any]:
    if not kind.metrics.issuperset(config.get("Metrics") or ()):
        raise _unsupported("MetricsConfig")
    return config


def _pollers(kind: SourceKind, config: Mapping[str, Any]) -> Mapping[str, Any]:
    if kind.name != "sqs" or not config:
        return config
    if config.get("PollerGroupName"):
        raise InvalidParameterValueException("PollerGroupName is not supported for SQS event sources.")
    pollers = {**_POLLERS_DEFAULT, **config}
    least, most = pollers["MinimumPollers"], pollers["MaximumPollers"]
    if not 2 <= least <= 200 or not least <= most:
        raise InvalidParameterValueException(
            "MinimumPollers should be between [2, 200] and MaximumPollers should be between [MinimumPollers, 10000]"
        )
    return pollers


_CHECKS: Mapping[str, Callable[[SourceKind, Any], Any]] = {
    "DestinationConfig": _destinations,
    "FilterCriteria": _filters,
    "MaximumRecordAgeInSeconds": _record_age,
    "MetricsConfig": _metrics,
    "ProvisionedPollerConfig": _pollers,
}


def _unsupported(member: str) -> InvalidParameterValueException:
    return InvalidParameterValueException(
        f"Unsupported {member} parameter for given event source mapping type."
    )


def _missing(member: str) -> InvalidParameterValueException:
    name = member[0].lower() + member[1:]
    if member == "StartingPosition":
        return InvalidParameterValueException(
            f"1 validation error detected: Value null at '{name}' failed to satisfy constraint: "
            "Member must not be null."
        )
    return InvalidParameterValueException(f"Required '{name}' parameter is missing.")
