"""AddPermission and RemovePermission: statements of a topic's policy, by label."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from lambent.base.arn import partition_of
from lambent.model.caller import Caller, Parameters
from lambent.model.policy.account_statement import account_statement
from lambent.model.service import Operation
from lambent.model.topic import Topic
from lambent.services.sns.errors import invalid
from lambent.services.sns.topic_attributes import policy_of
from lambent.services.sns.topics import Topics

_ACTIONS = frozenset(
    {
        "*",
        "AddPermission",
        "DeleteTopic",
        "GetTopicAttributes",
        "ListSubscriptionsByTopic",
        "ListTagsForResource",
        "Publish",
        "RemovePermission",
        "SetTopicAttributes",
        "Subscribe",
    }
)


class PermissionOperations:
    def __init__(self, topics: Topics) -> None:
        self._topics = topics

    def operations(self) -> Mapping[str, Operation]:
        return {"AddPermission": self.add_permission, "RemovePermission": self.remove_permission}

    async def add_permission(self, caller: Caller, parameters: Parameters) -> Parameters:
        label, actions = parameters["Label"], parameters["ActionName"]
        accounts = parameters["AWSAccountId"]
        if any(action not in _ACTIONS for action in actions):
            raise invalid("Policy statement action out of service scope!")

        def edit(topic: Topic) -> Topic:
            policy = _policy(topic)
            if any(statement.get("Sid") == label for statement in policy["Statement"]):
                raise invalid("Statement already exists")
            policy["Statement"].append(_statement(topic, label, actions, accounts))
            return _with_policy(topic, policy)

        await self._topics.change(self._topics.get(parameters["TopicArn"], caller), edit)
        return {}

    async def remove_permission(self, caller: Caller, parameters: Parameters) -> Parameters:
        label = parameters["Label"]

        def edit(topic: Topic) -> Topic:
            policy = _policy(topic)
            left = [statement for statement in policy["Statement"] if statement.get("Sid") != label]
            return _with_policy(topic, policy | {"Statement": left})

        await self._topics.change(self._topics.get(parameters["TopicArn"], caller), edit)
        return {}


def _policy(topic: Topic) -> dict[str, Any]:
    policy: dict[str, Any] = json.loads(policy_of(topic))
    if isinstance(policy["Statement"], dict):
        policy["Statement"] = [policy["Statement"]]
    return policy


def _with_policy(topic: Topic, policy: Mapping[str, Any]) -> Topic:
    """A policy without statements is none, and a topic without one has AWS's."""
    attributes = {name: value for name, value in topic.attributes.items() if name != "Policy"}
    if policy["Statement"]:
        attributes["Policy"] = json.dumps(policy, separators=(",", ":"))
    return replace(topic, attributes=attributes)


def _statement(topic: Topic, label: str, actions: Sequence[str], accounts: Sequence[str]) -> dict[str, Any]:
    return account_statement(
        label,
        accounts=accounts,
        actions=[f"SNS:{action}" for action in actions],
        resource=topic.arn,
        partition=partition_of(topic.region),
    )
