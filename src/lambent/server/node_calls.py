"""How this node calls others, and is called by them, put together. Only where nodes share a database."""

import socket
from collections.abc import Sequence
from urllib.parse import urlsplit

from lambent.cluster.certificates import NodeCertificate
from lambent.cluster.node_port import REPORT_SECONDS, NodePort
from lambent.cluster.peers import Peer, Peers
from lambent.config import Settings
from lambent.environments.pools import Pools
from lambent.http.limits import MIB
from lambent.invoke.directory import Directory
from lambent.invoke.forwarding import ForwardedInvocations
from lambent.invoke.routing import NodeRouter
from lambent.server.invocation import Invocation
from lambent.server.node import ThisNode
from lambent.store.ports.nodes import Node

NODE_AUTHORITY = "node-authority.pem"
_LOOPBACK = "127.0.0.1"


class NodeCalls:
    """`listen` before the node joins, `start` when what it runs is ready, `end` when it takes nothing new, `close`."""

    def __init__(
        self, settings: Settings, node: ThisNode, directory: Directory, invocation: Invocation, pools: Pools
    ) -> None:
        self._settings = settings
        self._node = node
        self._invoker = invocation.invoker
        self._allotments = invocation.allotments
        self._meters = invocation.meters
        self._quotas = invocation.quotas
        self._peers: Peers | None = None
        self._forwarded = ForwardedInvocations(
            directory, node, self._invoker.run_here, settings.response_stream_mib * MIB
        )
        self._router = NodeRouter(
            self._invoker.run_here,
            pools,
            invocation.concurrency,
            self._workers,
            invocation.quotas.rooms if invocation.quotas is not None else dict,
            works="worker" in settings.roles,
        )
        self._silent_looks = round(settings.membership_seconds / REPORT_SECONDS)
        self._port = NodePort(
            self._forwarded.handle, self._router.new_report, silent_looks=self._silent_looks
        )

    async def listen(self, authority: bytes) -> str:
        """Returns the address for other nodes. Raises OSError."""
        settings = self._settings
        path = settings.data_dir / "node-certificate.pem"
        self._certificate = NodeCertificate(authority, self._node.membership.me.id, path)
        host = settings.node_host or own_address(settings.database or "")
        port = await self._port.open(host, settings.node_port, self._certificate)
        return settings.node_address or (f"[{host}]:{port}" if ":" in host else f"{host}:{port}")

    def start(self) -> None:
        self._peers = Peers(
            self._certificate.client_context(),
            self._router.heard,
            self._router.gone,
            silent_looks=self._silent_looks,
        )
        membership = self._node.membership
        membership.listeners.append(self._review)
        membership.refuses = self._refuses
        membership.lapsed.append(self._lapsed)
        self._review()
        self._forwarded.opened = True
        self._invoker.router = self._router
        self._router.is_member = lambda: membership.renewed_lately
        self._allotments.elsewhere = self._router.provisioned_elsewhere
        self._meters.elsewhere = self._router.running_elsewhere

    def end(self) -> None:
        self._forwarded.ending = self._router.ending = True

    async def close(self, drain_seconds: float) -> None:
        await self._port.close(drain_seconds)
        if self._peers is not None:
            await self._peers.close()

    def _review(self) -> None:
        assert self._peers is not None
        workers = [node for node in self._node.membership.all_others if "worker" in node.roles]
        self._peers.reconcile(workers)
        if self._node.membership.valid:
            self._allotments.restore()

    def _refuses(self, node: Node) -> bool:
        assert self._peers is not None
        peer = self._peers.get(node.id)
        return peer is not None and peer.node == node and peer.refuses

    def _lapsed(self) -> None:
        """Told with each beat that fails. Where the database is there for others, they have this node's parts of
        limits and what is provisioned on it by now, or will in a moment; where it is away for all, everybody goes
        on."""
        if self._router.others_are_members():
            self._allotments.withdraw()
            if self._quotas is not None:
                self._quotas.forget()

    def _workers(self) -> Sequence[Peer]:
        """Who has not said anything just now may be slow, and is asked where nobody else can run anything."""
        assert self._peers is not None
        fresh = [peer for peer in self._peers if peer.fresh]
        if fresh or "worker" in self._settings.roles:
            return fresh
        return [peer for peer in self._peers if peer.connected]


def own_address(database: str) -> str:
    """The address from which this host reaches the database of this URL. Raises OSError."""
    parts = urlsplit(database)
    if parts.scheme == "sqlite" or not parts.hostname:
        return _LOOPBACK
    family, kind, _, _, address = socket.getaddrinfo(
        parts.hostname, parts.port or 5432, type=socket.SOCK_DGRAM
    )[0]
    with socket.socket(family, kind) as probe:
        probe.connect(address)  # sends nothing
        return str(probe.getsockname()[0])
