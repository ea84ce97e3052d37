"""A log group as a target: every event in a stream of its own, as AWS has it.

AWS asks for a resource policy of CloudWatch Logs, which are not offered here: instead, rules may write to the log
groups of their own account, and to no other's.
"""

from lambent.base.arn import Arn
from lambent.base.clock import Clock
from lambent.base.ids import new_uuid
from lambent.model.caller import account_caller
from lambent.model.delivery import Delivery
from lambent.model.service import Client
from lambent.targets.failure import DeliveryFailedError

_GROUP = "log-group:"


def is_log_group(arn: Arn) -> bool:
    return arn.service == "logs" and arn.resource.startswith(_GROUP)


class LogTarget:
    def __init__(self, client: Client, clock: Clock) -> None:
        self._client = client
        self._clock = clock

    async def deliver(self, delivery: Delivery, arn: Arn) -> None:
        """Raises DeliveryFailedError, ServiceException."""
        if arn.account_id != delivery.account_id:
            raise DeliveryFailedError("NO_PERMISSIONS", "The log group is another account's.")
        group = arn.resource.removeprefix(_GROUP).removesuffix(":*")
        stream = {"logGroupName": group, "logStreamName": new_uuid()}
        event = {"timestamp": int(self._clock.now() * 1000), "message": delivery.payload.decode()}
        caller = account_caller("events.amazonaws.com", account_id=arn.account_id, region=arn.region)
        await self._client("logs", "CreateLogStream", caller, stream)
        await self._client("logs", "PutLogEvents", caller, {**stream, "logEvents": [event]})
