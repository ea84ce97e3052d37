"""Links in messages, which nobody signs: the certificate, and confirming or ending a subscription by following one."""

from collections.abc import Awaitable, Callable
from urllib.parse import parse_qs

from lambent.http.message import Request, Response
from lambent.services.sns.signing import CERTIFICATE_PATH, Signer

_ACTIONS = frozenset({"ConfirmSubscription", "Unsubscribe"})


def is_certificate(request: Request) -> bool:
    return request.path.startswith(CERTIFICATE_PATH)


def is_link(request: Request) -> bool:
    if request.method != "GET" or request.path != "/" or "Action=" not in request.query:
        return False
    query = parse_qs(request.query)
    signed = "authorization" in request.headers or "X-Amz-Signature" in query
    return not signed and query["Action"][0] in _ACTIONS


def certificate(signer: Signer) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        if request.method not in ("GET", "HEAD") or request.path != signer.certificate_name:
            return Response(404, [("Content-Type", "text/plain")], b"There is no such certificate.\n")
        return Response(200, [("Content-Type", "application/x-pem-file")], signer.certificate)

    return answer
