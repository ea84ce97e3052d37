"""Whether a function's role may read the source that its mapping names, and whether the two fit together.

Asked where the answer is given: at the source itself, as the role. What would change something there is asked in a form
that no service fulfils: whoever may not is told that first.
"""

import re
from collections.abc import Mapping
from typing import Any

from lambent.base.arn import Arn
from lambent.model.caller import Caller, RoleCallers
from lambent.model.error import AccessDeniedException, ServiceException
from lambent.model.event_source_mapping import EventSourceMapping
from lambent.model.function import FunctionVersion
from lambent.model.lambda_errors import InvalidParameterValueException
from lambent.model.service import Client

_NO_QUEUE = (
    "Error occurred while ReceiveMessage. SQS Error Code: AWS.SimpleQueueService.NonExistentQueue. "
    "SQS Error Message: The specified queue does not exist or you do not have access to it."
)
_SQS_PROBES: Mapping[str, Mapping[str, Any]] = {
    "ReceiveMessage": {"MaxNumberOfMessages": 0},
    "DeleteMessage": {"ReceiptHandle": ""},
    "GetQueueAttributes": {"AttributeNames": ["VisibilityTimeout"]},
}
"""What the role needs, in the order in which AWS names it. No queue gives 0 messages, none has an empty handle."""

_NOWHERE = frozenset({"InvalidAddress", "QueueDoesNotExist", "UnknownOperationException"})
_QUEUE_NAME = re.compile(r"[A-Za-z0-9_-]{1,80}(\.fifo)?", re.ASCII)


class EventSourceAccess:
    def __init__(self, client: Client, roles: RoleCallers) -> None:
        self._client = client
        self._roles = roles

    async def require(self, mapping: EventSourceMapping, version: FunctionVersion) -> None:
        """Raises InvalidParameterValueException."""
        assert mapping.kind == "sqs" and mapping.source_arn is not None
        attributes = await self._require_queue(mapping, version)
        visibility = int(attributes.get("VisibilityTimeout", 30))
        if visibility < version.timeout:
            raise InvalidParameterValueException(
                f"Queue visibility timeout: {visibility} seconds is less than "
                f"Function timeout: {version.timeout} seconds"
            )

    async def _require_queue(
        self, mapping: EventSourceMapping, version: FunctionVersion
    ) -> Mapping[str, str]:
        """The queue's attributes."""
        queue = Arn.parse(mapping.source_arn or "")
        if queue.region != mapping.region or not _QUEUE_NAME.fullmatch(queue.resource):
            raise InvalidParameterValueException(_NO_QUEUE)
        caller = await self._session(mapping, version)
        address = {"QueueUrl": f"http://sqs.{queue.region}.amazonaws.com/{queue.account_id}/{queue.resource}"}
        found: Mapping[str, str] = {}
        for operation, parameters in _SQS_PROBES.items():
            try:
                answer = await self._client("sqs", operation, caller, {**address, **parameters})
            except ServiceException as error:
                if error.code.startswith("AccessDenied"):
                    raise _not_permitted(operation) from error
                if error.code in _NOWHERE or operation == "GetQueueAttributes":
                    raise InvalidParameterValueException(_NO_QUEUE) from error
                continue
            found = answer.get("Attributes", {})
        return found

    async def _session(self, mapping: EventSourceMapping, version: FunctionVersion) -> Caller:
        try:
            return await self._roles.assume(
                version.role,
                "lambda.amazonaws.com",
                region=mapping.region,
                session_name=mapping.function_name,
            )
        except AccessDeniedException as error:
            raise InvalidParameterValueException(
                "The role defined for the function cannot be assumed by Lambda."
            ) from error


def _not_permitted(operation: str) -> InvalidParameterValueException:
    return InvalidParameterValueException(
        f"The provided execution role does not have permissions to call {operation} on SQS"
    )
