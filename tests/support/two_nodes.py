"""Servers that share a database, their code and their secrets, as nodes of one cluster on this host."""

import http.client
import json
import random
import shutil
import socket
import time
import urllib.request
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from cut_network import CutNetwork
from lambent_server import Lambent, eventually


def start_nodes(
    directory: Path,
    *ids: str,
    database: str | None = None,
    databases: Mapping[str, str] | None = None,
    arguments: Mapping[str, tuple[str, ...]] | None = None,
    before: Mapping[str, tuple[str, ...]] | None = None,
    membership_seconds: float = 4.0,
) -> dict[str, Lambent]:
    """By id. The first makes the master key, the others are given it. `databases` are the ways of single nodes to the
    one database, `before` what their commands begin with."""

    def start(id: str) -> Lambent:
        data_dir = directory / id
        data_dir.mkdir(mode=0o700)
        if id != ids[0]:
            shutil.copy2(directory / ids[0] / "master-key", data_dir / "master-key")
        return Lambent.start(
            data_dir,
            *("--node-id", id, "--shared-dir", str(directory / "shared")),
            *("--database", (databases or {}).get(id) or database or f"sqlite:///{directory / 'cluster.db'}"),
            *("--membership-seconds", str(membership_seconds)),
            *(arguments or {}).get(id, ()),
            before=(before or {}).get(id, ()),
        )

    nodes = {ids[0]: start(ids[0])}
    with ThreadPoolExecutor() as starters:
        nodes |= zip(ids[1:], starters.map(start, ids[1:]), strict=True)
    eventually(lambda: all(len(alive(node)) == len(ids) for node in nodes.values()))
    return nodes


def way_between() -> tuple[CutNetwork, tuple[str, ...]]:
    """The way of all others to a node, and the settings that have them take it."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    network = CutNetwork(("127.0.0.1", port))
    return network, ("--node-port", str(port), "--node-address", f"127.0.0.1:{network.port}")


def status(node: Lambent) -> dict[str, Any]:
    with urllib.request.urlopen(node.endpoint + "/_lambent/status", timeout=10) as response:
        found: dict[str, Any] = json.load(response)
    return found


def alive(node: Lambent) -> list[str]:
    return [member["id"] for member in status(node).get("nodes", ()) if member["alive"]]


def answering(nodes: Collection[Lambent]) -> Lambent:
    """One of them that answers, and has a database; waits for it."""
    while True:
        for node in random.sample(list(nodes), len(nodes)):
            try:
                if status(node)["database"] == "ok":
                    return node
            except (OSError, http.client.HTTPException, ValueError):
                continue
        time.sleep(0.1)
