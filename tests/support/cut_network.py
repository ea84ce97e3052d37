"""A network between processes of this machine that can be cut, held up and slowed down: a proxy for TCP, or for what
listens at a Unix socket."""

import random
import socket
import threading
import time
from contextlib import suppress
from pathlib import Path

_PIECE = 65536
_LOOK_SECONDS = 0.05
_SENT_AGAIN_SECONDS = 0.2
"""As TCP does what was lost; each time twice as late."""


class CutNetwork:
    """Leads from a port of this host to `target`, a (host, port) or the path of a socket."""

    def __init__(self, target: tuple[str, int] | Path) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._pairs: set[tuple[socket.socket, socket.socket]] = set()
        self._lock = threading.Lock()
        self._refusing = False
        self._silent: frozenset[str] = frozenset()
        self._delay = 0.0
        self._loss = 0.0
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Whoever is connected is reset, whoever comes is turned away."""
        self._refusing = True
        self._end_all()

    def hold(self, *directions: str) -> None:
        """No byte arrives, and nobody is told: as where packets are dropped. `directions` are "there" (to the target)
        and "back", both without any."""
        self._silent = frozenset(directions or ("there", "back"))

    def half_close(self) -> None:
        """What comes from the target ends; what goes there still arrives, for those who are connected."""
        with self._lock:
            pairs = list(self._pairs)
        for near, _ in pairs:
            with suppress(OSError):
                near.shutdown(socket.SHUT_WR)

    def slow(self, seconds: float) -> None:
        """Each piece arrives so much later."""
        self._delay = seconds

    def lose(self, share: float) -> None:
        """Of what is sent so much is lost, and sent again."""
        self._loss = share

    def mend(self) -> None:
        """What was held up arrives now."""
        self._refusing = False
        self._silent = frozenset()
        self._delay = self._loss = 0.0

    def close(self) -> None:
        self._refusing = True
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._end_all()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            if self._refusing:
                _reset(near)
                continue
            threading.Thread(target=self._lead, args=(near,), daemon=True).start()

    def _lead(self, near: socket.socket) -> None:
        try:
            if isinstance(self._target, Path):
                far = socket.socket(socket.AF_UNIX)
                far.connect(str(self._target))
            else:
                far = socket.create_connection(self._target)
                far.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                near.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError:
            _reset(near)
            return
        pair = (near, far)
        with self._lock:
            self._pairs.add(pair)
        back = threading.Thread(target=self._pass_on, args=(far, near, "back"), daemon=True)
        back.start()
        self._pass_on(near, far, "there")
        back.join()
        with self._lock:
            self._pairs.discard(pair)
        near.close()
        far.close()

    def _pass_on(self, source: socket.socket, sink: socket.socket, direction: str) -> None:
        with suppress(OSError):
            while piece := source.recv(_PIECE):
                if self._delay:
                    time.sleep(self._delay)
                again = _SENT_AGAIN_SECONDS
                while random.random() < self._loss:
                    time.sleep(again)
                    again *= 2
                while direction in self._silent:
                    time.sleep(_LOOK_SECONDS)
                sink.sendall(piece)
        with suppress(OSError):
            sink.shutdown(socket.SHUT_WR)

    def _end_all(self) -> None:
        with self._lock:
            pairs = list(self._pairs)
        for pair in pairs:
            for end in pair:
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)


def _reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    connection.close()
