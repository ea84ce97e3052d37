"""Telling destinations and dead-letter targets of an outcome, with the rights of the function's role."""

import logging
from collections.abc import Callable
from dataclasses import replace

from lambent.base.ids import new_uuid
from lambent.invoke.outcomes import Delivery, UndeliverableError, dead_letter_delivery, destination_delivery
from lambent.model.caller import RoleCallers
from lambent.model.error import ServiceException
from lambent.model.invocation import EventInvocation, EventOutcome
from lambent.model.metric import Metrics
from lambent.model.service import Client

log = logging.getLogger(__name__)

_Compose = Callable[[EventInvocation, EventOutcome, str], Delivery]


class Deliveries:
    def __init__(self, client: Client, roles: RoleCallers, metrics: Metrics) -> None:
        self._client = client
        self._roles = roles
        self._metrics = metrics

    async def tell(self, event: EventInvocation) -> EventInvocation:
        """The event, with those who could not be told left in its outcome. Never raises but for cancellation."""
        outcome = event.outcome
        assert outcome is not None
        if outcome.destination is not None and await self._told(
            event, outcome, outcome.destination, destination_delivery, "DestinationDeliveryFailures"
        ):
            outcome = replace(outcome, destination=None)
        if outcome.dead_letters is not None and await self._told(
            event, outcome, outcome.dead_letters, dead_letter_delivery, "DeadLetterErrors"
        ):
            outcome = replace(outcome, dead_letters=None)
        return replace(event, outcome=outcome)

    async def _told(
        self, event: EventInvocation, outcome: EventOutcome, arn: str, compose: _Compose, metric: str
    ) -> bool:
        try:
            await self._deliver(event, outcome.role, compose(event, outcome, arn))
        except (ServiceException, UndeliverableError) as error:
            log.warning("the outcome of event %s was not delivered to %s: %s", event.request_id, arn, error)
        except Exception:
            log.exception("the outcome of event %s was not delivered to %s", event.request_id, arn)
        else:
            return True
        dimensions = {"FunctionName": event.function_name}
        self._metrics.put(
            event.account_id, event.region, "AWS/Lambda", metric, 1, unit="Count", dimensions=dimensions
        )
        return False

    async def _deliver(self, event: EventInvocation, role: str, delivery: Delivery) -> None:
        caller = await self._roles.assume(
            role, "lambda.amazonaws.com", region=delivery.region, session_name=event.function_name
        )
        caller.request_id = new_uuid()
        if event.trace_id is not None:
            caller.headers["x-amzn-trace-id"] = event.trace_id
        answer = await self._client(delivery.service, delivery.operation, caller, delivery.parameters)
        if answer.get("FailedEntryCount"):
            raise UndeliverableError(f"PutEvents answered {answer['Entries']}")
