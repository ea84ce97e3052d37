"""Whatever is killed while functions run: callers get AWS's error or their answer, and nothing stays."""

import itertools
import os
import random
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from lambent_server import Lambent, eventually

KILLS = 12
CALLERS = 6
SOURCE = "import time\ndef handler(event, context):\n    time.sleep(0.01)\n    return event\n"

Pids = Callable[[int], list[int]]


def children(pid: int) -> list[int]:
    found: list[int] = []
    with suppress(OSError):
        for thread in Path(f"/proc/{pid}/task").iterdir():
            found += map(int, (thread / "children").read_text().split())
    return found


def spawners(server: int) -> list[int]:
    def is_one(pid: int) -> bool:
        with suppress(OSError):
            return b"lambent.sandbox.spawner" in Path(f"/proc/{pid}/cmdline").read_bytes()
        return False

    return [pid for pid in children(server) if is_one(pid)]


def below_spawners(server: int, *, in_a_namespace: bool) -> list[int]:
    """Supervisors, which have a pid namespace to themselves, or zygotes, which do not."""

    def is_one(pid: int) -> bool:
        with suppress(OSError):
            status = Path(f"/proc/{pid}/status").read_text().splitlines()
            pids = next(line for line in status if line.startswith("NSpid")).split()[1:]
            return (len(pids) > 1) is in_a_namespace
        return False

    return [pid for spawner in spawners(server) for pid in children(spawner) if is_one(pid)]


def supervisors(server: int) -> list[int]:
    return below_spawners(server, in_a_namespace=True)


def zygotes(server: int) -> list[int]:
    return below_spawners(server, in_a_namespace=False)


def processes(server: int) -> list[int]:
    return [pid for supervisor in supervisors(server) for pid in children(supervisor)]


PARTS: dict[str, Pids] = {"process": processes, "supervisor": supervisors, "spawner": spawners}


@pytest.fixture
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lambent]:
    """One for each test: where the process that is copied could not be made, nobody tries again for a minute."""
    running = Lambent.start(tmp_path_factory.mktemp("killed"))
    yield running
    assert running.stop() == 0, running.log[-3000:]
    assert not running.leftovers()
    assert "Traceback" not in running.log, running.log[-8000:]


class Load:
    """Invokes without a pause, from several threads, until it is told to stop; notes what became of it."""

    def __init__(self, lambent: Lambent, name: str) -> None:
        self._lambent = lambent
        self._name = name
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._call, args=(number,)) for number in range(CALLERS)]
        self.outcomes: Counter[str] = Counter()
        self.calls = itertools.count()

    def __enter__(self) -> "Load":
        self._client = self._lambent.client("lambda")
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _call(self, number: int) -> None:
        while not self._stop.is_set():
            self.outcomes[self.outcome(number)] += 1

    def outcome(self, number: int) -> str:
        event = f"{number}-{next(self.calls)}"
        try:
            answer = self._client.invoke(FunctionName=self._name, Payload=f'"{event}"'.encode())
        except ClientError as error:
            return str(error.response["Error"]["Code"])
        payload = answer["Payload"].read().decode()
        if "FunctionError" in answer:
            return "Runtime.ExitError" if '"errorType":"Runtime.ExitError"' in payload else payload
        return "answered" if payload == f'"{event}"' else f"another's answer: {payload}"


@pytest.mark.parametrize("part", PARTS)
def test_one_part_after_another_is_killed_under_load(server: Lambent, part: str) -> None:
    name = server.python(SOURCE, Timeout=2)
    server.call(name, "warm")
    chosen = random.Random(part)
    with Load(server, name) as load:
        for kill in range(KILLS):
            answered = load.outcomes["answered"]
            eventually(lambda: load.outcomes["answered"] > answered + CALLERS, seconds=20)  # noqa: B023
            victim = chosen.choice(eventually(lambda: PARTS[part](server.server.pid)))
            with suppress(ProcessLookupError):
                os.kill(victim, signal.SIGSTOP if kill % 4 == 3 and part == "process" else signal.SIGKILL)
    # What is killed while it is idle costs nobody an answer; the time of what was stopped is up some time.
    expected = {"answered", "Runtime.ExitError", "ServiceException"}
    unexpected = {outcome: count for outcome, count in load.outcomes.items() if outcome not in expected}
    assert not {outcome for outcome in unexpected if "Sandbox.Timedout" not in outcome}, load.outcomes
    # A caller loses what was running, and what was being made for the next.
    assert load.outcomes.total() - load.outcomes["answered"] <= KILLS * CALLERS * 2, load.outcomes
    # What the last kill took along may still be ending.
    eventually(lambda: all(load.outcome(number) == "answered" for number in range(5)))


def test_whoever_needs_an_environment_gets_one_while_what_they_are_copied_from_is_killed(
    server: Lambent,
) -> None:
    name = server.python(SOURCE, Timeout=5)
    server.call(name, "warm")
    eventually(lambda: zygotes(server.server.pid))
    killed = 0
    with Load(server, name) as load:
        for _ in range(KILLS):
            server.update_configuration(name)
            for victim in zygotes(server.server.pid):
                killed += 1
                with suppress(ProcessLookupError):
                    os.kill(victim, signal.SIGKILL)
    assert set(load.outcomes) == {"answered"}, load.outcomes
    assert killed


def test_a_server_that_is_killed_under_load_takes_everything_along(tmp_path: Path) -> None:
    lambent = Lambent.start(tmp_path / "data")
    name = lambent.python(SOURCE)
    lambent.call(name, "warm")
    stop = threading.Event()

    def invoke() -> None:
        client = lambent.client("lambda")
        while not stop.is_set():
            try:
                client.invoke(FunctionName=name, Payload=b'"x"')
            except Exception:  # the connection ends with the server
                return

    callers = [threading.Thread(target=invoke) for _ in range(CALLERS)]
    for caller in callers:
        caller.start()
    eventually(lambda: len(processes(lambent.server.pid)) >= CALLERS)
    lambent.kill()
    stop.set()
    for caller in callers:
        caller.join()
    eventually(lambda: not lambent.leftovers(), seconds=20)
    lambent.start_again()
    assert lambent.call(name, "again") == "again"
    assert lambent.stop() == 0
    assert not lambent.leftovers()
