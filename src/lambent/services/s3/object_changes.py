"""Replacing what is stored of a version, where its bytes stay: its tags, its list, its storage class, its restored
copy."""

from lambent.model.bucket import Bucket
from lambent.model.caller import Caller
from lambent.model.stored_object import ObjectVersion
from lambent.services.s3.errors import NoSuchKey, OperationAborted
from lambent.services.s3.events import Events
from lambent.store.ports.errors import NotFoundError, StaleRevisionError
from lambent.store.ports.objects import ObjectStore


class ObjectChanges:
    def __init__(self, objects: ObjectStore, events: Events) -> None:
        self._objects = objects
        self._events = events

    async def make(
        self, caller: Caller, bucket: Bucket, before: ObjectVersion, after: ObjectVersion, *events: str
    ) -> None:
        """Tells whoever is to be told of `events`. Raises NoSuchKey, OperationAborted."""
        notices = [
            notice for event in events for notice in self._events.notices(bucket, event, after, caller)
        ]
        try:
            await self._objects.replace(after, previous=before, notices=notices)
        except NotFoundError:
            raise NoSuchKey(Key=before.key) from None
        except StaleRevisionError:
            raise OperationAborted() from None
        self._events.committed(notices)
