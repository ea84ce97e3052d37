import io
import json

import pytest
from rich.console import Console

from lambent.cli import run
from lambent.cli.status import render

FOUND = {
    "node": "a",
    "version": "0.1.0",
    "member": True,
    "environments": {"idle": 1, "busy": 0, "starting": 0},
    "uptime_seconds": 7200,
    "database": "ok",
    "schema": {"number": 26, "least": 0, "known": 27, "pending": ["0027_what_goes"]},
    "queues": {"event invocations": 12345, "deliveries of sns": 0},
    "late_seconds": {"event invocations": 90.0, "deliveries of sns": 0.2},
    "limits": {"1/us-east-1": {"a": 700, "b": 300}, "1/us-east-1/f": {"b": 5}},
    "nodes": [
        {
            "id": "a",
            "alive": True,
            "address": "10.0.0.1:9001",
            "zone": "z1",
            "roles": ["api", "worker"],
            "version": "0.1.0",
            "joined_seconds_ago": 7200.0,
            "expires_in_seconds": 6.0,
            "leases": {"run schedules": 7},
            "environments": {"idle": 1, "busy": 2, "starting": 0},
            "running": {"1/us-east-1": 2},
        },
        {
            "id": "b",
            "alive": False,
            "address": "",
            "zone": "z2",
            "roles": ["poller"],
            "version": "0.1.0",
            "joined_seconds_ago": 90.0,
            "expires_in_seconds": -3.2,
            "leases": {},
        },
    ],
}


def rendered(found, width=140):
    written = io.StringIO()
    render(found, Console(file=written, width=width))
    return " ".join(written.getvalue().split())


def test_people_see_nodes_leases_and_queues():
    text = rendered(FOUND)
    assert "* a alive api worker z1 10.0.0.1:9001 2.0 h 1 idle, 2 busy 1 0.1.0" in text
    assert "b silent for 3 s poller z2 - 1.5 min none 0" in text
    assert "run schedules a 7" in text
    assert "event invocations 12,345 1.5 min deliveries of sns 0" in text
    assert "limit a b" in text
    assert "1/us-east-1 2 of 700 0 of 300 1/us-east-1/f - 0 of 5" in text
    assert "schema 26; until every node knows them, these migrations wait: 0027_what_goes" in text


def test_in_a_narrow_terminal_no_word_is_broken():
    text = rendered(FOUND, width=60)
    assert (
        "* a alive roles api worker, zone z1, address 10.0.0.1:9001, up 2.0 h, environments 1 idle, 2 busy"
        in text
    )
    assert (
        "b silent for 3 s roles poller, zone z2, address -, up 1.5 min, environments none, leases 0" in text
    )


def test_without_a_database_it_is_said_what_still_works():
    away = {key: FOUND[key] for key in ("node", "version", "member", "environments", "uptime_seconds")}
    text = rendered({**away, "database": "connection refused [x]"})
    assert "the database is away: connection refused [x]" in text
    assert "a: environments 1 idle" in text


def test_where_no_server_runs_it_says_so(tmp_path, capsys):
    assert run(["status", "--data-dir", str(tmp_path)]) == 1
    assert "no server runs on" in capsys.readouterr().err


@pytest.mark.parametrize("flags", [[], ["--json"]])
def test_a_server_that_does_not_answer_is_one_line(tmp_path, capsys, flags):
    access = {
        "endpoint": "http://127.0.0.1:1",
        "region": "r",
        "access_key_id": "a",
        "secret_access_key": "s",
    }
    (tmp_path / "ready.json").write_text(json.dumps(access))
    assert run(["status", "--data-dir", str(tmp_path), *flags]) == 1
    assert "does not answer" in capsys.readouterr().err
