"""What a pipe may be made of here: a queue, a function to enrich with, and what targets there are. Pure.

Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-batching-concurrency.html
"""

import re
from collections.abc import Mapping
from typing import Any

from lambent.base.arn import Arn
from lambent.model.event_pattern import InvalidPatternError, parse_pattern
from lambent.model.input_template import InvalidInputError, makes_json, replaced, require_json
from lambent.model.json_path import InvalidPathError, dynamic, parse_path
from lambent.model.pipe import Pipe, batching
from lambent.services.pipes.errors import invalid, not_offered

_PLACEHOLDER = re.compile(r"<(\$[^<>]*|aws\.pipes\.[^<>]*)>")
_VARIABLES = frozenset(
    f"aws.pipes.{name}"
    for name in (
        "pipe-arn",
        "pipe-name",
        "source-arn",
        "enrichment-arn",
        "target-arn",
        "event.ingestion-time",
        "event",
        "event.json",
    )
)
_TARGETS: Mapping[str, str] = {
    "lambda": "LambdaFunctionParameters",
    "sqs": "SqsQueueParameters",
    "sns": "",
    "events": "EventBridgeEventBusParameters",
    "logs": "CloudWatchLogsParameters",
}
"""By service, the parameters that are its own."""
_BATCHES_OF_TEN = frozenset({"sqs", "sns", "events"})
_FILTERS_MOST = 5
_SQS = "SourceParameters.SqsQueueParameters"


def check(pipe: Pipe) -> None:
    """Raises ValidationException."""
    _check_source(pipe)
    if pipe.enrichment is not None:
        if _arn(pipe.enrichment, "Enrichment").service != "lambda":
            raise not_offered("Enrichment", f"enrichment by {pipe.enrichment}")
        if "HttpParameters" in pipe.enrichment_parameters:
            raise not_offered("EnrichmentParameters.HttpParameters", "enrichment by HTTP")
    _check_template(pipe.enrichment_parameters, "EnrichmentParameters")
    _check_target(pipe)
    _check_template(pipe.target_parameters, "TargetParameters")
    _check_log(pipe)


def _check_log(pipe: Pipe) -> None:
    for name in ("S3LogDestination", "FirehoseLogDestination"):
        if name in pipe.log_configuration:
            raise not_offered(f"LogConfiguration.{name}", "logs of pipes but in log groups")
    field = "LogConfiguration.CloudwatchLogsLogDestination"
    destination = pipe.log_configuration.get("CloudwatchLogsLogDestination")
    if destination is None:
        if pipe.log_configuration.get("Level", "OFF") != "OFF":
            raise invalid(field, "Missing required parameter.")
        return
    group = _arn(destination["LogGroupArn"], f"{field}.LogGroupArn")
    if group.service != "logs" or group.account_id != pipe.account_id:
        raise invalid(f"{field}.LogGroupArn", "Must be a log group of the pipe's account.")


def _check_source(pipe: Pipe) -> None:
    source = _arn(pipe.source, "Source")
    if source.service != "sqs":
        raise not_offered("Source", f"sources like {pipe.source}")
    for name in pipe.source_parameters:
        if name not in ("FilterCriteria", "SqsQueueParameters"):
            raise invalid(f"SourceParameters.{name}", "Parameter is not supported for this source.")
    filters = (pipe.source_parameters.get("FilterCriteria") or {}).get("Filters") or ()
    if len(filters) > _FILTERS_MOST:
        raise invalid("SourceParameters.FilterCriteria.Filters", f"At most {_FILTERS_MOST} filters.")
    for each in filters:
        try:
            parse_pattern(each.get("Pattern") or "")
        except InvalidPatternError as error:
            raise invalid("SourceParameters.FilterCriteria", f"Invalid filter pattern: {error}") from None
    read = batching(pipe)
    size, window = read["BatchSize"], read.get("MaximumBatchingWindowInSeconds", 0)
    if source.resource.endswith(".fifo"):
        if size > 10:
            raise invalid(f"{_SQS}.BatchSize", "BatchSize cannot be more than 10 for a FIFO queue.")
        if window:
            raise invalid(f"{_SQS}.MaximumBatchingWindowInSeconds", "Not supported for FIFO queues.")
    elif size > 10 and not window:
        raise invalid(
            f"{_SQS}.MaximumBatchingWindowInSeconds", "Must be at least 1 where BatchSize is more than 10."
        )


def _check_target(pipe: Pipe) -> None:
    target = _arn(pipe.target, "Target")
    own = _TARGETS.get(target.service)
    if own is None or (target.service == "events" and not target.resource.startswith("event-bus/")):
        raise not_offered("Target", f"targets like {pipe.target}")
    for name, value in pipe.target_parameters.items():
        if name not in ("InputTemplate", own):
            raise invalid(f"TargetParameters.{name}", "Parameter is not supported for this target.")
        if name != "InputTemplate":
            for path in dynamic(value):
                _require_path(path, f"TargetParameters.{name}")
    if target.service in _BATCHES_OF_TEN and batching(pipe)["BatchSize"] > 10:
        raise invalid(f"{_SQS}.BatchSize", "BatchSize cannot be more than the target supports: 10.")
    given = pipe.target_parameters.get(own, {}) if own else {}
    if target.service == "sqs" and target.resource.endswith(".fifo") and "MessageGroupId" not in given:
        raise invalid("TargetParameters.SqsQueueParameters.MessageGroupId", "Missing required parameter.")
    if "EndpointId" in given:
        raise not_offered("TargetParameters.EventBridgeEventBusParameters.EndpointId", "global endpoints")


def _check_template(parameters: Mapping[str, Any], of: str) -> None:
    template, field = parameters.get("InputTemplate") or "", f"{of}.InputTemplate"
    for name in _PLACEHOLDER.findall(template):
        if name.startswith("$"):
            _require_path(name, field)
        elif name not in _VARIABLES:
            raise invalid(field, f"Unknown variable {name}.")
    if makes_json(template):
        try:
            tried = replaced(template, _PLACEHOLDER, lambda name, quoted: "x" if quoted else "0")
            require_json(tried, "The template is not valid JSON.")
        except InvalidInputError as error:
            raise invalid(field, str(error)) from None


def _require_path(text: str, field: str) -> None:
    try:
        parse_path(text)
    except InvalidPathError:
        raise invalid(field, f"Invalid JSON path {text}.") from None


def _arn(text: str, field: str) -> Arn:
    try:
        return Arn.parse(text)
    except ValueError:
        raise invalid(field, "Provided Arn is not in correct format.") from None
