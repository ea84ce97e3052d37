"""Roles that AWS's services make for themselves.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create-service-linked-role.html
"""

import json
import re
from collections.abc import Mapping

from lambent.base.clock import Clock
from lambent.base.ids import new_uuid
from lambent.model.caller import Caller, Parameters
from lambent.model.role import Role
from lambent.model.service import Operation
from lambent.services.iam.errors import EntityAlreadyExists, InvalidInput, NoSuchEntity, UnmodifiableEntity
from lambent.services.iam.identifiers import new_role_id
from lambent.services.iam.records import Records
from lambent.services.iam.shapes import created_role, described_role

PATH = "/aws-service-role/"
_SERVICE = re.compile(r"(?:[\w-]+\.)+amazonaws\.com")
_TASK = re.compile(r"task(?P<path>/aws-service-role/[^/]+/)(?P<role>[^/]+)/[0-9a-f-]{36}")
_NAMES = {
    "autoscaling": "AutoScaling",
    "batch": "Batch",
    "dynamodb.application-autoscaling": "ApplicationAutoScaling_DynamoDBTable",
    "ecs": "ECS",
    "ecs.application-autoscaling": "ApplicationAutoScaling_ECSService",
    "elasticache": "ElastiCache",
    "elasticloadbalancing": "ElasticLoadBalancing",
    "kafka": "Kafka",
    "lambda": "Lambda",
    "lambda.application-autoscaling": "ApplicationAutoScaling_LambdaConcurrency",
    "ops.apigateway": "APIGateway",
    "rds": "RDS",
    "replication.dynamodb": "DynamoDBReplication",
    "replicator.lambda": "LambdaReplicator",
    "spot": "EC2Spot",
}
"""What follows AWSServiceRoleFor, by the beginning of the service's name; of others it is made of that."""
_WITH_SUFFIX = frozenset({"autoscaling"})


class ServiceLinkedRoles:
    def __init__(self, records: Records, clock: Clock) -> None:
        self._records = records
        self._clock = clock

    def operations(self) -> Mapping[str, Operation]:
        return {
            "CreateServiceLinkedRole": self.create,
            "DeleteServiceLinkedRole": self.delete,
            "GetServiceLinkedRoleDeletionStatus": self.deletion_status,
        }

    async def create(self, caller: Caller, parameters: Parameters) -> Parameters:
        service, suffix = parameters["AWSServiceName"], parameters.get("CustomSuffix")
        name = _role_name(service, suffix)
        role = Role(
            account_id=caller.account_id,
            name=name,
            path=f"{PATH}{service}/",
            id=new_role_id(),
            trust_policy=_trust_policy(service),
            description=parameters.get("Description", ""),
            created_at=float(int(self._clock.now())),
        )
        try:
            await self._records.insert_role(role)
        except EntityAlreadyExists:
            raise InvalidInput(
                f"Service role name {name} has been taken in this account, please try a different suffix."
            ) from None
        return {"Role": described_role(role, caller) if role.description else created_role(role, caller)}

    async def delete(self, caller: Caller, parameters: Parameters) -> Parameters:
        """Nothing here uses such a role: it is gone with the answer."""
        role = await self._records.role(caller, parameters["RoleName"])
        if not role.path.startswith(PATH):
            raise NoSuchEntity(f"The role with name {role.name} cannot be found.")
        await self._records.delete_role(caller, role)
        return {"DeletionTaskId": f"task{role.path}{role.name}/{new_uuid()}"}

    async def deletion_status(self, caller: Caller, parameters: Parameters) -> Parameters:
        task = _TASK.fullmatch(parameters["DeletionTaskId"])
        if task is None:
            raise InvalidInput(f"Deletion task {parameters['DeletionTaskId']} is not valid.")
        return {"Status": "SUCCEEDED"}


def refuse_service_linked(role: Role) -> None:
    """Raises UnmodifiableEntity: only its service changes such a role."""
    if role.path.startswith(PATH):
        raise UnmodifiableEntity(
            f"Cannot perform the operation on the protected role '{role.name}' - this role is only modifiable by AWS"
        )


def _role_name(service: str, suffix: str | None) -> str:
    """Raises InvalidInput."""
    if not _SERVICE.fullmatch(service):
        raise InvalidInput(f"Service name {service} is not valid.")
    known = service.removesuffix(".amazonaws.com")
    if suffix is not None and known in _NAMES and known not in _WITH_SUFFIX:
        raise InvalidInput(f"Custom suffix is not allowed for {service}")
    made = "".join(word[:1].upper() + word[1:] for word in re.split(r"[.-]", known))
    name = f"AWSServiceRoleFor{_NAMES.get(known, made)}"
    return name if suffix is None else f"{name}_{suffix}"


def _trust_policy(service: str) -> str:
    return json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {"Action": ["sts:AssumeRole"], "Principal": {"Service": [service]}, "Effect": "Allow"}
            ],
        }
    )
