"""What PutMetricAlarm refuses: the rules of an alarm's settings.

Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
"""

from collections.abc import Mapping
from typing import Any

from lambent.base.arn import Arn
from lambent.model.alarm import ACTIONS, Alarm
from lambent.model.caller import Parameters
from lambent.model.error import ValidationException
from lambent.model.extended_statistic import parse_statistic
from lambent.services.cloudwatch.alarm_runs import queries_of
from lambent.services.cloudwatch.errors import InvalidParameterValueException
from lambent.services.cloudwatch.expression import compile_expression
from lambent.services.cloudwatch.metrics_insights import is_query, parse_query
from lambent.services.cloudwatch.queries import check_queries, period_of
from lambent.services.cloudwatch.thresholds import BAND_COMPARISONS, COMPARISONS

_REFUSED = (
    "EvaluationWindow",
    "WarmUpConfiguration",
    "EvaluationCriteria",
    "EvaluationInterval",
    "ActionConfiguration",
)
_MISSING_DATA = ("breaching", "notBreaching", "ignore", "missing")


def check_alarm(parameters: Parameters) -> None:
    """Raises ValidationException, InvalidParameterValueException and what `check_queries` raises."""
    for name in _REFUSED:
        if name in parameters:
            raise InvalidParameterValueException(f"Lambent does not offer {name} yet.")
    _require_metric(parameters)
    _check_threshold(parameters)
    if parameters.get("Metrics"):
        _check_returned(parameters)
    if "EvaluationPeriods" not in parameters:
        raise ValidationException(
            "The parameter EvaluationPeriods must be specified for alarms on a threshold."
        )
    wanted: int = parameters["EvaluationPeriods"]
    if not 1 <= parameters.get("DatapointsToAlarm", wanted) <= wanted:
        raise ValidationException("DatapointsToAlarm must be between 1 and EvaluationPeriods.")
    if parameters.get("TreatMissingData", "missing") not in _MISSING_DATA:
        raise ValidationException(
            f"Option {parameters['TreatMissingData']} is not supported. Options supported: {', '.join(_MISSING_DATA)}"
        )
    _check_low_samples(parameters)
    if wanted * period_of(_queries(parameters)) > 7 * 86_400:
        raise ValidationException(
            "Metrics cannot be checked across more than seven days (EvaluationPeriods * Period)."
        )
    for name in ACTIONS:
        for action in parameters.get(name, ()):
            require_action(action)


def _check_returned(parameters: Parameters) -> None:
    """One is watched; the band says of itself that it returns data too."""
    returned = [
        one
        for one in parameters["Metrics"]
        if one.get("ReturnData", True) and one["Id"] != parameters.get("ThresholdMetricId")
    ]
    if len(returned) != 1:
        raise ValidationException("Exactly one element of the metrics list should return data.")


def _check_threshold(parameters: Parameters) -> None:
    """A number, or a band of what is expected."""
    comparison, band = parameters.get("ComparisonOperator"), parameters.get("ThresholdMetricId")
    if comparison not in COMPARISONS | BAND_COMPARISONS:
        raise ValidationException(
            "The parameter ComparisonOperator must be specified for alarms on a threshold."
        )
    if band is None:
        if comparison in BAND_COMPARISONS:
            raise ValidationException(f"The parameter ThresholdMetricId must be specified for {comparison}.")
        if "Threshold" not in parameters:
            raise ValidationException("The parameter Threshold must be specified for alarms on a threshold.")
        return
    if comparison not in BAND_COMPARISONS:
        raise ValidationException(f"The comparison {comparison} takes a Threshold and no ThresholdMetricId.")
    if "Threshold" in parameters:
        raise ValidationException(
            "Threshold and ThresholdMetricId are mutually exclusive and you have specified both."
        )
    asked = [query for query in parameters.get("Metrics") or () if query["Id"] == band]
    if not asked or not is_band(asked[0].get("Expression", "")):
        raise ValidationException(
            f"ThresholdMetricId {band} is not the Id of an ANOMALY_DETECTION_BAND expression in Metrics."
        )


def _check_low_samples(parameters: Parameters) -> None:
    given = parameters.get("EvaluateLowSampleCountPercentile")
    if given is None:
        return
    if given not in ("evaluate", "ignore"):
        raise ValidationException(f"Option {given} is not supported. Options supported: evaluate, ignore")
    extended = parameters.get("ExtendedStatistic", "")
    if not extended.startswith("p"):
        raise ValidationException(
            "EvaluateLowSampleCountPercentile can only be specified for alarms on a percentile."
        )


def require_action(action: str) -> None:
    try:
        service = Arn.parse(action).service
    except ValueError:
        raise ValidationException(f"Invalid arn syntax: {action}") from None
    if service not in ("sns", "lambda"):
        raise ValidationException(
            f"Lambent does not offer {action} as an action of alarms: topics and functions."
        )


def _check_expression(text: str) -> None:
    """Of one that can be evaluated: an alarm wants one series."""
    if is_query(text) and parse_query(text).group_by:
        raise ValidationException("Lambent does not offer alarms on queries with GROUP BY.")
    if text and not is_query(text) and compile_expression(text).searches:
        raise ValidationException("SEARCH is not supported in the expressions of alarms.")


def is_band(text: str) -> bool:
    """Whether an expression that can be evaluated is a band, and nothing else."""
    return bool(text) and not is_query(text) and bool(compile_expression(text).bands)


def _require_metric(parameters: Parameters) -> None:
    if parameters.get("Metrics"):
        check_queries(parameters["Metrics"])
        for query in parameters["Metrics"]:
            _check_expression(query.get("Expression", ""))
        return
    for name in ("MetricName", "Namespace", "Period"):
        if name not in parameters:
            raise ValidationException(f"The parameter {name} must be specified for alarms on a metric.")
    statistic, extended = parameters.get("Statistic"), parameters.get("ExtendedStatistic")
    if (statistic is None) == (extended is None):
        raise ValidationException("Either Statistic or ExtendedStatistic must be specified, and not both.")
    if extended is not None and parse_statistic(extended) is None:
        raise ValidationException(f"The value {extended} for parameter ExtendedStatistic is not supported.")
    check_queries(_queries(parameters))


def _queries(parameters: Mapping[str, Any]) -> list[dict[str, Any]]:
    placeholder = Alarm(
        name="",
        account_id="",
        region="",
        settings=parameters,
        configured_at=0,
        updated_at=0,
        transitioned_at=0,
    )
    return queries_of(placeholder)


def banded_metrics(settings: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The MetricStats that bands of an alarm are drawn from."""
    queries = {query["Id"]: query for query in settings.get("Metrics") or ()}
    of_bands = [
        band.id
        for query in queries.values()
        if is_band(query.get("Expression", ""))
        for band in compile_expression(query["Expression"]).bands
    ]
    return [queries[id]["MetricStat"] for id in of_bands if "MetricStat" in queries[id]]
