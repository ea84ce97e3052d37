"""When access keys of users were used last: noted in memory with each decision, and stored now and then."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping

from lambent.base.clock import Clock
from lambent.model.caller import Caller, Parameters
from lambent.model.iam_account import AccessKeyUse
from lambent.model.service import Operation
from lambent.model.user import User
from lambent.services.iam.entities import Entities
from lambent.services.iam.errors import AccessDenied
from lambent.store.ports.errors import AlreadyExistsError, NotFoundError, StaleRevisionError, StoreError
from lambent.store.ports.named_records import Name, NamedRecords

log = logging.getLogger(__name__)

_STORE_SECONDS = 60.0


class KeyUses:
    """With several nodes, each stores what it has seen; the latest of all is kept."""

    def __init__(
        self,
        records: NamedRecords[AccessKeyUse],
        clock: Clock,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._records = records
        self._clock = clock
        self._sleep = sleep
        self._seen: dict[tuple[str, str], AccessKeyUse] = {}
        self._unstored: set[tuple[str, str]] = set()

    def note(self, caller: Caller, action: str) -> None:
        """`caller` is a user who signed with its own key."""
        key = caller.account_id, caller.access_key_id
        self._seen[key] = AccessKeyUse(
            used_at=float(int(self._clock.now())), service=action.partition(":")[0], region=caller.region
        )
        self._unstored.add(key)

    async def of(self, account_id: str, access_key_id: str) -> AccessKeyUse | None:
        seen = self._seen.get((account_id, access_key_id))
        stored = await self._records.get(_name(account_id, access_key_id))
        found = [use for use in (seen, stored) if use is not None]
        return max(found, key=lambda use: use.used_at, default=None)

    async def run(self) -> None:
        """Stores what was seen, until cancelled."""
        while True:
            await self._sleep(_STORE_SECONDS)
            await self.store()

    async def store(self) -> None:
        unstored, self._unstored = self._unstored, set()
        for key in unstored:
            try:
                await self._store(_name(*key), self._seen[key])
            except StoreError as error:
                self._unstored.add(key)
                log.warning("the last use of an access key was not stored: %s; next attempt soon", error)

    async def _store(self, name: Name, use: AccessKeyUse) -> None:
        previous = await self._records.get(name)
        try:
            if previous is None:
                await self._records.insert(name, use)
            elif previous.used_at < use.used_at:
                await self._records.replace(name, use, previous=previous)
        except (AlreadyExistsError, StaleRevisionError, NotFoundError):
            pass  # another node has seen it used at about the same time


class KeyUseOperations:
    def __init__(self, users: Entities[User], uses: KeyUses) -> None:
        self._users = users
        self._uses = uses

    def operations(self) -> Mapping[str, Operation]:
        return {"GetAccessKeyLastUsed": self.last_used}

    async def last_used(self, caller: Caller, parameters: Parameters) -> Parameters:
        id_ = parameters["AccessKeyId"]
        async for user in self._users.all(caller.account_id):
            if any(key.id == id_ for key in user.access_keys):
                return {"UserName": user.name, "AccessKeyLastUsed": await self._members(caller, id_)}
        raise AccessDenied(
            f"User: {caller.principal_arn} is not authorized to perform iam:GetAccessKeyLastUsed on resource: "
            f"access key {id_}"
        )

    async def _members(self, caller: Caller, access_key_id: str) -> Parameters:
        use = await self._uses.of(caller.account_id, access_key_id)
        if use is None:
            return {"ServiceName": "N/A", "Region": "N/A"}
        return {"LastUsedDate": use.used_at, "ServiceName": use.service, "Region": use.region}


def _name(account_id: str, access_key_id: str) -> Name:
    return Name(account_id, "", "", access_key_id)
