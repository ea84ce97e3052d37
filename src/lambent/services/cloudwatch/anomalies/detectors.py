"""PutAnomalyDetector, DescribeAnomalyDetectors, DeleteAnomalyDetector.

Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutAnomalyDetector.html, and answers
that were recorded from AWS.
"""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import available_timezones

import orjson

from lambent.base.clock import Clock
from lambent.model.anomaly_detector import AnomalyDetector
from lambent.model.caller import Caller, Parameters
from lambent.model.service import Operation
from lambent.model.tally import MetricKey
from lambent.services.cloudwatch.errors import (
    InvalidParameterCombinationException,
    InvalidParameterValueException,
    MissingRequiredParameterException,
    ResourceNotFoundException,
)
from lambent.services.cloudwatch.input import dimensions_of, epoch
from lambent.services.cloudwatch.paging import paged
from lambent.store.ports.errors import AlreadyExistsError, NotFoundError, StaleRevisionError
from lambent.store.ports.metrics import MetricStore
from lambent.store.ports.named_records import Name, NamedRecords

_METRIC = ("Namespace", "MetricName", "Dimensions", "Stat")
_SINGLE = "SingleMetricAnomalyDetector"
_RANGES_MOST = 10
TRAINING_SECONDS = 14 * 86_400
_KNOWN_SECONDS = 86_400


class Detectors:
    def __init__(self, records: NamedRecords[AnomalyDetector], metrics: MetricStore, clock: Clock) -> None:
        self._records = records
        self._metrics = metrics
        self._clock = clock

    def operations(self) -> dict[str, Operation]:
        return {
            "PutAnomalyDetector": self.put,
            "DescribeAnomalyDetectors": self.describe,
            "DeleteAnomalyDetector": self.delete,
        }

    async def put(self, caller: Caller, parameters: Parameters) -> Parameters:
        metric = _metric_of(parameters)
        made = AnomalyDetector(
            metric=metric,
            configuration=_configuration(parameters.get("Configuration") or {}),
            periodic_spikes=(parameters.get("MetricCharacteristics") or {}).get("PeriodicSpikes"),
        )
        name = _name(caller.account_id, caller.region, metric)
        while True:
            previous = await self._records.get(name)
            try:
                if previous is None:
                    await self._records.insert(name, made)
                else:
                    await self._records.replace(name, made, previous=previous)
            except (AlreadyExistsError, NotFoundError, StaleRevisionError):
                continue  # somebody else put it meanwhile
            return {}

    async def describe(self, caller: Caller, parameters: Parameters) -> Parameters:
        if "AnomalyDetectorIds" in parameters:
            raise InvalidParameterValueException("Lambent's anomaly detectors have no ids.")
        types = parameters.get("AnomalyDetectorTypes") or ["SINGLE_METRIC"]

        def wanted(detector: AnomalyDetector) -> bool:
            metric = detector.metric
            return (
                "SINGLE_METRIC" in types
                and all(
                    parameters.get(name) in (None, metric.get(name)) for name in ("Namespace", "MetricName")
                )
                and ("Dimensions" not in parameters or dimensions_of(parameters) == dimensions_of(metric))
            )

        found, paging = await paged(
            {"MaxRecords": parameters.get("MaxResults", 100)} | parameters,
            lambda after, limit: self._records.page(
                caller.account_id, caller.region, after=after, limit=limit
            ),
            wanted,
        )
        return {"AnomalyDetectors": [await self._described(caller, one) for one in found]} | paging

    async def delete(self, caller: Caller, parameters: Parameters) -> Parameters:
        if "AnomalyDetectorId" in parameters:
            raise InvalidParameterValueException("Lambent's anomaly detectors have no ids.")
        try:
            await self._records.delete(_name(caller.account_id, caller.region, _metric_of(parameters)))
        except NotFoundError:
            raise ResourceNotFoundException("The specified anomaly detector does not exist.") from None
        return {}

    async def ensure(self, caller: Caller, stat: Mapping[str, Any]) -> None:
        """As AWS makes one for the alarm that needs it. `stat` is a MetricStat."""
        metric = _of_stat(stat)
        name = _name(caller.account_id, caller.region, metric)
        if await self._records.get(name) is None:
            try:
                await self._records.insert(
                    name, AnomalyDetector(metric=metric, configuration=_configuration({}))
                )
            except AlreadyExistsError:
                return

    async def find(self, account_id: str, region: str, stat: Mapping[str, Any]) -> AnomalyDetector | None:
        """The one for a MetricStat."""
        return await self._records.get(_name(account_id, region, _of_stat(stat)))

    async def _described(self, caller: Caller, detector: AnomalyDetector) -> Parameters:
        metric = {**detector.metric, "Dimensions": list(detector.metric.get("Dimensions", ()))}
        ranges = [
            {name: datetime.fromtimestamp(at, UTC) for name, at in one.items()}
            for one in detector.configuration["ExcludedTimeRanges"]
        ]
        answer: Parameters = {
            **metric,
            "Configuration": {**detector.configuration, "ExcludedTimeRanges": ranges},
            "StateValue": await self._state(caller, metric),
            _SINGLE: metric,
        }
        if detector.periodic_spikes is not None:
            answer["MetricCharacteristics"] = {"PeriodicSpikes": detector.periodic_spikes}
        return answer

    async def _state(self, caller: Caller, metric: Mapping[str, Any]) -> str:
        """By how long the metric has been known."""
        now = self._clock.now()
        key = key_of(caller.account_id, caller.region, metric)
        if await self._metrics.read(key, start=now - TRAINING_SECONDS, end=now - _KNOWN_SECONDS):
            return "TRAINED"
        if await self._metrics.read(key, start=now - _KNOWN_SECONDS, end=now):
            return "TRAINED_INSUFFICIENT_DATA"
        return "PENDING_TRAINING"


