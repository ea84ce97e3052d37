"""A log group as a target: every event in a stream of its own, as AWS has it.

A template says what is logged and when: {"timestamp": …, "message": …}. Anything else is logged as it is, now.

AWS asks for a resource policy of CloudWatch Logs, which are not offered here: instead, rules may write to the log
groups of their own account, and to no other's.
"""

from datetime import datetime
from typing import Any

import orjson

from lambent.base.arn import Arn
from lambent.base.clock import Clock
from lambent.base.ids import new_uuid
from lambent.model.caller import account_caller
from lambent.model.delivery import Delivery
from lambent.model.service import Client
from lambent.targets.failure import DeliveryFailedError

_GROUP = "log-group:"
_LINE = frozenset({"timestamp", "message"})


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
        event = _line(delivery, self._clock.now())
        caller = account_caller("events.amazonaws.com", account_id=arn.account_id, region=arn.region)
        await self._client("logs", "CreateLogStream", caller, stream)
        await self._client("logs", "PutLogEvents", caller, {**stream, "logEvents": [event]})


def _line(delivery: Delivery, now: float) -> dict[str, Any]:
    text, moment = delivery.payload.decode(), int(now * 1000)
    if "InputTransformer" not in delivery.target:
        return {"timestamp": moment, "message": text}
    said = orjson.loads(text)
    if not isinstance(said, dict) or "message" not in said or not said.keys() <= _LINE:
        return {"timestamp": moment, "message": text}
    message = said["message"]
    return {
        "timestamp": _milliseconds(said.get("timestamp"), moment),
        "message": message if isinstance(message, str) else orjson.dumps(message).decode(),
    }


def _milliseconds(said: Any, moment: int) -> int:
    """Raises DeliveryFailedError."""
    if said is None:
        return moment
    try:
        if isinstance(said, str) and not said.isdecimal():
            return int(datetime.fromisoformat(said).timestamp() * 1000)
        return int(said)
    except (TypeError, ValueError):
        raise DeliveryFailedError("INVALID_PARAMETER", f"{said} is no timestamp.") from None
