"""Carries out the actions of alarms, as AWS's own service: the topic or the function must let it. What came of it is
kept in the alarm's history. The default event bus is told of changes, too, whether anybody listens or not."""

import logging

import orjson

from lambent.base.arn import Arn, partition_of
from lambent.base.clock import Clock
from lambent.base.ids import new_token
from lambent.model.alarm import AlarmHistoryItem
from lambent.model.caller import Caller, service_caller
from lambent.model.delivery import Delivery
from lambent.model.error import ServiceException
from lambent.model.service import Client
from lambent.services.cloudwatch.alarm_changes import ALARM_TYPE
from lambent.services.cloudwatch.alarm_message import subject_of
from lambent.store.ports.errors import StoreError
from lambent.store.ports.named_records import Name, NamedRecords
from lambent.targets.failure import failure_of
from lambent.targets.worker import DeadLetter, Outcome

log = logging.getLogger(__name__)

_CALLERS = {
    "lambda": "lambda.alarms.cloudwatch.amazonaws.com",
    "sns": "cloudwatch.amazonaws.com",
    "events": "cloudwatch.amazonaws.com",
}


class AlarmCourier:
    """targets.worker.Courier."""

    def __init__(self, client: Client, history: NamedRecords[AlarmHistoryItem], clock: Clock) -> None:
        self._client = client
        self._history = history
        self._clock = clock

    async def deliver(self, delivery: Delivery) -> None:
        service = Arn.parse(delivery.target["Arn"]).service
        caller = service_caller(
            _CALLERS[service],
            account_id=delivery.account_id,
            region=delivery.region,
            source_arn=delivery.source_arn,
            partition=partition_of(delivery.region),
        )
        try:
            await self._call(service, caller, delivery)
        except ServiceException as error:
            raise failure_of(error) from error
        await self._note(delivery)

    async def bury(self, letter: DeadLetter) -> None:
        """An action that cannot be carried out is lost, as on AWS."""
        await self._note(letter.delivery, letter.failure.message)

    def tell(self, delivery: Delivery, outcome: Outcome) -> None:
        """Nothing is measured."""

    async def _call(self, service: str, caller: Caller, delivery: Delivery) -> None:
        action, text = delivery.target["Arn"], delivery.payload.decode()
        if service == "lambda":
            parameters = {"FunctionName": action, "InvocationType": "Event", "Payload": delivery.payload}
            await self._client("lambda", "Invoke", caller, parameters)
        elif service == "sns":
            told = orjson.loads(delivery.payload)
            subject = subject_of(told["AlarmName"], told["NewStateValue"], told["Region"])
            await self._client(
                "sns", "Publish", caller, {"TopicArn": action, "Message": text, "Subject": subject}
            )
        else:
            entry = {
                "Source": "aws.cloudwatch",
                "DetailType": "CloudWatch Alarm State Change",
                "Resources": [delivery.source_arn],
                "Detail": text,
            }
            await self._client("events", "PutEvents", caller, {"Entries": [entry]})

    async def _note(self, delivery: Delivery, error: str | None = None) -> None:
        """An action that was carried out is not carried out again because that could not be noted."""
        if Arn.parse(delivery.target["Arn"]).service == "events":
            return
        item = _item(delivery, error, self._clock.now())
        key = f"{int(item.at * 1000):014d}-{new_token(8)}"
        try:
            await self._history.insert(Name(delivery.account_id, delivery.region, item.alarm_name, key), item)
        except StoreError:
            log.exception("what became of an action of %s was not noted", delivery.source_arn)


def _item(delivery: Delivery, error: str | None, now: float) -> AlarmHistoryItem:
    action, text = delivery.target["Arn"], delivery.payload.decode()
    to_topic = Arn.parse(action).service == "sns"
    data = {
        "actionState": "Succeeded" if error is None else "Failed",
        "stateUpdateTimestamp": int(delivery.accepted_at * 1000),
        "notificationResource": action,
        "publishedMessage": orjson.dumps({"default": text}).decode() if to_topic else text,
        "error": error,
    }
    summary = f"Successfully executed action {action}"
    if error is not None:
        summary = f'Failed to execute action {action}. Received error: "{error}"'
    return AlarmHistoryItem(
        alarm_name=delivery.source_arn.partition(":alarm:")[2],
        at=now,
        kind="Action",
        summary=summary,
        data=orjson.dumps(data).decode(),
        alarm_kind=delivery.notes.get(ALARM_TYPE, "MetricAlarm"),
    )
