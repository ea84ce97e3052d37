"""What is done to nodes, their disks, clocks and networks, and their database, one at a time. Each fault ends: a node
that was killed starts again, a disk that was full has room."""

import os
import random
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from cut_network import CutNetwork
from fault_layer import FaultLayer
from lambent_server import Lambent
from postgres_server import PostgresServer
from small_disk import SmallDisk

from lambent.cli.server_process import StartFailedError

Fault = Callable[[], None]
BETWEEN_NODES = " between nodes"
_DISTURBANCES: Mapping[str, Callable[[CutNetwork], None]] = {
    "cut": CutNetwork.cut,
    "silent": CutNetwork.hold,
    "silent one way": lambda network: network.hold("there"),
    "silent the other way": lambda network: network.hold("back"),
    "slow": lambda network: network.slow(0.1),
    "lossy": lambda network: network.lose(0.2),
    "half closed": CutNetwork.half_close,
}
_STARTS_MOST = 4
_CLOCK_HOURS = (-30.0, -3.0, -0.5, 0.0, 0.5, 3.0, 30.0)


@dataclass(kw_only=True)
class Faults:
    """`layers` are the disks and clocks of nodes by their names, the same one for all who share a host, `networks`
    their ways to the database, `between` the others' ways to them. `longest` is how many seconds a fault lasts at
    most."""

    nodes: Mapping[str, Lambent]
    random: random.Random
    longest: float
    layers: Mapping[str, FaultLayer]
    networks: Mapping[str, CutNetwork]
    between: Mapping[str, CutNetwork] = field(default_factory=dict)
    disk: SmallDisk | None = None
    postgres: PostgresServer | None = None

    def kinds(self) -> Mapping[str, Fault]:
        """Those that can be had here, by name."""
        found: dict[str, Fault] = {
            "kill -9 of a node": self._kill,
            "SIGSTOP of a node": self._stop,
            "kill -9 of all environments of a node": self._kill_environments,
        }
        if self.layers:
            found["the wall clock jumps"] = self._jump
        if self.layers and self.postgres is None:
            found["power cut"] = self._cut_power
            found["syncs fail"] = self._fail_syncs
            found["writes fail and are cut short"] = self._fail_writes
        if self.disk is not None:
            found["full disk"] = self._fill_disk
        if self.postgres is not None:
            found["kill -9 of the database"] = self._kill_database
            found["SIGSTOP of the database"] = self._stop_database
            found["restart of the database"] = self._restart_database
        for between, networks in (("", self.networks), (BETWEEN_NODES, self.between)):
            for how, disturb in _DISTURBANCES.items() if networks else ():
                found[f"network{between} {how}"] = partial(self._disturb, networks, disturb)
        return found

    def end(self) -> None:
        """Clocks are right again. All other faults have ended by themselves."""
        for layer in self._hosts():
            layer.set_wall_clock(0.0)

    def _node(self) -> Lambent:
        return self.random.choice(list(self.nodes.values()))

    def _wait(self) -> None:
        time.sleep(self.random.uniform(0.2, 1.0) * self.longest)

    # Processes

    def _kill(self) -> None:
        node = self._node()
        node.kill()
        time.sleep(self.random.uniform(0.0, 0.5) * self.longest)
        _start(node)

    def _stop(self) -> None:
        node = self._node()
        os.kill(node.server.pid, signal.SIGSTOP)
        self._wait()
        os.kill(node.server.pid, signal.SIGCONT)

    def _kill_environments(self) -> None:
        node = self._node()
        for state in Path("/proc").glob("[0-9]*/status"):
            try:
                fields = dict(line.split(":", 1) for line in state.read_text().splitlines() if ":" in line)
                uid = int(fields["Uid"].split()[0])
                if node.uid_first <= uid < node.uid_first + 1000:
                    os.kill(int(state.parent.name), signal.SIGKILL)
            except (OSError, KeyError):
                continue

    # Disk and clock

    def _cut_power(self) -> None:
        """Of the host that all nodes are on."""
        for node in self.nodes.values():
            node.kill()
        for layer in self._hosts():
            layer.lose_power(self.random.randrange(2**31))
        self._start_all()

    def _fail_syncs(self) -> None:
        for layer in self._hosts():
            layer.disk(fail_sync=0.3, forget=self.random.random() < 0.3)
        self._wait()
        self._mend_disks()

    def _fail_writes(self) -> None:
        for layer in self._hosts():
            layer.disk(fail_write=0.02, short_write=0.2)
        self._wait()
        self._mend_disks()

    def _fill_disk(self) -> None:
        assert self.disk is not None
        self.disk.fill()
        self._wait()
        self.disk.make_room()
        self._start_all()

    def _jump(self) -> None:
        """It stays so until the next jump, or the end."""
        layer = self.random.choice(self._hosts())
        layer.set_wall_clock(self.random.choice(_CLOCK_HOURS) * 3600)

    def _hosts(self) -> Sequence[FaultLayer]:
        return list(dict.fromkeys(self.layers.values()))

    def _mend_disks(self) -> None:
        for layer in self._hosts():
            layer.disk()
        self._start_all()

    def _start_all(self) -> None:
        """Those that have ended, as a server does whose disk forgot what was written."""
        for node in self.nodes.values():
            if node.server.process.poll() is not None:
                _start(node)

    # Database and network

    def _kill_database(self) -> None:
        self._restart(signal.SIGKILL)

    def _restart_database(self) -> None:
        self._restart(signal.SIGINT)

    def _restart(self, how: signal.Signals) -> None:
        assert self.postgres is not None
        self.postgres.stop(how)
        time.sleep(self.random.uniform(0.0, 1.0) * self.longest)
        self.postgres.start(quick=False)

    def _stop_database(self) -> None:
        assert self.postgres is not None
        self.postgres.freeze()
        self._wait()
        self.postgres.thaw()

    def _disturb(self, networks: Mapping[str, CutNetwork], how: Callable[[CutNetwork], None]) -> None:
        network = self.random.choice(list(networks.values()))
        how(network)
        self._wait()
        network.mend()


def _start(node: Lambent) -> None:
    """On a host that others use, a start may take longer than its command waits."""
    for _ in range(_STARTS_MOST - 1):
        try:
            node.start_again()
        except StartFailedError:
            continue
        return
    node.start_again()
