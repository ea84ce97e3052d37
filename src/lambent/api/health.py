"""GET /_lambent/health: whether this process serves. Unsigned, tells nothing else."""

from lambent.http.message import Request, Response

HEALTH_PATH = "/_lambent/health"


def health(request: Request) -> Response:
    if request.method not in ("GET", "HEAD"):
        return Response(405, [("allow", "GET, HEAD")])
    return Response(200, [("content-type", "application/json")], b'{"status":"ok"}')
