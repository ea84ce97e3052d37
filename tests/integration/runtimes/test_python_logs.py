"""What Python handlers print and log, as log events."""

import json
import re
import time

from bootstrap_driver import Start

from lambent.runtimes.interpreters import Interpreter

STAMP = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d"


def test_log_records_in_text(every_python: Interpreter, start: Start) -> None:
    source = """
import logging
logging.getLogger().info('too quiet')
def handler(event, context):
    logging.warning('two\\nlines %s', 1)
    logging.getLogger('lib').error('x')
"""
    bootstrap = start(every_python, source)
    assert bootstrap.logs() == []
    bootstrap.invoke()
    first, second = bootstrap.logs()
    assert re.fullmatch(r"\[WARNING\]\t" + STAMP + r"\.\d{3}Z\trequest-1\ttwo\nlines 1\n", first.text)
    assert re.fullmatch(r"\[ERROR\]\t" + STAMP + r"\.\d{3}Z\trequest-1\tx\n", second.text)
    assert first.kind == second.kind == 0xA55A0003
    assert abs(first.at_us / 1e6 - time.time()) < 30


def test_log_records_in_json(python: Interpreter, start: Start) -> None:
    source = """
import logging
log = logging.getLogger('shop')
def handler(event, context):
    log.debug('too quiet')
    log.info('sold %d', 3, extra={'sku': 'a', 'odd': {1}})
    log.info({'structured': True})
    try:
        1 / 0
    except ZeroDivisionError:
        log.exception('no')
    raise ValueError('boom')
"""
    bootstrap = start(python, source, log_format="JSON", variables={"AWS_LAMBDA_LOG_LEVEL": "INFO"})
    bootstrap.invoke(tenant_id="blue")
    events = bootstrap.logs()
    sold, structured, division, unhandled = (json.loads(event.text) for event in events)
    assert re.fullmatch(STAMP + "Z", sold.pop("timestamp"))
    assert sold == {
        "level": "INFO",
        "message": "sold 3",
        "logger": "shop",
        "requestId": "request-1",
        "tenantId": "blue",
        "sku": "a",
        "odd": "{1}",
    }
    assert structured["message"] == {"structured": True}
    assert (division["errorType"], division["errorMessage"]) == ("ZeroDivisionError", "division by zero")
    assert "1 / 0" in division["stackTrace"][-1]
    assert re.search(r"app\.py:handler:\d+$", division["location"])
    assert (unhandled["level"], unhandled["errorType"], unhandled["requestId"]) == (
        "ERROR",
        "ValueError",
        "request-1",
    )
    assert [event.kind for event in events] == [0xA55A000E, 0xA55A000E, 0xA55A0016, 0xA55A0016]


def test_the_log_level(python: Interpreter, start: Start) -> None:
    source = """
import logging
def handler(event, context):
    logging.debug('d')
    logging.info('i')
    logging.critical('c')
"""
    bootstrap = start(python, source, log_level="TRACE")
    bootstrap.invoke()
    assert [hex(event.kind) for event in bootstrap.logs()] == ["0xa55a000b", "0xa55a000f", "0xa55a001b"]
    bootstrap = start(python, source, log_level="FATAL")
    bootstrap.invoke()
    assert len(bootstrap.logs()) == 1


def test_prints_and_records_keep_their_order(python: Interpreter, start: Start) -> None:
    source = """
import logging, sys
def handler(event, context):
    print('one\\ntwo', 3)
    logging.warning('between')
    sys.stderr.write('error\\n')
    sys.stdout.buffer.write(b'bytes\\n')
    print('fu', end='')
    print('ture')
    print('unfinished', end='')
"""
    bootstrap = start(python, source)
    bootstrap.invoke()
    texts = bootstrap.texts()
    assert texts[2].endswith("\tbetween\n")
    assert texts[:2] + texts[3:] == ["one\n", "two 3\n", "error\n", "bytes\n", "future\n", "unfinished"]


def test_long_lines_and_strange_text(python: Interpreter, start: Start) -> None:
    source = "def handler(event, context):\n    print('x' * event)\n    print('\\ud800 é')\n"
    bootstrap = start(python, source)
    bootstrap.invoke(50_000)
    assert bootstrap.texts() == ["x" * 50_000 + "\n", "\\ud800 é\n"]


def test_handlers_may_replace_or_close_the_streams(python: Interpreter, start: Start) -> None:
    source = """
import sys, io
def handler(event, context):
    print('before')
    sys.stdout.close()
    sys.stdout = io.StringIO()
    print('nowhere')
    return sys.stderr.fileno()
"""
    bootstrap = start(python, source)
    assert bootstrap.invoke().value == 2
    assert bootstrap.texts() == ["before\n"]


def test_the_handler_that_libraries_look_for(python: Interpreter, start: Start) -> None:
    source = """
import logging
def handler(event, context):
    root = logging.getLogger()
    root.handlers[0].setFormatter(logging.Formatter('%(aws_request_id)s %(message)s'))
    root.warning('w')
    return [type(h).__name__ for h in root.handlers] + [hasattr(root.handlers[0], 'log_sink')]
"""
    bootstrap = start(python, source)
    assert bootstrap.invoke().value == ["LambdaLoggerHandler", True]
    assert bootstrap.texts() == ["request-1 w"]


def test_threads_do_not_mix_their_events(python: Interpreter, start: Start) -> None:
    source = """
import threading
def shout(letter):
    for _ in range(20):
        print(letter * 9000)
def handler(event, context):
    threads = [threading.Thread(target=shout, args=(letter,)) for letter in 'abc']
    for thread in threads: thread.start()
    for thread in threads: thread.join()
"""
    bootstrap = start(python, source)
    bootstrap.request()
    seen: list[str] = []
    deadline = time.monotonic() + 20
    while len(b"".join([bootstrap._take("telemetry")])) < 60 * (9001 + 16) and time.monotonic() < deadline:
        time.sleep(0.005)
    bootstrap.receive()
    seen = bootstrap.texts()
    assert len(seen) == 60
    assert all(text in {letter * 9000 + "\n" for letter in "abc"} for text in seen)
