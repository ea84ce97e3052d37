"""Who else may use a repository: SetRepositoryPolicy, GetRepositoryPolicy, DeleteRepositoryPolicy."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from lambent.base.arn import Arn
from lambent.model.caller import Caller, Parameters
from lambent.model.policy import MalformedPolicyError, PolicyKind, parse_policy
from lambent.model.repository import Repository
from lambent.model.resource_policy import ResourcePolicy
from lambent.model.service import Operation
from lambent.services.ecr.errors import InvalidParameterException, RepositoryPolicyNotFoundException
from lambent.services.ecr.registry import Registry


class RepositoryPolicies:
    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def operations(self) -> Mapping[str, Operation]:
        return {
            "SetRepositoryPolicy": self.set,
            "GetRepositoryPolicy": self.get,
            "DeleteRepositoryPolicy": self.delete,
        }

    async def set(self, caller: Caller, parameters: Parameters) -> Parameters:
        text = parameters["policyText"]
        _require_policy(text)
        repository = await self._registry.require(caller, parameters)
        async with self._registry.lock(repository):
            current = await self._registry.again(repository)
            await self._registry.replace(current, replace(current, policy=text))
        return _described(repository, text)

    async def get(self, caller: Caller, parameters: Parameters) -> Parameters:
        repository = await self._registry.require(caller, parameters)
        return _described(repository, _policy(repository))

    async def delete(self, caller: Caller, parameters: Parameters) -> Parameters:
        repository = await self._registry.require(caller, parameters)
        async with self._registry.lock(repository):
            current = await self._registry.again(repository)
            text = _policy(current)
            await self._registry.replace(current, replace(current, policy=None))
        return _described(repository, text)

    async def of_repository(self, arn: str) -> ResourcePolicy | None:
        """What decides of the repository with this ARN, with the account's own policies. Its statements name no
        resource: the repository is meant."""
        try:
            parsed = Arn.parse(arn)
        except ValueError:
            return None
        kind, _, name = parsed.resource.partition("/")
        if kind != "repository":
            return None
        repository = await self._registry.find(parsed.account_id, parsed.region, name)
        # Of one that is not there, too: whether it is tells its own account alone.
        policy = None if repository is None else repository.policy
        document = None if policy is None else json.dumps(_with_resources(json.loads(policy)))
        return ResourcePolicy(account_id=parsed.account_id, document=document)


def _require_policy(text: str) -> None:
    """Raises InvalidParameterException."""
    try:
        document = json.loads(text)
        parse_policy(json.dumps(_with_resources(document)), PolicyKind.RESOURCE)
    except (ValueError, TypeError, AttributeError, KeyError, MalformedPolicyError) as error:
        raise InvalidParameterException.constraint(
            "PolicyText", "Invalid repository policy provided"
        ) from error


def _with_resources(document: dict[str, Any]) -> dict[str, Any]:
    statements = document["Statement"]
    listed = statements if isinstance(statements, list) else [statements]
    return document | {
        "Statement": [
            statement
            if "Resource" in statement or "NotResource" in statement
            else {**statement, "Resource": "*"}
            for statement in listed
        ]
    }


def _policy(repository: Repository) -> str:
    if repository.policy is None:
        raise RepositoryPolicyNotFoundException(repository.name, repository.account_id)
    return repository.policy


def _described(repository: Repository, text: str) -> Parameters:
    return {
        "registryId": repository.account_id,
        "repositoryName": repository.name,
        "policyText": text,
    }
