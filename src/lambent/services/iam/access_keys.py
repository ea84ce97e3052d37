"""The access keys of users: what programs outside sign with."""

import base64
import secrets
from collections.abc import Mapping
from dataclasses import replace

from lambent.base.clock import Clock
from lambent.base.sealing import Sealing
from lambent.model.caller import Caller, Parameters
from lambent.model.service import Operation
from lambent.model.user import AccessKey, User
from lambent.services.iam.entities import Entities
from lambent.services.iam.errors import LimitExceeded
from lambent.services.iam.holdings import Holdings
from lambent.services.iam.limits import ACCESS_KEYS_PER_USER
from lambent.services.iam.user_credentials import SECRET
from lambent.services.iam.users import user_name

_ID_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_SECRET_BYTES = 30


class AccessKeys:
    def __init__(self, users: Entities[User], sealing: Sealing, clock: Clock) -> None:
        self._users = users
        self._sealing = sealing
        self._clock = clock
        self._held: Holdings[AccessKey] = Holdings(
            users=users,
            noun="Access Key",
            id_member="AccessKeyId",
            of=lambda user: user.access_keys,
            put=lambda user, keys: replace(user, access_keys=keys),
        )

    def operations(self) -> Mapping[str, Operation]:
        return {
            "CreateAccessKey": self.create,
            "UpdateAccessKey": self._held.update,
            "DeleteAccessKey": self._held.delete,
            "ListAccessKeys": self.list,
        }

    async def create(self, caller: Caller, parameters: Parameters) -> Parameters:
        """The secret is told this once."""
        id = "AKIA" + "".join(secrets.choice(_ID_ALPHABET) for _ in range(16))
        secret = base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()
        key = AccessKey(
            id=id,
            sealed_secret=self._sealing.seal({SECRET: secret}, id),
            created_at=float(int(self._clock.now())),
        )

        def edit(user: User) -> User:
            if len(user.access_keys) >= ACCESS_KEYS_PER_USER:
                raise LimitExceeded(f"Cannot exceed quota for AccessKeysPerUser: {ACCESS_KEYS_PER_USER}")
            return replace(user, access_keys=(*user.access_keys, key))

        user = await self._users.change(caller, user_name(caller, parameters), edit)
        return {"AccessKey": {**_members(user, key), "SecretAccessKey": secret}}

    async def list(self, caller: Caller, parameters: Parameters) -> Parameters:
        user, keys, paging = await self._held.page(caller, user_name(caller, parameters), parameters)
        return {"AccessKeyMetadata": [_members(user, key) for key in keys], **paging}


def _members(user: User, key: AccessKey) -> Parameters:
    return {
        "UserName": user.name,
        "AccessKeyId": key.id,
        "Status": "Active" if key.active else "Inactive",
        "CreateDate": key.created_at,
    }
