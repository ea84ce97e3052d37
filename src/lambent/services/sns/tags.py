"""Tags of topics: TagResource, UntagResource, ListTagsForResource."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from lambent.model.caller import Caller, Parameters
from lambent.model.service import Operation
from lambent.model.topic import Topic
from lambent.services.sns.errors import ResourceNotFound, TagLimitExceeded, invalid
from lambent.services.sns.topics import Topics

_MOST = 50


class TagOperations:
    def __init__(self, topics: Topics) -> None:
        self._topics = topics

    def operations(self) -> Mapping[str, Operation]:
        return {
            "TagResource": self.tag_resource,
            "UntagResource": self.untag_resource,
            "ListTagsForResource": self.list_tags_for_resource,
        }

    async def tag_resource(self, caller: Caller, parameters: Parameters) -> Parameters:
        added = parse_tags(parameters["Tags"])

        def edit(topic: Topic) -> Topic:
            tags = {**topic.tags, **added}
            _check_count(tags)
            return replace(topic, tags=tags)

        await self._topics.change(self._topic(parameters), edit)
        return {}

    async def untag_resource(self, caller: Caller, parameters: Parameters) -> Parameters:
        removed = set(parameters["TagKeys"])

        def edit(topic: Topic) -> Topic:
            return replace(
                topic, tags={key: value for key, value in topic.tags.items() if key not in removed}
            )

        await self._topics.change(self._topic(parameters), edit)
        return {}

    async def list_tags_for_resource(self, caller: Caller, parameters: Parameters) -> Parameters:
        tags = self._topic(parameters).tags
        return {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}

    def _topic(self, parameters: Parameters) -> Topic:
        topic = self._topics.find(parameters["ResourceArn"])
        if topic is None:
            raise ResourceNotFound("Resource does not exist")
        return topic


def parse_tags(members: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Raises InvalidParameter, TagLimitExceeded."""
    tags: dict[str, str] = {}
    for member in members:
        key = member["Key"]
        if key in tags:
            raise invalid("Duplicated keys are not allowed.")
        if key.lower().startswith("aws:"):
            raise invalid("Tag keys that begin with aws: are reserved for system use.")
        tags[key] = member["Value"]
    _check_count(tags)
    return tags


def _check_count(tags: Mapping[str, str]) -> None:
    if len(tags) > _MOST:
        raise TagLimitExceeded("Could not complete request: tag quota of per resource exceeded")
