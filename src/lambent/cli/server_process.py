"""A server in a process of its own, for commands that need one: started, waited for, stopped by its pid."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lambent.config import READY_FILE

_START_SECONDS = 30.0
_STOP_SECONDS = 15.0


class StartFailedError(Exception):
    """The server did not come up; the message ends with what it logged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What a client needs of a running server: the content of its ready file."""

    endpoint: str
    region: str
    access_key_id: str
    secret_access_key: str


def read_access(ready_file: Path) -> Access:
    """Raises FileNotFoundError where no server runs, PermissionError, JSONDecodeError, TypeError."""
    return Access(**json.loads(ready_file.read_text()))


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerProcess:
    process: "subprocess.Popen[bytes]"
    access: Access

    @classmethod
    def start(cls, data_dir: Path, port: int, *arguments: str, before: Sequence[str] = ()) -> "ServerProcess":
        """Runs `lambent start` in a session of its own, so that it outlives this command's terminal. `before` is a
        command that executes the one which follows it (as nice does).

        Raises StartFailedError."""
        data_dir.mkdir(parents=True, exist_ok=True)
        ready, log = data_dir / READY_FILE, data_dir / "server.log"
        ready.unlink(missing_ok=True)
        command = [sys.executable, "-m", "lambent", "start", "--data-dir", str(data_dir), "--port", str(port)]
        with log.open("ab") as output:
            process = subprocess.Popen(
                [*before, *command, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        try:
            deadline = time.monotonic() + _START_SECONDS
            while not ready.exists():
                if process.poll() is not None or time.monotonic() > deadline:
                    tail = log.read_text(errors="replace").strip()[-2000:]
                    raise StartFailedError(f"the server did not start. It said:\n{tail}")
                time.sleep(0.02)
            return cls(process=process, access=read_access(ready))
        except BaseException:  # nobody would end it
            process.kill()
            process.wait()
            raise

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def endpoint(self) -> str:
        return self.access.endpoint

    @property
    def access_key_id(self) -> str:
        return self.access.access_key_id

    @property
    def secret_access_key(self) -> str:
        return self.access.secret_access_key

    def stop(self) -> None:
        """SIGTERM, and SIGKILL for one that does not end."""
        if self.process.poll() is None:
            os.kill(self.pid, signal.SIGTERM)
            try:
                self.process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
