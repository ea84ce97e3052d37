"""Invokes the functions that log events are for, as CloudWatch Logs: their policies must let it."""

from lambent.base.arn import partition_of
from lambent.model.caller import Parameters, service_caller
from lambent.model.delivery import Delivery
from lambent.model.error import ServiceException
from lambent.model.service import Client
from lambent.targets.failure import failure_of
from lambent.targets.worker import DeadLetter, Outcome


class LogCourier:
    """targets.worker.Courier."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def deliver(self, delivery: Delivery) -> None:
        asked = {
            "FunctionName": delivery.target["Arn"],
            "InvocationType": "Event",
            "Payload": delivery.payload,
        }
        try:
            await as_logs(self._client, delivery.account_id, delivery.region, delivery.source_arn, asked)
        except ServiceException as error:
            raise failure_of(error) from error

    async def bury(self, letter: DeadLetter) -> None:
        """What cannot be delivered is lost, as on AWS: the events are in their group."""

    def tell(self, delivery: Delivery, outcome: Outcome) -> None:
        """Nothing is measured."""


async def as_logs(client: Client, account_id: str, region: str, source_arn: str, asked: Parameters) -> None:
    """Invoke, by either name that policies know CloudWatch Logs by. Raises ServiceException."""
    refused: ServiceException | None = None
    for service in ("logs.amazonaws.com", f"logs.{region}.amazonaws.com"):
        caller = service_caller(
            service,
            account_id=account_id,
            region=region,
            source_arn=source_arn,
            partition=partition_of(region),
        )
        try:
            await client("lambda", "Invoke", caller, asked)
        except ServiceException as error:
            if error.code != "AccessDeniedException":
                raise
            refused = refused or error
        else:
            return
    assert refused is not None
    raise refused


def group_source(account_id: str, region: str, group: str) -> str:
    """The log group's ARN, as policies of functions are given it."""
    return f"arn:{partition_of(region)}:logs:{region}:{account_id}:log-group:{group}:*"
