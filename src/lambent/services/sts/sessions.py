"""Temporary credentials that carry their own truth: a session is its token, and nothing is stored about
it."""

import base64
import hmac
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from lambent.base.clock import Clock
from lambent.model.caller import Caller
from lambent.model.credential import Credential, SessionFacts
from lambent.model.role import Role
from lambent.model.user import is_user_arn
from lambent.services.sts.access_key_id import temporary_access_key_id
from lambent.services.sts.claims import Claims, ClaimsSeal

_MAX_REMEMBERED: Final = 10_000


class SessionTokens:
    """Implements lambent.model.credential.CredentialSource for temporary credentials.

    The access key id and the secret are derived from the token, so that a token is good until it expires, on
    every server that has the master key, and across restarts."""

    def __init__(self, master_key: bytes, clock: Clock) -> None:
        """`master_key` is at least 32 random bytes; whoever has it can make any credential."""
        if len(master_key) < 32:
            raise ValueError("the master key of session tokens needs at least 32 bytes")
        self._clock = clock
        self._seal = ClaimsSeal(_derive(master_key, b"claims"))
        self._id_key = _derive(master_key, b"access key id")
        self._secret_key = _derive(master_key, b"secret access key")
        self._remembered: dict[str, Credential] = {}

    def issue(
        self,
        role: Role,
        session_name: str,
        duration_seconds: int,
        *,
        session_policies: Sequence[str] = (),
        facts: SessionFacts | None = None,
        partition: str = "aws",
        minimum_token_size: int = 0,
    ) -> Credential:
        """A session of a role. `session_policies` are JSON texts of documents, and ARNs of managed
        policies."""
        facts = facts or SessionFacts()
        claims = Claims(
            account_id=role.account_id,
            partition=partition,
            expires_at=int(self._clock.now()) + duration_seconds,
            role_path=role.path,
            role_name=role.name,
            role_id=role.id,
            session_name=session_name,
            session_policies=tuple(session_policies),
            tags=tuple(facts.tags.items()),
            transitive_tag_keys=facts.transitive_tag_keys,
            source_identity=facts.source_identity or "",
        )
        return self._credential(claims, self._token(claims, minimum_token_size))

    def issue_own(
        self,
        caller: Caller,
        duration_seconds: int,
        *,
        session_policies: Sequence[str] = (),
        federated_name: str = "",
        tags: Mapping[str, str] | None = None,
        minimum_token_size: int = 0,
    ) -> Credential:
        """A session of an account's root, or of a user (GetSessionToken), or of somebody whom these vouch for
        (GetFederationToken)."""
        is_user = is_user_arn(caller.principal_arn)
        path, _, name = caller.principal_arn.partition(":user/")[2].rpartition("/")
        claims = Claims(
            account_id=caller.account_id,
            partition=caller.partition,
            expires_at=int(self._clock.now()) + duration_seconds,
            session_policies=tuple(session_policies),
            user_path=f"/{path}/".replace("//", "/") if is_user else "",
            user_name=name if is_user else "",
            user_id=caller.user_id if is_user else "",
            federated_name=federated_name,
            tags=tuple((tags or {}).items()),
        )
        return self._credential(claims, self._token(claims, minimum_token_size))

    def find(self, access_key_id: str, session_token: str | None) -> Credential | None:
        if session_token is None:
            return None
        credential = self._remembered.get(session_token)
        if credential is None:
            claims = self._seal.open(session_token)
            if claims is None:
                return None
            credential = self._credential(claims, session_token)
            self._remember(session_token, credential)
        if not hmac.compare_digest(credential.access_key_id.encode(), access_key_id.encode()):
            return None
        return credential

    def _token(self, claims: Claims, minimum_size: int) -> str:
        token = self._seal.seal(claims)
        if len(token) >= minimum_size:
            return token
        missing = minimum_size - len(token)
        return self._seal.seal(_padded(claims, missing))

    def _credential(self, claims: Claims, token: str) -> Credential:
        account = claims.account_id
        entropy = hmac.digest(self._id_key, token.encode(), "sha256")
        secret = base64.b64encode(hmac.digest(self._secret_key, token.encode(), "sha256"))
        iam, sts = f"arn:{claims.partition}:iam::{account}", f"arn:{claims.partition}:sts::{account}"
        role_arn: str | None = None
        if claims.role_name:
            principal_arn = f"{sts}:assumed-role/{claims.role_name}/{claims.session_name}"
            user_id = f"{claims.role_id}:{claims.session_name}"
            role_arn = f"{iam}:role{claims.role_path}{claims.role_name}"
        elif claims.user_name:
            principal_arn, user_id = f"{iam}:user{claims.user_path}{claims.user_name}", claims.user_id
        else:
            principal_arn, user_id = f"{iam}:root", account
        issuer_arn: str | None = None
        if claims.federated_name:
            issuer_arn, principal_arn = principal_arn, f"{sts}:federated-user/{claims.federated_name}"
            user_id = f"{account}:{claims.federated_name}"
        return Credential(
            access_key_id=temporary_access_key_id(account, entropy[:5]),
            secret_access_key=secret[:40].decode(),
            session_token=token,
            expires_at=float(claims.expires_at),
            account_id=account,
            principal_arn=principal_arn,
            user_id=user_id,
            role_arn=role_arn,
            session_policies=claims.session_policies,
            session=_facts(claims, issuer_arn),
        )

    def _remember(self, token: str, credential: Credential) -> None:
        """The oldest goes when there are too many: it only costs opening its token again."""
        if len(self._remembered) >= _MAX_REMEMBERED:
            del self._remembered[next(iter(self._remembered))]
        self._remembered[token] = credential


def _facts(claims: Claims, issuer_arn: str | None) -> SessionFacts | None:
    if not (claims.tags or claims.source_identity or issuer_arn):
        return None
    return SessionFacts(
        tags=dict(claims.tags),
        transitive_tag_keys=claims.transitive_tag_keys,
        source_identity=claims.source_identity or None,
        issuer_arn=issuer_arn,
        issuer_id=claims.user_id,
    )


def _padded(claims: Claims, characters: int) -> Claims:
    """With padding that makes a token at least that much longer."""
    return msgspec.structs.replace(claims, padding=bytes(characters))


def _derive(master_key: bytes, purpose: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=b"lambent sessions: " + purpose).derive(
        master_key
    )
