"""Attributes of queues: GetQueueAttributes, SetQueueAttributes."""

from collections.abc import Mapping
from dataclasses import replace

from lambent.model.caller import Caller, Parameters
from lambent.model.policy import MalformedPolicyError, PolicyKind, parse_policy
from lambent.model.queue import Queue
from lambent.model.service import Operation
from lambent.services.sqs import attributes
from lambent.services.sqs.errors import (
    InvalidAttributeName,
    InvalidAttributeValue,
    MissingRequiredParameterException,
    OverLimit,
)
from lambent.services.sqs.queues import Queues
from lambent.services.sqs.redrive import check_redrive_allow_policy, check_redrive_policy
from lambent.store.ports.queue_messages import QueueMessageStore

_COUNTED = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)
_READABLE = attributes.SETTABLE | {
    "All",
    "QueueArn",
    "CreatedTimestamp",
    "LastModifiedTimestamp",
    *_COUNTED,
}
_STATEMENTS_MOST = 20


class AttributeOperations:
    def __init__(self, queues: Queues, messages: QueueMessageStore) -> None:
        self._queues = queues
        self._messages = messages

    def operations(self) -> Mapping[str, Operation]:
        return {
            "GetQueueAttributes": self.get_queue_attributes,
            "SetQueueAttributes": self.set_queue_attributes,
        }

    async def get_queue_attributes(self, caller: Caller, parameters: Parameters) -> Parameters:
        queue = self._queues.of(caller, parameters)
        names = parameters.get("AttributeNames") or []
        for name in names:
            if name not in _READABLE:
                raise InvalidAttributeName(f"Unknown Attribute {name}.")
        found = attributes.described(queue)
        if "All" in names or any(name in _COUNTED for name in names):
            depth = await self._messages.depth(queue.id, now=self._queues.now())
            counts = (depth.visible, depth.in_flight, depth.delayed)
            found |= dict(zip(_COUNTED, map(str, counts), strict=True))
        if "All" not in names:
            found = {name: found[name] for name in names if name in found}
        return {"Attributes": found} if found else {}

    async def set_queue_attributes(self, caller: Caller, parameters: Parameters) -> Parameters:
        given = dict(parameters["Attributes"])
        if not given:
            raise MissingRequiredParameterException("Attribute.Name")

        def edit(queue: Queue) -> Queue:
            _check_type(queue, given)
            attributes.check_values(given, is_fifo=queue.is_fifo)
            changed = attributes.merged(queue.attributes, given)
            attributes.check_together(changed, given)
            check_documents(given, queue, self._queues)
            return replace(queue, attributes=changed, modified_at=self._queues.now())

        await self._queues.change(self._queues.of(caller, parameters), edit)
        return {}


def check_documents(given: Mapping[str, str], queue: Queue, queues: Queues) -> None:
    """Those that are JSON; empty ones take away. Raises what their checks raise."""
    if given.get("Policy"):
        check_policy(given["Policy"])
    if given.get("RedrivePolicy"):
        check_redrive_policy(given["RedrivePolicy"], queue, queues.by_arn)
    if given.get("RedriveAllowPolicy"):
        check_redrive_allow_policy(given["RedriveAllowPolicy"])


def check_policy(document: str) -> None:
    """Raises InvalidAttributeValue, OverLimit."""
    try:
        parsed = parse_policy(document, PolicyKind.RESOURCE)
    except MalformedPolicyError:
        raise InvalidAttributeValue("Invalid value for the parameter Policy.") from None
    if len(parsed.statements) > _STATEMENTS_MOST:
        raise OverLimit(
            f"{len(parsed.statements)} statements were found in the submitted policy, "
            f"max allowed is {_STATEMENTS_MOST}"
        )


def _check_type(queue: Queue, given: Mapping[str, str]) -> None:
    if queue.is_fifo and given.get("FifoQueue", "true").lower() != "true":
        raise InvalidAttributeValue(
            "Invalid value for the parameter FifoQueue. Reason: Modifying queue type is not supported."
        )
