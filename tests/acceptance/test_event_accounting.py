"""The short form of `./dev faults`: each kind of fault once, and no event is lost."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from fault_layer import compiler
from fault_run import FaultRun, Report
from postgres_server import PostgresServer, new_postgres_server, programs

OF_THE_DATABASE = (
    "kill -9 of the database",
    "SIGSTOP of the database",
    "network cut",
    "network silent",
    "network half closed",
)


@pytest.fixture
def postgres() -> Iterator[PostgresServer]:
    """This one dies: no other test may have it."""
    found = programs()
    if found is None:
        pytest.skip("no PostgreSQL here: apt-get install postgresql")
    with new_postgres_server(found) as server:
        yield server


def run(
    directory: Path, postgres: PostgresServer | None = None, *, kinds: Sequence[str] = (), layer: bool
) -> Report:
    running = FaultRun(
        directory,
        events=200,
        seed=3,
        postgres=postgres,
        disk=postgres is None and os.geteuid() == 0,
        layer=layer,
        kinds=kinds,
        pause=0.3,
        longest=1.0,
    )
    try:
        return running.run()
    finally:
        running.close()


def assert_all_accounted_for(report: Report) -> None:
    found = report.as_document()
    assert report.lost == [], found
    assert report.queued == 0, found
    assert len(report.accepted) > 100, found
    assert set(report.given_up) <= {"RetriesExhausted"}, found


def test_no_event_is_lost_by_nodes_and_disks_that_fail(tmp_path: Path) -> None:
    if compiler() is None:
        pytest.skip("there is no C compiler here")
    assert_all_accounted_for(run(tmp_path, layer=True))


def test_no_event_is_lost_by_a_database_that_fails_and_is_cut_off(
    tmp_path: Path, postgres: PostgresServer
) -> None:
    assert_all_accounted_for(run(tmp_path, postgres, kinds=OF_THE_DATABASE, layer=False))
