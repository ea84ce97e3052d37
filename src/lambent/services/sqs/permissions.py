"""AddPermission and RemovePermission: statements of a queue's policy, by label."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from lambent.base.arn import partition_of
from lambent.model.caller import Caller, Parameters
from lambent.model.policy.account_statement import account_statement
from lambent.model.queue import Queue
from lambent.model.service import Operation
from lambent.services.sqs.errors import (
    InvalidParameterValueException,
    MissingRequiredParameterException,
    OverLimit,
    invalid_value,
)
from lambent.services.sqs.queues import Queues

_ACTIONS = frozenset(
    {
        "*",
        "ChangeMessageVisibility",
        "DeleteMessage",
        "GetQueueAttributes",
        "GetQueueUrl",
        "ListDeadLetterSourceQueues",
        "PurgeQueue",
        "ReceiveMessage",
        "SendMessage",
    }
)
_OWNERS_ONLY = frozenset(
    {
        "AddPermission",
        "CancelMessageMoveTask",
        "CreateQueue",
        "DeleteQueue",
        "ListMessageMoveTasks",
        "ListQueues",
        "ListQueueTags",
        "RemovePermission",
        "SetQueueAttributes",
        "StartMessageMoveTask",
        "TagQueue",
        "UntagQueue",
    }
)
_ACTIONS_MOST = 7
_STATEMENTS_MOST = 20


class PermissionOperations:
    def __init__(self, queues: Queues) -> None:
        self._queues = queues

    def operations(self) -> Mapping[str, Operation]:
        return {"AddPermission": self.add_permission, "RemovePermission": self.remove_permission}

    async def add_permission(self, caller: Caller, parameters: Parameters) -> Parameters:
        label, actions = parameters["Label"], parameters["Actions"]
        accounts = parameters["AWSAccountIds"]
        _check(actions, accounts)

        def edit(queue: Queue) -> Queue:
            policy = _policy(queue)
            if any(statement.get("Sid") == label for statement in policy["Statement"]):
                raise invalid_value(label, "Label", "Already exists.")
            policy["Statement"].append(_statement(queue, label, actions, accounts))
            if len(policy["Statement"]) > _STATEMENTS_MOST:
                raise OverLimit(
                    f"{len(policy['Statement'])} statements were found in the submitted policy, "
                    f"max allowed is {_STATEMENTS_MOST}"
                )
            return self._with_policy(queue, policy)

        await self._queues.change(self._queues.of(caller, parameters), edit)
        return {}

    async def remove_permission(self, caller: Caller, parameters: Parameters) -> Parameters:
        label = parameters["Label"]

        def edit(queue: Queue) -> Queue:
            policy = _policy(queue)
            left = [statement for statement in policy["Statement"] if statement.get("Sid") != label]
            if len(left) == len(policy["Statement"]):
                where = " on existing policy" if left else ""
                raise invalid_value(label, "Label", f"can't find label{where}.")
            return self._with_policy(queue, policy | {"Statement": left})

        await self._queues.change(self._queues.of(caller, parameters), edit)
        return {}

    def _with_policy(self, queue: Queue, policy: Mapping[str, Any]) -> Queue:
        attributes = {name: value for name, value in queue.attributes.items() if name != "Policy"}
        if policy["Statement"]:
            attributes["Policy"] = json.dumps(policy, separators=(",", ":"))
        return replace(queue, attributes=attributes, modified_at=self._queues.now())


def _check(actions: Sequence[str], accounts: Sequence[str]) -> None:
    if not actions:
        raise MissingRequiredParameterException("Actions")
    if not accounts:
        raise InvalidParameterValueException(
            "Value [] for parameter PrincipalId is invalid. Reason: Unable to verify."
        )
    if len(actions) > _ACTIONS_MOST:
        raise OverLimit(f"{len(actions)} Actions were found, maximum allowed is {_ACTIONS_MOST}.")
    for action in actions:
        if action in _OWNERS_ONLY:
            reason = "Only the queue owner is allowed to invoke this action."
            raise invalid_value(f"SQS:{action}", "ActionName", reason)
        if action not in _ACTIONS:
            reason = "Please refer to the appropriate WSDL for a list of valid actions."
            raise invalid_value(f"SQS:{action}", "ActionName", reason)
    for account in accounts:
        if len(account) != 12 or not account.isdigit():
            raise invalid_value(f"[{account}]", "PrincipalId", "Unable to verify.")


def _policy(queue: Queue) -> dict[str, Any]:
    """A copy, which may be changed: the queue's own, or a new one without statements."""
    document = queue.attributes.get("Policy")
    if not document:
        return {"Version": "2008-10-17", "Id": f"{queue.arn}/SQSDefaultPolicy", "Statement": []}
    policy: dict[str, Any] = json.loads(document)
    if isinstance(policy["Statement"], dict):
        policy["Statement"] = [policy["Statement"]]
    return policy


def _statement(queue: Queue, label: str, actions: Sequence[str], accounts: Sequence[str]) -> dict[str, Any]:
    return account_statement(
        label,
        accounts=accounts,
        actions=[f"SQS:{action}" for action in actions],
        resource=queue.arn,
        partition=partition_of(queue.region),
    )
