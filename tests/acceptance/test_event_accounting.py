"""The short form of `./dev faults`: nodes are killed and stopped under events, and none of these is lost."""

from pathlib import Path

from fault_run import FaultRun


def test_no_event_is_lost_by_nodes_that_are_killed_and_stopped(tmp_path: Path) -> None:
    running = FaultRun(tmp_path, events=800, seed=3, pause=0.5, least=4, longest=1.0)
    try:
        report = running.run()
    finally:
        running.close()
    assert report.lost == [], report.as_document()
    assert len(report.accepted) + len(report.unsure) == 800
    assert report.faults.total() >= 4
