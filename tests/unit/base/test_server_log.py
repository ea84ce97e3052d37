import json
import logging

import pytest

from lambent.base.log import configure_log


@pytest.fixture
def root():
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield root
    root.handlers[:] = handlers
    root.setLevel(level)


def record(**settings):
    values = {"name": "lambent.x", "level": "WARNING", "msg": "%s is\nhere", "args": ("it",)} | settings
    made = logging.LogRecord(values["name"], logging.WARNING, "", 0, values["msg"], values["args"], None)
    made.created, made.msecs = 1_700_000_000.123, 123.0
    return made


def test_for_people(root):
    configure_log("warning", "text")
    (handler,) = root.handlers
    assert root.level == logging.WARNING
    assert handler.format(record()) == "2023-11-14T22:13:20.123Z WARNING lambent.x: it is\nhere"


def test_for_machines_one_object_a_line(root):
    configure_log("info", "json")
    (handler,) = root.handlers
    line = handler.format(record())
    assert "\n" not in line
    assert json.loads(line) == {
        "time": "2023-11-14T22:13:20.123Z",
        "level": "WARNING",
        "logger": "lambent.x",
        "message": "it is\nhere",
    }


def test_an_exception_goes_with_its_line(root):
    configure_log("info", "json")
    made = record()
    try:
        raise OSError("disk full")
    except OSError as error:
        made.exc_info = (type(error), error, error.__traceback__)
    assert json.loads(root.handlers[0].format(made))["exception"].endswith("OSError: disk full")


def test_configured_again_it_writes_each_line_once(root):
    configure_log("info", "text")
    configure_log("info", "json")
    assert len(root.handlers) == 1


def test_an_outage_is_told_once_a_minute_by_each_place_without_a_trace(root):
    now = [0.0]
    configure_log("info", "text", outages=(ConnectionError,), monotonic=lambda: now[0])
    (handler,) = root.handlers

    def passes(error: Exception, msg: str = "request %s failed") -> logging.LogRecord | None:
        made = record(msg=msg, args=("1",))
        made.exc_info = (type(error), error, None)
        return made if handler.filter(made) else None

    first = passes(ConnectionRefusedError("away"))
    assert first is not None
    assert "request 1 failed: away" in handler.format(first)
    assert "\n" not in handler.format(first)
    assert passes(ConnectionError("away")) is None
    assert passes(ConnectionError("away"), "another place: %s") is not None
    bug = passes(KeyError("a bug"))
    assert bug is not None
    assert bug.exc_info
    now[0] = 60.0
    assert passes(ConnectionError("away")) is not None
