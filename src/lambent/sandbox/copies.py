"""In the spawner: its zygotes, and sandboxes that are copies of them, from the order until there is a supervisor, or an
error."""

import contextlib
import errno
import os
import select
import socket
from collections.abc import Sequence
from typing import Any, Protocol

from lambent.sandbox import messages, zygotes
from lambent.sandbox.cgroup import Entry
from lambent.sandbox.interior import Visitor
from lambent.sandbox.steps import StepError, step
from lambent.sandbox.zygotes import Copying, Zygote


class Parent(Protocol):
    """The spawner, whose children zygotes and copies are."""

    def supervise(self, sandbox_id: str, pid: int, pidfd: int, *, watched: bool) -> None:
        """There is a supervisor: it is the spawner's from here on."""
        ...

    def kill(self, sandbox_id: str) -> None: ...

    def tell(self, event: dict[str, Any]) -> None: ...

    def children(self) -> set[int]:
        """Pids of all that was told of, but for zygotes."""
        ...


class Copies:
    def __init__(self, directory: str, poll: select.epoll, visitor: Visitor, parent: Parent) -> None:
        """`directory` has the roots."""
        self._directory = directory
        self._poll = poll
        self._visitor = visitor
        self._parent = parent
        self._zygotes: dict[str, Zygote] = {}
        self.lines: dict[int, Zygote] = {}
        """Who is heard by which descriptor."""
        self._doomed: set[str] = set()
        """Sandboxes that are to be killed as soon as their zygote has told of them."""

    def start_zygote(self, order: dict[str, Any]) -> None:
        try:
            zygote = zygotes.start(order["id"], f"{self._directory}/{order['root']}", order)
        except StepError as error:
            self._parent.tell({"event": "zygote_gone", "id": order["id"], "error": str(error)})
            return
        self._zygotes[zygote.id] = self.lines[zygote.line.fileno()] = zygote
        self._poll.register(zygote.line, select.EPOLLIN)

    def end_zygote(self, zygote_id: str) -> None:
        if zygote_id in self._zygotes:
            self._lose(self._zygotes[zygote_id])

    def close(self) -> None:
        for zygote in self._zygotes.values():
            zygote.end()

    def order(self, spec: dict[str, Any], descriptors: Sequence[int], entry: Entry) -> None:
        """Raises StepError; what fails later is told."""
        with step("copy the zygote"):
            zygote = self._zygotes.get(spec["zygote"])
            if zygote is None:
                raise ProcessLookupError(errno.ESRCH, os.strerror(errno.ESRCH))
        spec["cloned_into"] = entry.into is not None
        zygote.copy(spec, descriptors, entry)

    def doom(self, sandbox_id: str) -> None:
        """Kills it when it is there, if it is under way."""
        if any(sandbox_id in zygote.copying for zygote in self._zygotes.values()):
            self._doomed.add(sandbox_id)

    def hear(self, line: int) -> None:
        zygote = self.lines[line]
        received = messages.receive(zygote.line)
        if received is None:
            self._lose(zygote)
            return
        told, descriptors = received
        if "ready" in told:
            ready = {"event": "zygote", "id": zygote.id, "private_bytes": told["private_bytes"]}
            self._parent.tell(ready)
        elif told["error"] is not None:
            self._fail(zygote, told["id"], told["error"])
        else:
            copying = zygote.copying.pop(told["id"])
            self._parent.supervise(told["id"], told["pid"], descriptors[0], watched=copying.spec["watched"])
            if told["id"] in self._doomed:
                self._doomed.remove(told["id"])
                self._parent.kill(told["id"])
            else:
                self._build(descriptors[0], copying)
            copying.close()

    def _build(self, pidfd: int, copying: Copying) -> None:
        """Tells the server, as a supervisor would; who hears of it over `building`, if there is something to go on
        with."""
        control = socket.socket(fileno=copying.control)
        try:
            listeners = self._visitor.build(pidfd, copying.spec, copying.scratch)
        except StepError as error:
            messages.tell(control, {"error": str(error)})
        else:
            with contextlib.suppress(BrokenPipeError):  # it has ended
                os.write(copying.building, b"1")
            messages.tell(control, {"ready": True}, [listener.fileno() for listener in listeners])
            for listener in listeners:
                listener.close()
        finally:
            control.detach()  # closed with the rest of what is kept for this copy

    def _fail(self, zygote: Zygote, sandbox_id: str, error: str) -> None:
        zygote.copying.pop(sandbox_id).close()
        self._doomed.discard(sandbox_id)
        self._parent.tell({"event": "failed", "id": sandbox_id, "error": error})

    def _lose(self, zygote: Zygote) -> None:
        self._poll.unregister(zygote.line)
        del self._zygotes[zygote.id], self.lines[zygote.line.fileno()]
        zygote.end()
        if zygote.copying:  # perhaps it was killed between a clone and telling of it
            zygotes.end_strays(self._parent.children() | {other.pid for other in self._zygotes.values()})
        for sandbox_id in list(zygote.copying):
            self._fail(zygote, sandbox_id, "the zygote has ended")
        self._parent.tell({"event": "zygote_gone", "id": zygote.id, "error": None})
