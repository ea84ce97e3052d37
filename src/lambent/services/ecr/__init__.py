"""Amazon ECR: repositories, images and their layers, by AWS's API and by that of every registry (`door`).

Knows the records' port and that of the layers' bytes. The door is a client of the operations: what may be done is
decided where it always is. Scanning, replication, signing and caches of other registries are not offered.

Source: the ecr service model, https://docs.aws.amazon.com/AmazonECR/latest/userguide/ and
https://github.com/opencontainers/distribution-spec/blob/main/spec.md
"""

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any

from lambent.base.clock import Clock
from lambent.model.metric import Metrics
from lambent.model.service import Client, Operation, Service
from lambent.services.ecr.announcements import Announcements
from lambent.services.ecr.authorization import Authorization
from lambent.services.ecr.door.door import RegistryDoor, Stranger
from lambent.services.ecr.downloads import LayerDownloads
from lambent.services.ecr.images import Images
from lambent.services.ecr.layers import Layers
from lambent.services.ecr.lifecycle import Lifecycle
from lambent.services.ecr.registry import EcrStores, Registry
from lambent.services.ecr.registry_settings import RegistrySettings
from lambent.services.ecr.repositories import Repositories, RepositoryUri
from lambent.services.ecr.repository_policies import RepositoryPolicies
from lambent.services.ecr.resource_arn import resource_arn
from lambent.services.ecr.sweep import Sweep
from lambent.services.ecr.tags import Tags
from lambent.store.ports.layer_contents import LayerContents

__all__ = ["Ecr", "EcrStores", "ecr"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ecr:
    """`downloads.download` answers the paths below `downloads.PATH`, `door` those of the registry."""

    service: Service
    downloads: LayerDownloads
    door: RegistryDoor
    behind: Mapping[str, Callable[[], Coroutine[Any, Any, None]]]
    once: Mapping[str, Callable[[], Coroutine[Any, Any, None]]]


def ecr(
    stores: EcrStores,
    contents: LayerContents,
    *,
    client: Client,
    metrics: Metrics,
    clock: Clock,
    secret: bytes,
    uri: RepositoryUri,
    stranger: Stranger,
) -> Ecr:
    """`secret` signs passwords and links. `stranger` says who asks without a password."""
    registry = Registry(stores)
    downloads = LayerDownloads(contents, clock, secret)
    layers = Layers(registry, contents, downloads, clock)
    images = Images(registry, Announcements(client, metrics), clock)
    policies = RepositoryPolicies(registry)
    authorization = Authorization(clock, secret)
    lifecycle = Lifecycle(registry, images, clock)
    operations: Mapping[str, Operation] = {
        **Repositories(registry, clock, uri).operations(),
        **Tags(registry).operations(),
        **policies.operations(),
        **images.operations(),
        **layers.operations(),
        **lifecycle.operations(),
        **authorization.operations(),
        **RegistrySettings(registry).operations(),
    }
    return Ecr(
        service=Service(
            name="ecr",
            operations=operations,
            resource_arn=resource_arn,
            resource_policy=policies.of_repository,
        ),
        downloads=downloads,
        door=RegistryDoor(client, layers, contents, authorization, stranger),
        behind={
            "sweep layers that nothing uses": Sweep(registry, contents, clock).run,
        },
        once={"ecr lifecycle policies": lifecycle.run},
    )
