"""The short form of `./dev faults --graph`: numbered things through all services while a node loses its power, cannot
sync, and its clock jumps. What was acknowledged arrives, is stored, and is in order."""

from pathlib import Path

import pytest
from fault_layer import compiler
from fault_run import FaultRun
from fault_ways import WAYS

KINDS = ("power cut", "syncs fail", "the wall clock jumps")


def test_what_any_service_acknowledged_survives(tmp_path: Path) -> None:
    if compiler() is None:
        pytest.skip("there is no C compiler here")
    running = FaultRun(
        tmp_path,
        events=0,
        seed=6,
        nodes=1,
        ways=WAYS,
        kinds=KINDS,
        pause=0.5,
        longest=1.0,
        seconds=0.0,
    )
    try:
        ways = running.run().ways
    finally:
        running.close()
    found = {name: way.as_document() for name, way in ways.items()}
    assert not [name for name, way in ways.items() if way.bad], found
    # A way that nothing was sent on says nothing.
    assert [name for name, way in ways.items() if not way.acknowledged] == [], found
