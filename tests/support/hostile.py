"""A well-behaved function that is invoked all the while that another misbehaves, and must not notice."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from lambent_server import Lambent

PATIENCE_SECONDS = 5.0
PATIENCE_WITHOUT_CPU_LIMITS_SECONDS = 60.0
"""Where nothing keeps a neighbour from taking the CPUs: late is not wrong."""


class Bystander:
    def __init__(self, lambent: Lambent) -> None:
        self._lambent = lambent
        limited = "no limit on CPU" not in lambent.log
        self._patience_seconds = PATIENCE_SECONDS if limited else PATIENCE_WITHOUT_CPU_LIMITS_SECONDS
        self._name = lambent.python(
            "from pathlib import Path\n"
            "count = 0\n"
            "def handler(event, context):\n"
            "    global count\n"
            "    count += 1\n"
            "    Path('/tmp/own').write_text(str(event))\n"
            "    return [event * 2, count, Path('/tmp/own').read_text(), __file__]\n"
        )
        self._count = 0

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Fails if an answer meanwhile was wrong, late, or from another environment than before."""
        self.check()
        stop, failures, calls = threading.Event(), list[BaseException](), 0

        def watch() -> None:
            nonlocal calls
            while not stop.is_set():
                try:
                    self.check()
                except BaseException as error:
                    failures.append(error)
                    return
                calls += 1
                stop.wait(0.05)

        thread = threading.Thread(target=watch)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()
        assert not failures, failures
        assert calls
        self.check()

    def check(self) -> None:
        self._count += 1
        started = time.monotonic()
        answer = self._lambent.call(self._name, self._count)
        assert answer == [self._count * 2, self._count, str(self._count), "/var/task/index.py"]
        assert time.monotonic() - started < self._patience_seconds
