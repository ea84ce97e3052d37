"""Which queue an operation acts on, and what is attached to it."""

from lambent.base.arn import partition_of
from lambent.model.caller import Caller, Parameters
from lambent.model.resource_policy import ResourcePolicy
from lambent.services.sqs.move_tasks import read_task_handle
from lambent.services.sqs.queue_urls import parse_queue_url
from lambent.services.sqs.queues import Queues


def resource_arn(operation: str, caller: Caller, parameters: Parameters) -> str:
    if "QueueUrl" in parameters:
        account_id, region, name = parse_queue_url(parameters["QueueUrl"], caller)
    elif "QueueName" in parameters:
        owner = parameters.get("QueueOwnerAWSAccountId") or caller.account_id
        account_id, region, name = owner, caller.region, parameters["QueueName"]
    elif "SourceArn" in parameters:
        return str(parameters["SourceArn"])
    elif "TaskHandle" in parameters:
        task = read_task_handle(parameters["TaskHandle"])
        return task[1] if task is not None else "*"
    else:
        return "*"
    return f"arn:{partition_of(region)}:sqs:{region}:{account_id}:{name}"


class QueuePolicies:
    def __init__(self, queues: Queues) -> None:
        self._queues = queues

    async def of(self, arn: str) -> ResourcePolicy | None:
        queue = self._queues.by_arn(arn)
        if queue is None:
            return None
        return ResourcePolicy(account_id=queue.account_id, document=queue.attributes.get("Policy"))
