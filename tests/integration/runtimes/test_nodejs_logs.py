"""What Node.js handlers write to the console, as log events."""

import json
import re
import time

from bootstrap_driver import Start

from lambent.runtimes.interpreters import Interpreter

STAMP = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"

ALL_LEVELS = """
exports.handler = async () => {
  console.trace('t'); console.debug('d'); console.log('a\\nb %d', 1, { c: 2 }); console.warn('w'); console.error('e');
  console.fatal && console.fatal('f');
};
console.log('at init');
"""


def test_text(node: Interpreter, start: Start) -> None:
    bootstrap = start(node, ALL_LEVELS)
    (init,) = bootstrap.texts()
    assert re.fullmatch(STAMP + "\tundefined\tINFO\tat init\n", init)
    bootstrap.invoke()
    events = bootstrap.logs()
    assert [event.text.split("\t", 1)[1] for event in events] == [
        "request-1\tTRACE\tt\n",
        "request-1\tDEBUG\td\n",
        "request-1\tINFO\ta\nb 1 { c: 2 }\n",
        "request-1\tWARN\tw\n",
        "request-1\tERROR\te\n",
        "request-1\tFATAL\tf\n",
    ]
    assert [event.kind & 0xFF for event in events] == [0x07, 0x0B, 0x0F, 0x13, 0x17, 0x1B]
    assert abs(events[0].at_us / 1e6 - time.time()) < 30


def test_json(node: Interpreter, start: Start) -> None:
    source = """
exports.handler = async () => {
  console.info({ sku: 'a' });
  console.info('two %s', 'parts');
  console.error('failed:', new TypeError('no'));
  console.error(new RangeError('alone'));
  const circle = {}; circle.c = circle; console.info(circle);
  throw new Error('boom');
};
"""
    bootstrap = start(node, source, log_format="JSON", variables={"AWS_LAMBDA_LOG_LEVEL": "INFO"})
    bootstrap.invoke(tenant_id="blue")
    events = bootstrap.logs()
    one, two, failed, alone, circle, unhandled = (json.loads(event.text) for event in events)
    assert re.fullmatch(STAMP, one.pop("timestamp"))
    assert one == {"level": "INFO", "requestId": "request-1", "tenantId": "blue", "message": {"sku": "a"}}
    assert two["message"] == "two parts"
    assert (failed["errorType"], failed["errorMessage"]) == ("TypeError", "no")
    assert failed["message"].startswith("failed: TypeError: no")
    assert alone["message"]["errorType"] == "RangeError" and alone["message"]["stackTrace"]
    assert "[Circular *1]" in circle["message"]
    assert unhandled["message"]["errorMessage"] == "boom"
    assert events[0].kind == 0xA55A000E


def test_the_log_level(node: Interpreter, start: Start) -> None:
    bootstrap = start(node, ALL_LEVELS, log_level="WARN")
    bootstrap.invoke()
    assert [event.text.split("\t")[2] for event in bootstrap.logs()] == ["WARN", "ERROR", "FATAL"]


def test_standard_output_is_raw(node: Interpreter, start: Start) -> None:
    bootstrap = start(node, "exports.handler = async () => { process.stdout.write('raw\\n'); };")
    bootstrap.invoke()
    assert bootstrap.raw_output() == "raw\n"
    assert bootstrap.logs() == []


def test_long_messages(node: Interpreter, start: Start) -> None:
    bootstrap = start(node, "exports.handler = async () => console.log('é'.repeat(20000));")
    bootstrap.invoke()
    (text,) = bootstrap.texts()
    assert text.endswith("\t" + "é" * 20_000 + "\n")
