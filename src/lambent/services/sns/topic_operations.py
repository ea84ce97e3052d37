"""Topics: CreateTopic, DeleteTopic, ListTopics, GetTopicAttributes, SetTopicAttributes."""

from collections.abc import Mapping

from lambent.model.caller import Caller, Parameters, PassRole
from lambent.model.service import Operation
from lambent.model.topic import Topic
from lambent.services.sns import delivery_status, topic_attributes
from lambent.services.sns.arns import require_topic_arn
from lambent.services.sns.errors import invalid
from lambent.services.sns.pages import page
from lambent.services.sns.tags import parse_tags
from lambent.services.sns.topics import Topics


class TopicOperations:
    def __init__(self, topics: Topics, pass_role: PassRole) -> None:
        self._topics = topics
        self._pass_role = pass_role

    def operations(self) -> Mapping[str, Operation]:
        return {
            "CreateTopic": self.create_topic,
            "DeleteTopic": self.delete_topic,
            "ListTopics": self.list_topics,
            "GetTopicAttributes": self.get_topic_attributes,
            "SetTopicAttributes": self.set_topic_attributes,
        }

    async def create_topic(self, caller: Caller, parameters: Parameters) -> Parameters:
        name, given = parameters["Name"], dict(parameters.get("Attributes") or {})
        if parameters.get("DataProtectionPolicy"):
            raise invalid("DataProtectionPolicy Reason: Lambent does not offer data protection policies")
        tags = parse_tags(parameters.get("Tags") or ())
        topic_attributes.check_name(name, given)
        for attribute, value in given.items():
            topic_attributes.check_value(attribute, value, is_fifo=name.endswith(".fifo"), creating=True)
        await self._require_roles(caller, given)
        now = self._topics.now()
        topic = Topic(
            account_id=caller.account_id, region=caller.region, name=name, tags=tags, created_at=now
        )
        own = {key: value for key, value in given.items() if key != "FifoTopic"}
        topic = topic_attributes.with_attributes(topic, own, now)
        async with self._topics.changing:
            existing = self._topics.find(topic.arn)
            if existing is None:
                await self._topics.put(topic)
            else:
                _check_same(existing, given, tags)
        return {"TopicArn": topic.arn}

    async def delete_topic(self, caller: Caller, parameters: Parameters) -> Parameters:
        await self._topics.delete(require_topic_arn(parameters["TopicArn"], caller))
        return {}

    async def list_topics(self, caller: Caller, parameters: Parameters) -> Parameters:
        arns = sorted(
            topic.arn
            for topic in self._topics
            if (topic.account_id, topic.region) == (caller.account_id, caller.region)
        )
        found, token = page(arns, parameters)
        return {"Topics": [{"TopicArn": arn} for arn in found], **token}

    async def get_topic_attributes(self, caller: Caller, parameters: Parameters) -> Parameters:
        topic = self._topics.get(parameters["TopicArn"], caller)
        subscriptions = self._topics.subscriptions(topic.arn)
        confirmed = sum(one.confirmed for one in subscriptions)
        described = topic_attributes.described(
            topic,
            confirmed=confirmed,
            pending=len(subscriptions) - confirmed,
            deleted=self._topics.deleted_subscriptions.get(topic.arn, 0),
            now=self._topics.now(),
        )
        return {"Attributes": described}

    async def set_topic_attributes(self, caller: Caller, parameters: Parameters) -> Parameters:
        name, value = parameters["AttributeName"], parameters.get("AttributeValue", "")
        topic = self._topics.get(parameters["TopicArn"], caller)

        def edit(topic: Topic) -> Topic:
            topic_attributes.check_value(name, value, is_fifo=topic.is_fifo, creating=False)
            return topic_attributes.with_attributes(topic, {name: value}, self._topics.now())

        edit(topic)
        await self._require_roles(caller, {name: value})
        await self._topics.change(topic, edit)
        return {}

    async def _require_roles(self, caller: Caller, given: Mapping[str, str]) -> None:
        """Those that SNS is given must be the caller's to give."""
        for name in delivery_status.ROLE_ATTRIBUTES & given.keys():
            if given[name]:
                await self._pass_role(caller, given[name], delivery_status.SERVICE)


def _check_same(existing: Topic, given: Mapping[str, str], tags: Mapping[str, str]) -> None:
    """Creating what is there already is fine where nothing of it would change."""
    has = topic_attributes.described(existing)
    if any(has.get(name, "") != value for name, value in given.items() if name != "FifoTopic"):
        raise invalid("Attributes Reason: Topic already exists with different attributes")
    if any(existing.tags.get(key) != value for key, value in tags.items()):
        raise invalid("Tags Reason: Topic already exists with different tags")
