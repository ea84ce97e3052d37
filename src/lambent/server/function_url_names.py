"""Lets programs of this host call function URLs by their names.

Every name below localhost is this host (RFC 6761), and browsers and curl know that. What asks the C library knows it
where systemd-resolved or nss-myhostname does; elsewhere it reads /etc/hosts, where a server that may write there keeps
a line for each of its function URLs while it runs.
"""

import asyncio
import fcntl
import ipaddress
import logging
import os
import re
from collections.abc import Sequence
from pathlib import Path

from lambent.store.ports.function_urls import FunctionUrlStore

log = logging.getLogger(__name__)

HOSTS = Path("/etc/hosts")
_HOW_NOT = "function_url_hosts = never leaves that file alone"
_SWITCH = Path("/etc/nsswitch.conf")
_MARK = re.compile(rb" # lambent (\d+)\n?$")
_KNOWS_LOCALHOST = re.compile(rb"^hosts:.*\b(?:myhostname|resolve)\b", re.MULTILINE)


class HostsFile:
    """The lines of one process in a file of host names, which others use at the same time. Lines of processes that
    did not live to take theirs away go with the next change."""

    def __init__(self, path: Path, pid: int) -> None:
        self._path = path
        self._pid = pid

    def replace(self, address: str, names: Sequence[str]) -> None:
        """Raises OSError."""
        if not names and b" # lambent " not in self._path.read_bytes():
            return
        with self._path.open("r+b", buffering=0) as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            before = file.read()
            others = b"".join(line for line in before.splitlines(keepends=True) if self._is_foreign(line))
            if others and not others.endswith(b"\n"):
                others += b"\n"
            after = others + b"".join(f"{address} {name} # lambent {self._pid}\n".encode() for name in names)
            if after != before:
                # In place: in a container the file is a mount, and cannot be exchanged. In one write, for its readers.
                os.pwrite(file.fileno(), after, 0)
                os.ftruncate(file.fileno(), len(after))

    def _is_foreign(self, line: bytes) -> bool:
        mark = _MARK.search(line)
        return mark is None or (int(mark[1]) != self._pid and Path("/proc", mark[1].decode()).exists())


class FunctionUrlNames:
    def __init__(self, store: FunctionUrlStore, domain: str, file: HostsFile) -> None:
        self._store = store
        self._domain = domain
        self._file = file
        self._address = ""
        self._told = False
        self._one_at_a_time = asyncio.Lock()

    async def open(self, listens_at: str) -> None:
        """Once the server listens there; nothing is written before."""
        self._address = "127.0.0.1" if ipaddress.ip_address(listens_at).is_unspecified else listens_at
        await self.refresh()

    async def refresh(self) -> None:
        """There are more or fewer function URLs than before."""
        if not self._address:
            return
        async with self._one_at_a_time:
            urls = await self._store.every()
            names = [f"{url.id}.lambda-url.{url.function.region}.{self._domain}" for url in urls]
            if names and not self._told:
                self._told = True
                log.info("function URLs: their names are in %s while this server runs; %s", HOSTS, _HOW_NOT)
            await self._write(names)

    async def close(self) -> None:
        async with self._one_at_a_time:
            await self._write([])

    async def _write(self, names: Sequence[str]) -> None:
        try:
            await asyncio.to_thread(self._file.replace, self._address, names)
        except OSError as error:
            self._address = ""
            log.info("function URLs: their names are not kept in %s (%s)", HOSTS, error.strerror)


def needs_hosts_file(domain: str, switch: Path = _SWITCH) -> bool:
    """Whether this host does not know by itself where the names are."""
    if domain != "localhost" and not domain.endswith(".localhost"):
        return False
    try:
        return _KNOWS_LOCALHOST.search(switch.read_bytes()) is None
    except OSError:
        return True
