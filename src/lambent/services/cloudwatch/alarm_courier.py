"""Carries out the actions of alarms, as AWS's own service: the topic or the function must let it."""

import orjson

from lambent.base.arn import Arn, partition_of
from lambent.model.caller import service_caller
from lambent.model.delivery import Delivery
from lambent.model.error import ServiceException
from lambent.model.service import Client
from lambent.services.cloudwatch.alarm_message import subject_of
from lambent.targets.failure import failure_of
from lambent.targets.worker import DeadLetter, Outcome


class AlarmCourier:
    """targets.worker.Courier."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def deliver(self, delivery: Delivery) -> None:
        action = delivery.target["Arn"]
        to_function = Arn.parse(action).service == "lambda"
        service = "lambda.alarms.cloudwatch.amazonaws.com" if to_function else "cloudwatch.amazonaws.com"
        caller = service_caller(
            service,
            account_id=delivery.account_id,
            region=delivery.region,
            source_arn=delivery.source_arn,
            partition=partition_of(delivery.region),
        )
        try:
            if to_function:
                parameters = {"FunctionName": action, "InvocationType": "Event", "Payload": delivery.payload}
                await self._client("lambda", "Invoke", caller, parameters)
            else:
                told = orjson.loads(delivery.payload)
                subject = subject_of(told["AlarmName"], told["NewStateValue"], told["Region"])
                message = {"TopicArn": action, "Message": delivery.payload.decode(), "Subject": subject}
                await self._client("sns", "Publish", caller, message)
        except ServiceException as error:
            raise failure_of(error) from error

    async def bury(self, letter: DeadLetter) -> None:
        """An action that cannot be carried out is lost, as on AWS."""

    def tell(self, delivery: Delivery, outcome: Outcome) -> None:
        """Nothing is measured."""
