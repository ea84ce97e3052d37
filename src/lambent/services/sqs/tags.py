"""Tags of queues: TagQueue, UntagQueue, ListQueueTags."""

from collections.abc import Mapping
from dataclasses import replace

from lambent.model.caller import Caller, Parameters
from lambent.model.queue import Queue
from lambent.model.service import Operation
from lambent.services.sqs.errors import InvalidParameterValueException, MissingRequiredParameterException
from lambent.services.sqs.queues import Queues

_MOST = 50


class TagOperations:
    def __init__(self, queues: Queues) -> None:
        self._queues = queues

    def operations(self) -> Mapping[str, Operation]:
        return {
            "TagQueue": self.tag_queue,
            "UntagQueue": self.untag_queue,
            "ListQueueTags": self.list_queue_tags,
        }

    async def tag_queue(self, caller: Caller, parameters: Parameters) -> Parameters:
        added = dict(parameters["Tags"])
        if not added:
            raise MissingRequiredParameterException("Tags")

        def edit(queue: Queue) -> Queue:
            tags = {**queue.tags, **added}
            check_tags(tags)
            return replace(queue, tags=tags)

        await self._queues.change(self._queues.of(caller, parameters), edit)
        return {}

    async def untag_queue(self, caller: Caller, parameters: Parameters) -> Parameters:
        removed = set(parameters["TagKeys"])

        def edit(queue: Queue) -> Queue:
            return replace(
                queue, tags={key: value for key, value in queue.tags.items() if key not in removed}
            )

        await self._queues.change(self._queues.of(caller, parameters), edit)
        return {}

    async def list_queue_tags(self, caller: Caller, parameters: Parameters) -> Parameters:
        tags = self._queues.of(caller, parameters).tags
        return {"Tags": dict(tags)} if tags else {}


def check_tags(tags: Mapping[str, str]) -> None:
    """Raises InvalidParameterValueException."""
    if len(tags) > _MOST:
        raise InvalidParameterValueException(f"Too many tags added for queue. Maximum allowed is {_MOST}.")
    for key, value in tags.items():
        if not 1 <= len(key) <= 128:
            raise InvalidParameterValueException("Tag keys must be between 1 and 128 characters in length.")
        if key.lower().startswith("aws:"):
            raise InvalidParameterValueException(
                "Tag keys must not start with 'aws:', which is reserved for system use."
            )
        if len(value) > 256:
            raise InvalidParameterValueException("Tag values must be between 0 and 256 characters in length.")
