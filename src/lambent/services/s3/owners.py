"""Accounts as S3 shows them: by a canonical user id of 64 digits."""

from functools import lru_cache
from hashlib import sha256

from lambent.model.stored_object import Upload


@lru_cache(maxsize=1024)
def canonical_id(account_id: str) -> str:
    """The same for an account for ever, and telling nothing of it."""
    return sha256(f"canonical user of {account_id}".encode()).hexdigest()


def owner(account_id: str) -> dict[str, str]:
    """The Owner of the service model."""
    return {"DisplayName": account_id, "ID": canonical_id(account_id)}


def initiator(upload: Upload) -> dict[str, str]:
    """Whoever began an upload: an account as such, or the ARN of a role."""
    if upload.initiator.endswith(":root"):
        return owner(upload.initiator.split(":")[4])
    return {"DisplayName": upload.initiator.rpartition("/")[2], "ID": upload.initiator}
