"""Accounts as S3 shows them: by a canonical user id of 64 digits."""

from hashlib import sha256


def canonical_id(account_id: str) -> str:
    """The same for an account for ever, and telling nothing of it."""
    return sha256(f"canonical user of {account_id}".encode()).hexdigest()


def owner(account_id: str) -> dict[str, str]:
    """The Owner of the service model."""
    return {"DisplayName": account_id, "ID": canonical_id(account_id)}
