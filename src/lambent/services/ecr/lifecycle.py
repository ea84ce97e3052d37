"""Lifecycle policies: PutLifecyclePolicy, GetLifecyclePolicy, DeleteLifecyclePolicy, their preview, and their doing."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace

from lambent.base.clock import Clock
from lambent.model.caller import Caller, Parameters
from lambent.model.repository import RegistryImage, Repository
from lambent.model.service import Operation
from lambent.services.ecr.errors import (
    LifecyclePolicyNotFoundException,
    LifecyclePolicyPreviewNotFoundException,
)
from lambent.services.ecr.images import Images
from lambent.services.ecr.lifecycle_rules import expired, parse_lifecycle_policy
from lambent.services.ecr.registry import Registry, name_of
from lambent.store.ports.errors import StoreError
from lambent.store.ports.named_records import Name

log = logging.getLogger(__name__)

_INTERVAL_SECONDS = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Preview:
    policy: str
    results: tuple[Parameters, ...]


class Lifecycle:
    def __init__(self, registry: Registry, images: Images, clock: Clock) -> None:
        self._registry = registry
        self._images = images
        self._clock = clock
        self._previews: dict[Name, _Preview] = {}

    def operations(self) -> Mapping[str, Operation]:
        return {
            "PutLifecyclePolicy": self.put,
            "GetLifecyclePolicy": self.get,
            "DeleteLifecyclePolicy": self.delete,
            "StartLifecyclePolicyPreview": self.start_preview,
            "GetLifecyclePolicyPreview": self.get_preview,
        }

    async def put(self, caller: Caller, parameters: Parameters) -> Parameters:
        text = parameters["lifecyclePolicyText"]
        parse_lifecycle_policy(text)
        repository = await self._change(await self._registry.require(caller, parameters), text)
        return {**_named(repository), "lifecyclePolicyText": text}

    async def get(self, caller: Caller, parameters: Parameters) -> Parameters:
        repository = await self._registry.require(caller, parameters)
        return {
            **_named(repository),
            "lifecyclePolicyText": _policy(repository),
            "lastEvaluatedAt": repository.lifecycle_evaluated_at,
        }

    async def delete(self, caller: Caller, parameters: Parameters) -> Parameters:
        repository = await self._registry.require(caller, parameters)
        text = _policy(repository)
        await self._change(repository, None)
        return {
            **_named(repository),
            "lifecyclePolicyText": text,
            "lastEvaluatedAt": repository.lifecycle_evaluated_at,
        }

    async def start_preview(self, caller: Caller, parameters: Parameters) -> Parameters:
        repository = await self._registry.require(caller, parameters)
        text = parameters.get("lifecyclePolicyText") or _policy(repository)
        images, tags = await self._registry.images(repository), await self._tags(repository)
        found = expired(parse_lifecycle_policy(text), images, tags, self._clock.now())
        results = tuple(
            _result(images[digest], tags.get(digest), priority) for digest, priority in found.items()
        )
        self._previews[name_of(repository)] = _Preview(policy=text, results=results)
        return {**_named(repository), "lifecyclePolicyText": text, "status": "IN_PROGRESS"}

    async def get_preview(self, caller: Caller, parameters: Parameters) -> Parameters:
        repository = await self._registry.require(caller, parameters)
        preview = self._previews.get(name_of(repository))
        if preview is None:
            raise LifecyclePolicyPreviewNotFoundException(
                f"Lifecycle policy preview does not exist for the repository with name '{repository.name}' in the "
                f"registry with id '{repository.account_id}'"
            )
        return {
            **_named(repository),
            "lifecyclePolicyText": preview.policy,
            "status": "COMPLETE",
            "previewResults": list(preview.results),
            "summary": {"expiringImageTotalCount": len(preview.results)},
        }

    async def run(self) -> None:
        while True:
            await asyncio.sleep(_INTERVAL_SECONDS)
            for _, repository in await self._registry.stores.repositories.all():
                if repository.lifecycle_policy is None:
                    continue
                try:
                    await self.apply(repository)
                except StoreError:
                    log.exception("the lifecycle policy of %s could not be applied", repository.arn())

    async def apply(self, repository: Repository) -> None:
        """Expires what the policy says now."""
        async with self._registry.lock(repository):
            current = await self._registry.find(repository.account_id, repository.region, repository.name)
            if current is None or current.lifecycle_policy is None:
                return
            now = self._clock.now()
            images, tags = await self._registry.images(current), await self._tags(current)
            gone = expired(parse_lifecycle_policy(current.lifecycle_policy), images, tags, now)
            referred = {
                digest for image in images.values() if image.digest not in gone for digest in image.images
            }
            await self._images.remove(current, [digest for digest in gone if digest not in referred])
            await self._registry.replace(current, replace(current, lifecycle_evaluated_at=now))

    async def _change(self, repository: Repository, text: str | None) -> Repository:
        async with self._registry.lock(repository):
            current = await self._registry.again(repository)
            changed = replace(current, lifecycle_policy=text)
            await self._registry.replace(current, changed)
        return changed

    async def _tags(self, repository: Repository) -> dict[str, list[str]]:
        tags: dict[str, list[str]] = {}
        for tag, digest in (await self._registry.tags(repository)).items():
            tags.setdefault(digest, []).append(tag)
        return tags


def _result(image: RegistryImage, tags: list[str] | None, priority: int) -> Parameters:
    return {
        "imageTags": tags or [],
        "imageDigest": image.digest,
        "imagePushedAt": image.pushed_at,
        "action": {"type": "EXPIRE"},
        "appliedRulePriority": priority,
    }


def _named(repository: Repository) -> Parameters:
    return {"registryId": repository.account_id, "repositoryName": repository.name}


def _policy(repository: Repository) -> str:
    if repository.lifecycle_policy is None:
        raise LifecyclePolicyNotFoundException(repository.name, repository.account_id)
    return repository.lifecycle_policy
