"""Amazon S3: buckets, and objects in versions. Operations are grouped by noun or verb, one module each.

What is known of objects is in stores, their bytes are elsewhere (store.ports.contents); a change is one transaction,
which also says whom to tell (`events`), and `delivery`, `garbage` and `expiry` go on behind the requests.

Source: the s3 service model and https://docs.aws.amazon.com/AmazonS3/latest/API/
"""

from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lambent.base.clock import Clock
from lambent.encryption.data_keys import DataKeys
from lambent.model.metric import Metrics
from lambent.model.service import Client, LateKeys, Service
from lambent.services.s3.access import Access
from lambent.services.s3.access_logs import AccessLogs
from lambent.services.s3.acl import Acls
from lambent.services.s3.attributes import Attributes
from lambent.services.s3.authorization import ExistingTags, condition_keys, resource_arn
from lambent.services.s3.bucket_logging import BucketLogging
from lambent.services.s3.bucket_records import BucketRecords
from lambent.services.s3.buckets import Buckets
from lambent.services.s3.configurations import Configurations
from lambent.services.s3.copying import Copying
from lambent.services.s3.delivery import Delivery, Destinations
from lambent.services.s3.encryption import Encryptions
from lambent.services.s3.events import Events
from lambent.services.s3.expiry import Expiry
from lambent.services.s3.garbage import Garbage
from lambent.services.s3.identified_configurations import IdentifiedConfigurations
from lambent.services.s3.listing import Listings
from lambent.services.s3.names import with_readable_keys
from lambent.services.s3.not_configured import NotConfiguredHere
from lambent.services.s3.notification_configuration import NotificationConfigurations
from lambent.services.s3.object_bytes import ObjectBytes
from lambent.services.s3.object_changes import ObjectChanges
from lambent.services.s3.object_lock import ObjectLocks
from lambent.services.s3.object_lookup import ObjectLookup
from lambent.services.s3.object_tags import ObjectTags
from lambent.services.s3.policy import BucketPolicies
from lambent.services.s3.reading import Reading
from lambent.services.s3.restoring import Restoring
from lambent.services.s3.selecting import Selecting
from lambent.services.s3.upload_parts import UploadParts
from lambent.services.s3.uploads import Uploads
from lambent.services.s3.usage import Usage
from lambent.services.s3.versioning import BucketVersioning
from lambent.services.s3.writing import Writing
from lambent.store.ports.buckets import BucketStore
from lambent.store.ports.contents import ContentStore
from lambent.store.ports.notices import NoticeStore
from lambent.store.ports.object_garbage import ObjectGarbage
from lambent.store.ports.objects import ObjectStore
from lambent.store.ports.uploads import UploadStore


@dataclass(frozen=True, slots=True, kw_only=True)
class S3Service:
    """`buckets` are loaded by the server before the first request; `once` is what one node of a cluster does
    meanwhile; `wakes` say that another may have written what it waits for."""

    service: Service
    buckets: BucketRecords
    logs: AccessLogs
    expiry: Expiry
    garbage: Garbage
    once: Mapping[str, Callable[[], Coroutine[Any, Any, None]]]
    wakes: Sequence[Callable[[], None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stores:
    buckets: BucketStore
    objects: ObjectStore
    garbage: ObjectGarbage
    uploads: UploadStore
    notices: NoticeStore
    contents: ContentStore


def service(stores: Stores, clock: Clock, client: Client, metrics: Metrics) -> S3Service:
    buckets = BucketRecords(stores.buckets)
    lookup = ObjectLookup(stores.objects)
    access = Access(buckets, stores.objects)
    destinations = Destinations(client)
    delivery = Delivery(stores.notices, destinations, clock)
    events = Events(delivery.wake)
    changes = ObjectChanges(stores.objects, events)
    garbage = Garbage(stores.garbage, stores.contents)
    files = ObjectBytes(stores.contents, stores.uploads)
    encryptions = Encryptions(DataKeys(client, clock), client)
    writing = Writing(buckets, stores.objects, stores.contents, garbage, events, client, encryptions, clock)
    parts = UploadParts(buckets, stores.uploads, stores.contents, garbage, encryptions, clock)
    operations = {
        **Buckets(buckets, clock).operations(),
        **BucketVersioning(buckets).operations(),
        **BucketPolicies(buckets).operations(),
        **Configurations(buckets).operations(),
        **BucketLogging(buckets).operations(),
        **IdentifiedConfigurations(buckets).operations(),
        **NotificationConfigurations(buckets, destinations, clock).operations(),
        **Acls(buckets, lookup, changes).operations(),
        **NotConfiguredHere(buckets).operations(),
        **ObjectLocks(buckets, lookup, stores.objects, clock).operations(),
        **Reading(buckets, lookup, stores.uploads, files, client, encryptions, clock).operations(),
        **writing.operations(),
        **Copying(
            buckets, lookup, stores.contents, files, writing, parts, client, encryptions, clock
        ).operations(),
        **Listings(buckets, stores.objects, clock).operations(),
        **ObjectTags(buckets, lookup, changes).operations(),
        **Restoring(buckets, lookup, changes, clock).operations(),
        **Selecting(client).operations(),
        **Attributes(buckets, lookup, stores.uploads).operations(),
        **parts.operations(),
        **Uploads(
            buckets, stores.objects, stores.uploads, parts, garbage, events, encryptions, clock
        ).operations(),
    }
    logs = AccessLogs(buckets, client, clock)
    expiry = Expiry(buckets, stores.objects, stores.uploads, events, garbage, clock)
    return S3Service(
        service=Service(
            name="s3",
            operations=logs.watched(with_readable_keys(operations)),
            resource_arn=resource_arn,
            resource_policy=access.policy,
            open_to_root=buckets.open_to_root,
            condition_keys=condition_keys,
            late_keys=LateKeys(prefix=ExistingTags.PREFIX, read=ExistingTags(buckets, stores.objects).read),
        ),
        buckets=buckets,
        logs=logs,
        expiry=expiry,
        garbage=garbage,
        once={
            "deliver events of buckets": delivery.run,
            "remove what deleted objects leave": garbage.run,
            "carry out lifecycle rules": expiry.run,
            "measure what buckets hold": Usage(buckets, stores.objects, metrics).run,
        },
        wakes=(delivery.wake, garbage.look),
    )
