"""Passwords of the registry: GetAuthorizationToken, and whom one speaks for.

A password is what its caller was, signed: verifying one reads no database, and it survives a restart. What its
principal may do is decided when it is used.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping

import msgspec

from lambent.base.clock import Clock
from lambent.model.caller import Caller, Parameters
from lambent.model.service import Operation

USER = "AWS"
_VALID_SECONDS = 12 * 3600


class _Claims(msgspec.Struct, frozen=True, kw_only=True):
    """`expires_at` is epoch seconds."""

    account_id: str
    region: str
    partition: str
    principal_arn: str
    user_id: str
    access_key_id: str
    role_arn: str | None
    session_policies: tuple[str, ...]
    expires_at: int


class Authorization:
    """`secret` signs the passwords: whoever knows it is anybody."""

    def __init__(self, clock: Clock, secret: bytes) -> None:
        self._clock = clock
        self._secret = secret

    def operations(self) -> Mapping[str, Operation]:
        return {"GetAuthorizationToken": self.get_token}

    async def get_token(self, caller: Caller, parameters: Parameters) -> Parameters:
        expires_at = int(self._clock.now()) + _VALID_SECONDS
        claims = _Claims(
            account_id=caller.account_id,
            region=caller.region,
            partition=caller.partition,
            principal_arn=caller.principal_arn,
            user_id=caller.user_id,
            access_key_id=caller.access_key_id,
            role_arn=caller.role_arn,
            session_policies=caller.session_policies,
            expires_at=expires_at,
        )
        document = msgspec.json.encode(claims)
        password = base64.b64encode(document + self._signature(document)).decode()
        data = {
            "authorizationToken": base64.b64encode(f"{USER}:{password}".encode()).decode(),
            "expiresAt": expires_at,
            "proxyEndpoint": caller.endpoint_url,
        }
        return {"authorizationData": [data for _ in parameters.get("registryIds", ("",))]}

    def caller_of(self, password: str) -> Caller | None:
        """None for what is no password of ours, or has expired."""
        try:
            sealed = base64.b64decode(password, validate=True)
            document, signature = sealed[:-32], sealed[-32:]
            if not hmac.compare_digest(signature, self._signature(document)):
                return None
            claims = msgspec.json.decode(document, type=_Claims)
        except (binascii.Error, ValueError, msgspec.DecodeError):
            return None
        if claims.expires_at <= self._clock.now():
            return None
        members = msgspec.structs.asdict(claims)
        del members["expires_at"]
        return Caller(**members)

    def _signature(self, document: bytes) -> bytes:
        return hmac.new(self._secret, document, hashlib.sha256).digest()
