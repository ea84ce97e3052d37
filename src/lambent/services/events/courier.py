"""Brings what rules have accepted to their targets: as the target's role, or as events.amazonaws.com for the rule."""

from collections.abc import Mapping, Sequence

from lambent.base.arn import Arn, partition_of
from lambent.model.caller import Caller, Parameters, RoleCallers, service_caller
from lambent.model.delivery import Delivery
from lambent.model.error import AccessDeniedException, ServiceException
from lambent.model.service import Client
from lambent.services.events.acceptance import BUSES, INVALID, TRACE
from lambent.services.events.event import event_of, in_region
from lambent.services.events.http_target import HttpTarget, is_api_destination
from lambent.services.events.log_target import LogTarget, is_log_group
from lambent.services.events.names import is_bus_arn
from lambent.services.events.put_events import FORWARDED
from lambent.services.events.rule_metrics import RuleMetrics
from lambent.targets.calls import call_of, is_offered, queue_url
from lambent.targets.dead_letters import string_attributes
from lambent.targets.failure import DeliveryFailedError, failure_of
from lambent.targets.worker import DeadLetter, Outcome

SERVICE = "events.amazonaws.com"
_METRICS: Mapping[Outcome, Sequence[str]] = {
    "delivered": ("Invocations", "InvocationAttempts", "SuccessfulInvocationAttempts"),
    "retried": ("InvocationAttempts", "RetryInvocationAttempts"),
    "failed": ("InvocationAttempts", "FailedInvocations"),
}


def is_target(arn: Arn) -> bool:
    """Whether rules can have this target here."""
    return is_bus_arn(str(arn)) or is_api_destination(arn) or is_log_group(arn) or is_offered(str(arn))


class RuleCourier:
    """targets.worker.Courier."""

    def __init__(
        self,
        client: Client,
        roles: RoleCallers,
        logs: LogTarget,
        http: HttpTarget,
        metrics: RuleMetrics,
    ) -> None:
        self._client = client
        self._roles = roles
        self._logs = logs
        self._http = http
        self._metrics = metrics

    async def deliver(self, delivery: Delivery) -> None:
        if (reason := delivery.notes.get(INVALID)) is not None:
            raise DeliveryFailedError("INVALID_JSON", reason)
        arn = Arn.parse(delivery.target["Arn"])
        try:
            if is_api_destination(arn):
                await self._http.deliver(delivery, arn)
            elif arn.service == "events":
                await self._to_bus(delivery, arn)
            elif arn.service == "logs":
                await self._logs.deliver(delivery, arn)
            else:
                await self._call(delivery)
        except ServiceException as error:
            raise failure_of(error) from error

    async def bury(self, letter: DeadLetter) -> None:
        delivery = letter.delivery
        queue = (delivery.target.get("DeadLetterConfig") or {}).get("Arn")
        if queue is None:
            return
        attributes = {
            "RULE_ARN": delivery.source_arn,
            "TARGET_ARN": delivery.target["Arn"],
            "ERROR_CODE": letter.failure.code,
            "ERROR_MESSAGE": letter.failure.message,
        }
        if letter.exhausted is not None:
            attributes["EXHAUSTED_RETRY_CONDITION"] = letter.exhausted
            attributes["RETRY_ATTEMPTS"] = str(delivery.attempts)
        arn = Arn.parse(queue)
        message: Parameters = {
            "QueueUrl": queue_url(arn),
            "MessageBody": (delivery.event if delivery.event is not None else delivery.payload).decode(),
            "MessageAttributes": string_attributes(attributes),
        }
        try:
            await self._client("sqs", "SendMessage", self._as_service(delivery, arn.region), message)
        except ServiceException:
            self._metrics.count(delivery.source_arn, "InvocationsFailedToBeSentToDlq")
        else:
            self._metrics.count(delivery.source_arn, "InvocationsSentToDlq")

    def tell(self, delivery: Delivery, outcome: Outcome) -> None:
        for name in _METRICS[outcome]:
            self._metrics.count(delivery.source_arn, name)

    async def _to_bus(self, delivery: Delivery, arn: Arn) -> None:
        """The event goes on as it is, to no bus twice. In another region it gets another id."""
        bus = str(arn)
        buses = (*delivery.notes.get(BUSES, "").split(), _bus_of_rule(delivery.source_arn))
        if bus in buses:
            raise DeliveryFailedError("THIRD_ACCOUNT_HOP_DETECTED", f"The event has been on {bus} before.")
        event = event_of(delivery.payload)
        if arn.region != delivery.region:
            event = in_region(event, arn.region)
        entry: Parameters = {
            "EventBusName": bus,
            "Source": event.members["source"],
            "DetailType": event.members["detail-type"],
            "Detail": "{}",
            FORWARDED: (event.text, buses),
        }
        if TRACE in delivery.notes:
            entry["TraceHeader"] = delivery.notes[TRACE]
        caller = await self._caller(delivery, arn.region)
        answer = await self._client("events", "PutEvents", caller, {"Entries": [entry]})
        if answer["FailedEntryCount"]:
            failed = answer["Entries"][0]
            raise DeliveryFailedError("EVENTS_IN_BATCH_REQUEST_REJECTED", failed["ErrorMessage"])

    async def _call(self, delivery: Delivery) -> None:
        call = call_of(delivery.target, delivery.payload)
        caller = await self._caller(delivery, call.region)
        trace = delivery.notes.get(TRACE)
        if trace is not None:
            caller.headers["x-amzn-trace-id"] = trace
            if call.service == "sqs":
                header = {"DataType": "String", "StringValue": trace}
                call.parameters["MessageSystemAttributes"] = {"AWSTraceHeader": header}
        await self._client(call.service, call.operation, caller, call.parameters)

    async def _caller(self, delivery: Delivery, region: str) -> Caller:
        """Raises DeliveryFailedError."""
        role = delivery.target.get("RoleArn")
        if role is None:
            return self._as_service(delivery, region)
        try:
            return await self._roles.assume(
                role, SERVICE, region=region, session_name="EventBridge", source_arn=delivery.source_arn
            )
        except AccessDeniedException as error:
            raise DeliveryFailedError("FAILED_TO_ASSUME_ROLE", error.message) from error

    def _as_service(self, delivery: Delivery, region: str) -> Caller:
        return service_caller(
            SERVICE,
            account_id=delivery.account_id,
            region=region,
            partition=partition_of(region),
            source_arn=delivery.source_arn,
        )


def _bus_of_rule(rule_arn: str) -> str:
    """The ARN of the bus that a rule is of."""
    arn = Arn.parse(rule_arn)
    bus = arn.resource.removeprefix("rule/").rpartition("/")[0] or "default"
    return f"arn:{arn.partition}:events:{arn.region}:{arn.account_id}:event-bus/{bus}"
