"""A response that comes in pieces: where they go, and what becomes of them where nobody asked for pieces."""

from collections.abc import Callable

from lambent.environments.link import RESPONSE_BYTES_MOST, Reply, response_too_large
from lambent.model.invocation import ResponseSink


class Collected:
    """The sink of an invocation that wants its response as a whole."""

    def __init__(self) -> None:
        self.executed_version = ""
        self._pieces: list[bytes] = []
        self._size = 0

    def begin(self, content_type: str | None, pause: Callable[[], None], resume: Callable[[], None]) -> None:
        """Whole responses have no content type, and never wait."""

    def write(self, piece: bytes) -> None:
        self._size += len(piece)
        if self._size > RESPONSE_BYTES_MOST:
            self._pieces.clear()
        else:
            self._pieces.append(piece)

    def finish(self) -> bytes | None:
        return None if self._size > RESPONSE_BYTES_MOST else b"".join(self._pieces)


class Streaming:
    """One streamed response on its way from a link to its sink, which holds back nothing but this response: whoever is
    still behind at its end is not to stop the invocation that comes next."""

    def __init__(
        self,
        sink: ResponseSink | None,
        content_type: str | None,
        pause: Callable[[], None],
        resume: Callable[[], None],
    ) -> None:
        self._sink = sink or Collected()
        self._pause = pause
        self._resume = resume
        self._open = True
        self._sink.begin(content_type, self._hold, self._release)

    def write(self, piece: bytes) -> None:
        if piece:
            self._sink.write(piece)

    def close(self) -> None:
        """Nothing more comes of this response."""
        self._release()
        self._open = False

    def end(self) -> Reply:
        """The reply of a function that has written everything."""
        self.close()
        whole = self._sink.finish()
        return response_too_large() if whole is None else Reply("result", whole)

    def _hold(self) -> None:
        if self._open:
            self._pause()

    def _release(self) -> None:
        if self._open:
            self._resume()
