"""One connection between two nodes, as frames."""

import asyncio
import ssl
from collections.abc import Callable
from typing import Protocol, cast

from lambent.cluster.certificates import PROTOCOL
from lambent.cluster.frames import Frame, FrameError, FrameReader, Kind, encode


class LinkUser(Protocol):
    """Either end of a link."""

    def opened(self, link: "Link") -> None: ...

    def received(self, frame: Frame) -> None: ...

    def full(self, full: bool) -> None:
        """Whether the other side reads more slowly than is written to it: big things should wait."""
        ...

    def lost(self, link: "Link") -> None:
        """Nothing is received any more. Called once, after `opened`; late, perhaps, where it was closed from here."""
        ...


SILENT_LOOKS = 32
"""At one each REPORT_SECONDS, in which each side says something, these are 8 s, as long as a membership lasts by
default."""
QUIET_LOOKS = 4


class Silence:
    """How often nothing was heard between two looks. Looks are counted, not seconds: who was stopped himself has heard
    nothing for long, and the other may have said everything. More than `looks_most` are too many."""

    def __init__(self, looks_most: int) -> None:
        self._looks_most = looks_most
        self._heard_at = 0.0
        self.looks = 0

    def look(self, heard_at: float) -> bool:
        """Whether the other side has been silent for too long."""
        self.looks = self.looks + 1 if heard_at == self._heard_at else 0
        self._heard_at = heard_at
        return self.looks > self._looks_most


class Link(asyncio.Protocol):
    """`heard_at` is when the other side has said something last, on the loop's clock."""

    def __init__(self, user: LinkUser, now: Callable[[], float], silent_looks: int) -> None:
        self._user = user
        self._now = now
        self._reader = FrameReader()
        self._transport: asyncio.Transport
        self._open = False
        self.heard_at = 0.0
        self._silence = Silence(silent_looks)

    def send(self, kind: Kind, call: int = 0, head: bytes = b"", body: bytes = b"") -> None:
        """What is sent on a link that is lost goes nowhere: its user has been told."""
        if self._open:
            self._transport.write(encode(kind, call, head, body))

    def is_silent(self) -> bool:
        """To be asked every REPORT_SECONDS: whether nothing has been heard for too long."""
        return self._silence.look(self.heard_at)

    @property
    def is_quiet(self) -> bool:
        """Whether nothing was heard at the last looks, though something should have been."""
        return self._silence.looks >= QUIET_LOOKS

    def close(self) -> None:
        """At once; what was sent may not arrive."""
        if self._open:
            self._transport.abort()

    def end(self) -> None:
        """When what was sent has been written."""
        if self._open:
            self._transport.close()

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        spoken: ssl.SSLObject | None = transport.get_extra_info("ssl_object")
        if spoken is None or spoken.selected_alpn_protocol() != PROTOCOL:
            self._transport.abort()
            return
        self._open = True
        self.heard_at = self._now()
        self._user.opened(self)

    def data_received(self, data: bytes) -> None:
        self.heard_at = self._now()
        try:
            for frame in self._reader.feed(data):
                self._user.received(frame)
        except FrameError:
            self.close()

    def pause_writing(self) -> None:
        self._user.full(True)

    def resume_writing(self) -> None:
        self._user.full(False)

    def connection_lost(self, error: Exception | None) -> None:
        if self._open:
            self._open = False
            self._user.lost(self)
