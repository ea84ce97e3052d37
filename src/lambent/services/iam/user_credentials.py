"""The access keys of all users, in memory: signatures are verified on every request's path."""

from lambent.base.sealing import Sealing
from lambent.model.credential import Credential
from lambent.model.user import AccessKey, User
from lambent.store.ports.named_records import NamedRecords

SECRET = "SecretAccessKey"  # noqa: S105 - the name of a member


class UserCredentials:
    """Implements lambent.model.credential.CredentialSource. `open` reads every user; changes are told (`changed`)."""

    def __init__(self, users: NamedRecords[User], sealing: Sealing) -> None:
        self._users = users
        self._sealing = sealing
        self._known: dict[str, Credential] = {}

    async def open(self) -> None:
        """Again where users have been changed by another node."""
        users = await self._users.all()
        self._known = {
            key.id: self._credential(user, key) for _, user in users for key in user.access_keys if key.active
        }

    def changed(self, before: User | None, after: User | None) -> None:
        for key in before.access_keys if before is not None else ():
            self._known.pop(key.id, None)
        if after is not None:
            self._known |= {key.id: self._credential(after, key) for key in after.access_keys if key.active}

    def find(self, access_key_id: str, session_token: str | None) -> Credential | None:
        return self._known.get(access_key_id) if session_token is None else None

    def _credential(self, user: User, key: AccessKey) -> Credential:
        return Credential(
            access_key_id=key.id,
            secret_access_key=str(self._sealing.open(key.sealed_secret, key.id)[SECRET]),
            account_id=user.account_id,
            principal_arn=user.arn(),
            user_id=user.id,
        )
