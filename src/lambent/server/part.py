"""A service as the server runs it: its operations, what it does behind them, and the HTTP doors of its own."""

from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lambent.base.clock import Clock
from lambent.config import Settings
from lambent.http.message import Request, Response
from lambent.model.caller import PassRole, RoleCallers
from lambent.model.credential import CredentialSource
from lambent.model.metric import Metrics
from lambent.model.service import Client, Service
from lambent.store.sql.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Core:
    """What every service may be built on. `node_id` names this node in its claims; `secret` derives a key for a purpose
    ("code downloads") from the server's, `shared_secret` is one that the first node makes for all."""

    settings: Settings
    node_id: str
    clock: Clock
    data_dir: Path
    shared_dir: Path
    """Below it are files that all nodes see."""
    database: Database
    client: Client
    roles: RoleCallers
    pass_role: PassRole
    metrics: Metrics
    credentials: CredentialSource
    secret: Callable[[str], bytes]
    shared_secret: Callable[[str, Callable[[], bytes]], Awaitable[bytes]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """Requests that are not for the AWS API: `opens` says whether this one is for `handler`. One that is signed in its
    headers with Signature Version 4 is shown to those doors alone that are `for_signed` too."""

    opens: Callable[[Request], bool]
    handler: Callable[[Request], Awaitable[Response]]
    for_signed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """`open` is awaited before the first request, `close` after the last. `behind` is what goes on by itself meanwhile
    (expiry, deliveries), by what it does: started when the server answers, cancelled when it ends."""

    service: Service
    open: Callable[[], Awaitable[None]] | None = None
    behind: Mapping[str, Callable[[], Coroutine[Any, Any, None]]] = field(default_factory=dict)
    once: Mapping[str, Callable[[], Coroutine[Any, Any, None]]] = field(default_factory=dict)
    """As `behind`, for what only one node of a cluster does: by the name of its lease."""
    changed: Mapping[str, Callable[[str], Awaitable[None]]] = field(default_factory=dict)
    """By the kind of a noted change (store/sql/changes.py): reads anew, or forgets, what is remembered of its key."""
    reload: Callable[[], Awaitable[None]] | None = None
    """Reads anew, or forgets, all that is remembered of the store."""
    wakes: Sequence[Callable[[], None]] = ()
    """Called now and then where there are other nodes: one may have written what this one waits for."""
    doors: Sequence[Door] = ()
    dress: Callable[[Request, Response], None] | None = None
    """Adds to the answer of a request that a page made (one with an Origin) what lets the page read it."""
    close: Callable[[], Awaitable[None]] | None = None
    ending: Callable[[], None] | None = None
    """Called when the server begins to end, and still answers what was asked: nobody is to wait for long any more."""
