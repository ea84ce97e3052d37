"""`--dev`: no key is asked for. Any program of this machine is the root of the account that its key id spells."""

import re
from urllib.parse import unquote

from lambent.http.locality import cannot_be_rebound, hostname, is_local, is_own_peer
from lambent.http.message import Request
from lambent.model.credential import Credential, CredentialSource
from lambent.model.error import AccessDeniedException
from lambent.wire.sigv4.authorization import read_scoped_credential
from lambent.wire.sigv4.chunked import STREAMING_PREFIX
from lambent.wire.sigv4.errors import Fault
from lambent.wire.sigv4.verify import Verified, unpack

DEV_ACCOUNT_ID = "000000000000"
DEV_REGION = "us-east-1"
_ACCOUNT_ID = re.compile(r"[0-9]{12}")
_CREDENTIAL = re.compile(r"Credential=([^,\s]+)")


class DevCredentials:
    """Accepts any access key and any signature, or none, from loopback addresses; nothing is verified.

    A key id of twelve digits is an account id; the keys that `known` has (sessions of roles, say) keep their
    owners; all else is the root of account 000000000000. The region is the scope's, us-east-1 where unsigned.
    Pages in a browser are programs of this machine, too, so requests that a page of elsewhere makes are refused: by its
    Origin, by what the browser says of the site, and by a host name that somebody may have pointed at this machine.
    """

    def __init__(self, known: CredentialSource | None = None) -> None:
        self._known = known

    def find(self, access_key_id: str, session_token: str | None) -> Credential:
        if self._known is not None:
            credential = self._known.find(access_key_id, session_token)
            if credential is not None:
                return credential
        account_id = access_key_id if _ACCOUNT_ID.fullmatch(access_key_id) else DEV_ACCOUNT_ID
        return Credential(
            access_key_id=access_key_id,
            secret_access_key="",
            account_id=account_id,
            principal_arn=f"arn:aws:iam::{account_id}:root",
            user_id=account_id,
        )

    async def verify(self, request: Request) -> Verified:
        """Raises AccessDeniedException, and SignatureError where the scope or a chunked body cannot be read."""
        _refuse_strangers(request)
        if request.headers.get("x-amz-content-sha256", "").startswith(STREAMING_PREFIX):
            await unpack(request, None)
        scoped = _scoped_credential(request)
        if scoped is None:
            return Verified(self.find("", None), DEV_REGION, None)
        access_key_id, _, region, service = read_scoped_credential(scoped, Fault.INCOMPLETE)
        return Verified(self.find(access_key_id, _session_token(request)), region, service)


def _scoped_credential(request: Request) -> str | None:
    """KEY/DATE/REGION/SERVICE/aws4_request, of the header or the query; the rest of a signature may be missing."""
    found = _CREDENTIAL.search(request.headers.get("authorization", ""))
    if found is not None:
        return found[1]
    return _query_parameter(request, "X-Amz-Credential")


def _session_token(request: Request) -> str | None:
    return request.headers.get("x-amz-security-token") or _query_parameter(request, "X-Amz-Security-Token")


def _query_parameter(request: Request, name: str) -> str | None:
    _, found, rest = f"&{request.query}".partition(f"&{name}=")
    return unquote(rest.partition("&")[0]) if found else None


def _refuse_strangers(request: Request) -> None:
    if not is_own_peer(request):
        raise AccessDeniedException(
            f"--dev answers this machine only, not {request.peer or 'an unknown peer'}"
        )
    headers = request.headers
    origin = headers.get("origin")
    if origin is not None and not is_local(hostname(origin)):
        raise AccessDeniedException(f"--dev answers no page of {origin}")
    # A link or an image of any page, which has no origin.
    if origin is None and headers.get("sec-fetch-site") == "cross-site":
        raise AccessDeniedException("--dev answers no request that a page of another site makes")
    host = headers.get("host")
    if host is not None and not cannot_be_rebound(hostname(f"//{host}")):
        raise AccessDeniedException(f"--dev answers requests to localhost and to addresses, not to {host}")
