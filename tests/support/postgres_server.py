"""A PostgreSQL server of its own, from the programs that the host has."""

import ctypes
import getpass
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import Any

import psycopg

from lambent.store.postgres.database import PostgresDatabase

_PLACES = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
_USERS = ("postgres", "nobody")
_PR_SET_PDEATHSIG = 1
_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
_START_SECONDS = 180.0
"""After a crash it reads its log first; longer under load."""
_QUICK = ("fsync=off", "full_page_writes=off")
"""What only tests may do that survive no power cut."""


def programs() -> Path | None:
    """The directory of initdb and postgres."""
    found = shutil.which("initdb")
    places = [Path(found).parent] if found else _PLACES
    return next((place for place in places if (place / "postgres").exists()), None)


class PostgresServer:
    """In a directory of its own, at a socket there."""

    def __init__(self, directory: Path, bin_: Path) -> None:
        self._directory = directory
        self._bin = bin_
        # PostgreSQL does not run as root.
        self._user = next(name for name in _USERS if _exists(name)) if os.geteuid() == 0 else None
        self._made = 0
        self._process: subprocess.Popen[bytes] | None = None

    def create(self) -> None:
        if self._user:
            shutil.chown(self._directory, self._user)
        owner = self._user or getpass.getuser()
        self._run(
            "initdb", "-D", self._data, "-U", owner, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N"
        )

    def start(self, *settings: str, quick: bool = True) -> None:
        chosen = (*(_QUICK if quick else ()), "listen_addresses=", "max_connections=200", *settings)
        options = [word for setting in chosen for word in ("-c", setting)]
        self._process = subprocess.Popen(
            [self._bin / "postgres", "-D", self._data, "-k", self._directory, *options],
            user=self._user,
            extra_groups=[] if self._user else None,
            cwd=self._directory,
            stdout=subprocess.DEVNULL,
            stderr=(self._directory / "log").open("ab"),
            preexec_fn=_end_with_parent,  # noqa: PLW1509 - the call is one system call
        )
        deadline = time.monotonic() + _START_SECONDS
        while True:
            try:
                psycopg.connect(self.url("postgres")).close()
                return
            except psycopg.OperationalError:
                assert self._process.poll() is None, (self._directory / "log").read_text()[-2000:]
                assert time.monotonic() < deadline, "PostgreSQL does not answer"
                time.sleep(0.02)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """SIGINT in order, SIGQUIT as in a crash; SIGKILL goes to all of its processes."""
        if self._process is not None:
            if how == signal.SIGKILL:
                self._send_to_all(how)
            else:
                self._process.send_signal(how)
            self._process.wait()
            self._process = None

    def freeze(self) -> None:
        self._send_to_all(signal.SIGSTOP)

    def thaw(self) -> None:
        self._send_to_all(signal.SIGCONT)

    def _send_to_all(self, how: signal.Signals) -> None:
        """The first of its processes comes first: it would restart the others."""
        assert self._process is not None
        first = self._process.pid
        os.kill(first, how)
        for children in Path(f"/proc/{first}/task").glob("*/children"):
            for child in children.read_text().split():
                with suppress(ProcessLookupError):
                    os.kill(int(child), how)

    def new_database(self) -> str:
        """The URL of a database without anything in it."""
        self._made += 1
        name = f"test_{self._made}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE template0".encode())
        return self.url(name)

    @cached_property
    def shared(self) -> PostgresDatabase:
        """A database that is open as long as the server runs. `empty` makes it as new for the next test in a few
        milliseconds, where making one takes hundreds."""
        database = PostgresDatabase(self.shared_url)
        database.open()
        return database

    @cached_property
    def shared_url(self) -> str:
        return self.new_database()

    def close_shared(self) -> None:
        if "shared" in self.__dict__:
            self.shared.close()
        if "_emptier" in self.__dict__:
            self._emptier.close()

    def empty(self) -> None:
        self._emptier.execute(self._emptying)

    def url(self, name: str) -> str:
        owner = self._user or getpass.getuser()
        return f"postgresql://{owner}@/{name}?host={self._directory}"

    def at_port(self, url: str, port: int) -> str:
        """The same database by another way, which leads from a port of this host to the socket."""
        return f"{url.split('?', maxsplit=1)[0].replace('@/', f'@127.0.0.1:{port}/')}?sslmode=disable"

    @property
    def socket(self) -> Path:
        return self._directory / ".s.PGSQL.5432"

    @property
    def _data(self) -> Path:
        return self._directory / "data"

    @cached_property
    def _emptier(self) -> psycopg.Connection[tuple[Any, ...]]:
        return psycopg.connect(self.shared_url, autocommit=True)

    @cached_property
    def _emptying(self) -> bytes:
        tables = [name for (name,) in self._emptier.execute(_TABLES) if name != "lambent_schema"]
        return "".join(f"DELETE FROM {name};" for name in tables).encode()

    def _run(self, program: str, *words: str | Path) -> None:
        command: Sequence[str | Path] = [self._bin / program, *words]
        groups: list[int] | None = [] if self._user else None
        subprocess.run(
            command,
            user=self._user,
            extra_groups=groups,
            cwd=self._directory,
            check=True,
            capture_output=True,
        )


@contextmanager
def new_postgres_server(bin_: Path) -> Iterator[PostgresServer]:
    directory = Path(tempfile.mkdtemp(prefix="lambent-pg-", dir="/tmp"))
    server = PostgresServer(directory, bin_)
    try:
        server.create()
        server.start()
        yield server
    finally:
        server.close_shared()
        server.stop(signal.SIGQUIT)
        shutil.rmtree(directory, ignore_errors=True)


def _exists(user: str) -> bool:
    return subprocess.run(["getent", "passwd", user], capture_output=True, check=False).returncode == 0


def _end_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGQUIT)
