"""Makes the calls of schedules, as sessions of their roles."""

from collections.abc import Mapping

from lambent.base.arn import Arn, partition_of
from lambent.model.caller import Caller, Parameters, RoleCallers
from lambent.model.delivery import Delivery
from lambent.model.error import AccessDeniedException, ServiceException, ValidationException
from lambent.model.metric import Metrics
from lambent.model.schedule_record import group_arn
from lambent.model.service import Client
from lambent.services.scheduler.context import filled
from lambent.services.scheduler.targets import call, request_text
from lambent.targets.calls import queue_url
from lambent.targets.dead_letters import string_attributes
from lambent.targets.failure import DeliveryFailedError, failure_of
from lambent.targets.worker import DeadLetter, Outcome

_SERVICE = "scheduler.amazonaws.com"
_NAMESPACE = "AWS/Scheduler"
_BODY_MOST = 1_048_576 - 4096
"""Bytes of a dead letter, with room for its attributes."""


class ScheduleCourier:
    """targets.worker.Courier."""

    def __init__(self, client: Client, roles: RoleCallers, metrics: Metrics) -> None:
        self._client = client
        self._roles = roles
        self._metrics = metrics

    async def deliver(self, delivery: Delivery) -> None:
        self._count(delivery, "InvocationAttemptCount")
        try:
            made = call(delivery.target, delivery.region, filled(delivery))
        except ValidationException as error:
            raise DeliveryFailedError("INVALID_PARAMETER", error.message, cause=error.code) from error
        caller = await self._caller(delivery, made.region)
        try:
            answer = await self._client(made.service, made.operation, caller, made.parameters)
        except ServiceException as error:
            failure = failure_of(error)
            self._count(
                delivery, "TargetErrorThrottledCount" if failure.code == "THROTTLING" else "TargetErrorCount"
            )
            raise failure from error
        if answer.get("FailedEntryCount"):  # of PutEvents
            failed = answer["Entries"][0]
            raise DeliveryFailedError("INVALID_PARAMETER", failed["ErrorMessage"], cause=failed["ErrorCode"])

    async def bury(self, letter: DeadLetter) -> None:
        delivery = letter.delivery
        queue = (delivery.target.get("DeadLetterConfig") or {}).get("Arn")
        if queue is None:
            return
        arn = Arn.parse(queue)
        body = _body(delivery)
        attributes = {
            "ERROR_CODE": letter.failure.cause,
            "ERROR_MESSAGE": letter.failure.message,
            "EXHAUSTED_RETRY_CONDITION": letter.exhausted or "",
            "IS_PAYLOAD_TRUNCATED": str(len(body) > _BODY_MOST).lower(),
            "RETRY_ATTEMPTS": str(delivery.attempts),
            "SCHEDULE_ARN": delivery.source_arn,
            "TARGET_ARN": delivery.target["Arn"],
            **delivery.notes,
        }
        message: Parameters = {
            "QueueUrl": queue_url(arn),
            "MessageBody": body[:_BODY_MOST].decode(errors="ignore"),
            "MessageAttributes": string_attributes(attributes),
        }
        try:
            caller = await self._caller(delivery, arn.region)
            await self._client("sqs", "SendMessage", caller, message)
        except (ServiceException, DeliveryFailedError) as error:
            self._count(delivery, "InvocationsFailedToBeSentToDeadLetterCount")
            code = error.code
            self._count(delivery, f"InvocationsFailedToBeSentToDeadLetterCount_{code}")
        else:
            self._count(delivery, "InvocationsSentToDeadLetterCount")

    def tell(self, delivery: Delivery, outcome: Outcome) -> None:
        if outcome == "failed":
            self._count(delivery, "InvocationDroppedCount")

    async def _caller(self, delivery: Delivery, region: str) -> Caller:
        """Raises DeliveryFailedError."""
        group = group_arn(
            partition_of(delivery.region), delivery.region, delivery.account_id, _group(delivery)
        )
        try:
            return await self._roles.assume(
                delivery.target["RoleArn"],
                _SERVICE,
                region=region,
                session_name=_session(delivery),
                source_arn=group,
            )
        except AccessDeniedException as error:
            raise DeliveryFailedError("FAILED_TO_ASSUME_ROLE", error.message, cause="AccessDenied") from error

    def _count(self, delivery: Delivery, name: str) -> None:
        dimensions: Mapping[str, str] = {"ScheduleGroup": _group(delivery)}
        self._metrics.put(
            delivery.account_id, delivery.region, _NAMESPACE, name, 1, unit="Count", dimensions=dimensions
        )


def _body(delivery: Delivery) -> bytes:
    try:
        return request_text(call(delivery.target, delivery.region, filled(delivery))).encode()
    except ValidationException:  # it could not become a request
        return delivery.payload


def _group(delivery: Delivery) -> str:
    return delivery.source_arn.split("/")[1]


def _session(delivery: Delivery) -> str:
    return delivery.source_arn.split("/")[2]