def key_of(account_id: str, region: str, metric: Mapping[str, Any]) -> MetricKey:
    return MetricKey(
        account_id=account_id,
        region=region,
        namespace=metric["Namespace"],
        name=metric["MetricName"],
        dimensions=dimensions_of(metric),
    )


def _metric_of(parameters: Parameters) -> Mapping[str, Any]:
    """The members of SingleMetricAnomalyDetector, which may stand by themselves."""
    if "MetricMathAnomalyDetector" in parameters:
        raise InvalidParameterValueException(
            "Lambent offers anomaly detectors of single metrics; a band of an expression needs none."
        )
    given = [name for name in _METRIC if name in parameters]
    if _SINGLE in parameters and given:
        raise InvalidParameterCombinationException(
            f"The parameters {_SINGLE} and {given[0]} are mutually exclusive and you have specified both."
        )
    metric = parameters.get(_SINGLE, parameters)
    if metric.get("AccountId"):
        raise InvalidParameterValueException("Lambent has no linked accounts: leave out AccountId.")
    for name in ("Namespace", "MetricName", "Stat"):
        if name not in metric:
            raise MissingRequiredParameterException(f"The parameter {name} is required.")
    return {name: metric[name] for name in _METRIC if name in metric}


def _of_stat(stat: Mapping[str, Any]) -> Mapping[str, Any]:
    return {**stat["Metric"], "Stat": stat["Stat"]}


def _configuration(given: Mapping[str, Any]) -> Mapping[str, Any]:
    for name in ("AdaptationSpeed", "OutlierFilteringStrength"):
        if name in given:
            raise InvalidParameterValueException(f"Lambent does not offer {name}.")
    ranges = [{name: epoch(at) for name, at in one.items()} for one in given.get("ExcludedTimeRanges") or ()]
    if len(ranges) > _RANGES_MOST:
        raise InvalidParameterValueException(
            f"The collection ExcludedTimeRanges must not have a size greater than {_RANGES_MOST}."
        )
    if any(one["EndTime"] <= one["StartTime"] for one in ranges):
        raise InvalidParameterValueException("The parameter EndTime must be greater than StartTime.")
    zone = given.get("MetricTimezone")
    if zone is not None and zone not in available_timezones():
        raise InvalidParameterValueException(f"The value {zone} for parameter MetricTimezone is invalid.")
    return {"ExcludedTimeRanges": ranges} | ({} if zone is None else {"MetricTimezone": zone})


def _name(account_id: str, region: str, metric: Mapping[str, Any]) -> Name:
    told = [metric.get("Namespace"), metric.get("MetricName"), metric["Stat"], dimensions_of(metric)]
    return Name(account_id, region, "", hashlib.sha256(orjson.dumps(told)).hexdigest())
