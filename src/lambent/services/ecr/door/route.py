"""From a request of the registry API to what it asks for."""

import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import parse_qs, unquote

from lambent.http.message import Request
from lambent.model.image import is_digest
from lambent.services.ecr.door.errors import RegistryError

Kind = Literal["base", "catalog", "tags", "manifest", "referrers", "blob", "uploads", "upload"]

_NAME = re.compile(r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*")
_TAG = re.compile(r"[0-9A-Za-z_][0-9A-Za-z_.-]{0,127}")
_PATHS: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    ("base", re.compile(r"/v2/?")),
    ("catalog", re.compile(r"/v2/_catalog")),
    ("tags", re.compile(r"/v2/(?P<name>.+)/tags/list")),
    ("uploads", re.compile(r"/v2/(?P<name>.+)/blobs/uploads/?")),
    ("upload", re.compile(r"/v2/(?P<name>.+)/blobs/uploads/(?P<reference>[^/]+)")),
    ("blob", re.compile(r"/v2/(?P<name>.+)/blobs/(?P<reference>[^/]+)")),
    ("manifest", re.compile(r"/v2/(?P<name>.+)/manifests/(?P<reference>[^/]+)")),
    ("referrers", re.compile(r"/v2/(?P<name>.+)/referrers/(?P<reference>[^/]+)")),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """`reference` is a digest, a tag or an upload's id; `query` has each parameter's first value."""

    kind: Kind
    name: str = ""
    reference: str = ""
    query: dict[str, str]


def route(request: Request) -> Route:
    """Raises RegistryError."""
    path = unquote(request.path)
    query = {name: values[0] for name, values in parse_qs(request.query, keep_blank_values=True).items()}
    for kind, pattern in _PATHS:
        found = pattern.fullmatch(path)
        if found is not None:
            members = found.groupdict()
            return _checked(Route(kind=kind, query=query, **members), request.method)
    raise RegistryError(404, "UNSUPPORTED", f"there is no {request.path} in the registry API")


def _checked(asked: Route, method: str) -> Route:
    if asked.name and (len(asked.name) > 256 or not _NAME.fullmatch(asked.name)):
        raise RegistryError(400, "NAME_INVALID", f"invalid repository name {asked.name[:300]!r}")
    if asked.kind in ("blob", "referrers") and not is_digest(asked.reference):
        raise RegistryError(400, "DIGEST_INVALID", "the digest is not one of SHA-256")
    if asked.kind == "manifest" and not is_digest(asked.reference) and not _TAG.fullmatch(asked.reference):
        # Whoever reads asks for what there cannot be; whoever writes is wrong.
        status, code = (400, "DIGEST_INVALID") if method == "PUT" else (404, "MANIFEST_UNKNOWN")
        raise RegistryError(status, code, "the reference is neither a tag nor a digest of SHA-256")
    return asked
