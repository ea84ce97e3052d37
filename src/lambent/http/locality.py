"""Whether a request comes from this machine, and not by way of a page that somebody else made."""

import ipaddress
from urllib.parse import urlsplit

from lambent.http.message import Request


def is_own_peer(request: Request) -> bool:
    peer = request.peer.removeprefix("::ffff:")
    return peer.startswith("127.") or peer == "::1"


def is_own_request(request: Request) -> bool:
    """From this machine, and of no browser's page: no foreign origin, no name that a name server may lead here."""
    headers = request.headers
    origin, host = headers.get("origin"), headers.get("host")
    return (
        is_own_peer(request)
        and (origin is None or is_local(hostname(origin)))
        and headers.get("sec-fetch-site") != "cross-site"
        and (host is None or cannot_be_rebound(hostname(f"//{host}")))
    )


def hostname(url: str) -> str:
    """In lower case; empty where there is none."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def is_local(hostname: str) -> bool:
    if hostname == "localhost" or hostname.endswith(".localhost"):
        return True
    address = _address(hostname)
    return address is not None and address.is_loopback


def cannot_be_rebound(hostname: str) -> bool:
    """Whether no name server decides where this leads: a page's own name, led here, would make us its origin."""
    return is_local(hostname) or _address(hostname) is not None


def _address(hostname: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(hostname)
    except ValueError:
        return None
