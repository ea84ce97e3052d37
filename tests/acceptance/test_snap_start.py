"""SnapStart: published versions whose environments are restored from a snapshot."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from lambent_server import RUNTIMES, Lambent, eventually

ON = {"ApplyOn": "PublishedVersions"}
OFFERED = [name for name in RUNTIMES if re.fullmatch(r"python3\.1[2-9]", name)]
SOURCE = """
import os, random, time, uuid
from snapshot_restore_py import register_after_restore, register_before_snapshot

initialized, seen = str(uuid.uuid4()), []

@register_before_snapshot
def before(): seen.append("before 1")
register_before_snapshot(seen.append, "before 2")

@register_after_restore
def after(): seen.append("after 1")
register_after_restore(seen.append, "after 2")

def handler(event, context):
    if "exit" in event:
        os._exit(event["exit"])
    with open("/tmp/mine", "a") as file:
        file.write("x")
    time.sleep(event.get("sleep", 0))
    return {
        "initialized": initialized, "seen": seen, "random": random.random(),
        "tmp": open("/tmp/mine").read(), "type": os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"],
        "stream": context.log_stream_name, "variable": os.environ["AWS_LAMBDA_LOG_STREAM_NAME"],
        "key": os.environ.get("AWS_ACCESS_KEY_ID"),
        "pids": sorted(int(name) for name in os.listdir("/proc") if name.isdigit()),
        "capabilities": [line.split()[1] for line in open("/proc/self/status") if line.startswith("Cap")],
    }
"""
CREDENTIALS = """
import json, os, urllib.request, urllib.error

def get(token):
    request = urllib.request.Request(
        os.environ["AWS_CONTAINER_CREDENTIALS_FULL_URI"], headers={"Authorization": token}
    )
    try:
        return json.load(urllib.request.urlopen(request, timeout=5))
    except urllib.error.HTTPError as error:
        return error.code

def handler(event, context):
    return get(event["token"] or os.environ["AWS_CONTAINER_AUTHORIZATION_TOKEN"])
"""
THREADED = """
import threading
threading.Thread(target=threading.Event().wait, daemon=True).start()
handler = lambda event, context: None
"""


@pytest.fixture(scope="module")
def runtime() -> str:
    if not OFFERED:
        pytest.skip("no Python here that AWS offers SnapStart for")
    return OFFERED[0]


def publish(lambent: Lambent, source: str, runtime: str, **settings: Any) -> Any:
    """Function and published version, settled."""
    name = lambent.deploy({"index.py": source}, Runtime=runtime, SnapStart=ON, **settings)
    lambent.lambda_.publish_version(FunctionName=name)

    def settled() -> Any:
        found = lambent.lambda_.get_function_configuration(FunctionName=name, Qualifier="1")
        return found if found["State"] != "Pending" else None

    return name, eventually(settled)


def test_credentials_are_asked_for_when_they_are_needed(lambent: Lambent, runtime: str) -> None:
    name, _ = publish(lambent, CREDENTIALS, runtime)
    assert lambent.call(name, {"token": "wrong"}, Qualifier="1") == 403
    found = lambent.call(name, {"token": None}, Qualifier="1")
    sts = lambent.client(
        "sts",
        aws_access_key_id=found["AccessKeyId"],
        aws_secret_access_key=found["SecretAccessKey"],
        aws_session_token=found["Token"],
    )
    assert sts.get_caller_identity()["Arn"].endswith(f"/{name}")
    expires = datetime.strptime(found["Expiration"], "%Y-%m-%dT%H:%M:%S%z")
    assert expires > datetime.now(UTC) + timedelta(hours=1)


def test_environments_are_copies_of_one_that_was_initialized_once(lambent: Lambent, runtime: str) -> None:
    name, version = publish(lambent, SOURCE, runtime)
    assert version["SnapStart"] == {"ApplyOn": "PublishedVersions", "OptimizationStatus": "On"}
    with ThreadPoolExecutor(3) as callers:
        results = list(callers.map(lambda _: lambent.call(name, {"sleep": 1}, Qualifier="1"), range(3)))
    assert len({one["initialized"] for one in results}) == 1
    assert [one["seen"] for one in results] == [["before 2", "before 1", "after 1", "after 2"]] * 3
    for unique in ("random", "stream"):
        assert len({one[unique] for one in results}) == 3, unique
    for one in results:
        assert one["type"] == "snap-start"
        assert one["key"] is None
        assert one["variable"] == one["stream"]
        assert one["tmp"] == "x"  # a /tmp of its own
        assert one["pids"][0] == 1
        assert len(one["pids"]) == 2  # its own processes, and no other environment's
        assert set(one["capabilities"]) == {"0" * 16}


def test_the_log_says_that_it_was_restored(lambent: Lambent, runtime: str) -> None:
    name, _ = publish(lambent, SOURCE, runtime)
    lambent.call(name, {}, Qualifier="1")
    lambent.call(name, {}, Qualifier="1")

    def logged() -> Any:
        lines = lambent.log_lines(f"/aws/lambda/{name}")
        return lines if sum(line.startswith("REPORT") for line in lines) == 2 else None

    lines = eventually(logged)
    text = "".join(lines)
    assert text.count("INIT_START Runtime Version: ") == 1
    assert text.count("RESTORE_START Runtime Version: ") == 1
    assert re.search(r"RESTORE_REPORT Restore Duration: [0-9.]+ ms\n", text)
    first, second = (line for line in lines if line.startswith("REPORT"))
    assert re.search(r"\tRestore Duration: [0-9.]+ ms\tBilled Restore Duration: [0-9]+ ms\t", first)
    assert "Restore" not in second


def test_an_environment_that_ends_is_replaced_by_another_copy(lambent: Lambent, runtime: str) -> None:
    name, _ = publish(lambent, SOURCE, runtime)
    before = lambent.call(name, {}, Qualifier="1")
    ended = lambent.invoke(name, {"exit": 3}, Qualifier="1")
    assert b"Runtime exited with error: exit status 3" in ended.payload
    after = lambent.call(name, {}, Qualifier="1")
    assert after["initialized"] == before["initialized"]
    assert after["tmp"] == "x"


def test_a_version_whose_init_cannot_be_a_snapshot_fails(lambent: Lambent, runtime: str) -> None:
    _, version = publish(lambent, THREADED, runtime)
    assert (version["State"], version["StateReasonCode"]) == ("Failed", "FunctionError.RuntimeInitError")
    assert "Threads" in version["StateReason"]


def test_after_a_restart_the_snapshot_is_taken_again(new_server: Any, runtime: str) -> None:
    lambent = new_server()
    name, _ = publish(lambent, SOURCE, runtime)
    before = lambent.call(name, {}, Qualifier="1")
    lambent.stop()
    lambent.start_again()
    after = lambent.call(name, {}, Qualifier="1")
    assert after["type"] == "snap-start"
    assert after["initialized"] != before["initialized"]
