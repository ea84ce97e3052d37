"""Ruby handlers, their events, responses, errors and logs, as on AWS, under whatever Ruby this host has."""

import json
import os
from pathlib import Path

import pytest
from bootstrap_driver import FAILED, INIT_FAILED, RESULT, Start, unstarted

from lambent.runtimes.interpreters import Interpreter

HELLO = "def lambda_handler(event:, context:)\n  { got: event }\nend\n"
FULL = """
require 'json'
def lambda_handler(event:, context:)
  names = %w[function_name function_version invoked_function_arn memory_limit_in_mb aws_request_id log_group_name
             log_stream_name deadline_ms client_context identity tenant_id]
  found = names.to_h { |name| [name, context.public_send(name)] }
  found['left'] = context.get_remaining_time_in_millis
  found['class'] = context.class.name
  found
end
"""


def test_hello(ruby: Interpreter, start: Start) -> None:
    bootstrap = start(ruby, HELLO)
    for number in range(3):
        reply = bootstrap.invoke({"n": number, "text": "é"})
        assert (reply.kind, reply.meta, reply.value) == (RESULT, {}, {"got": {"n": number, "text": "é"}})
    for size in (0, 1, 65_536, 6 * 1024 * 1024):
        assert bootstrap.invoke("x" * size).value == {"got": "x" * size}


@pytest.mark.parametrize(
    ("handler", "source"),
    [
        ("app.ping", "def ping(event:, context:) = event"),
        ("app.Orders.create", "class Orders\n  def self.create(event:, context:) = event\nend"),
        (
            "app.Deep::Module.run",
            "module Deep; module Module; def self.run(event:, context:) = event; end; end",
        ),
        ("lib/api.run", "def run(event:, context:) = event"),
    ],
)
def test_the_forms_of_a_handler(
    ruby: Interpreter, start: Start, task: Path, handler: str, source: str
) -> None:
    file = task / f"{handler.split('.', maxsplit=1)[0]}.rb"
    file.parent.mkdir(exist_ok=True)
    file.write_text(source)
    assert start(ruby, handler=handler).invoke([1]).value == [1]


def test_the_context(ruby: Interpreter, start: Start) -> None:
    client = {"custom": {"a": "1"}}
    found = (
        start(ruby, FULL)
        .invoke(client_context=json.dumps(client), tenant_id="blue", deadline_ms=0, trace_id="Root=1")
        .value
    )
    assert found == {
        "function_name": "greeter",
        "function_version": "7",
        "invoked_function_arn": "arn:aws:lambda:eu-west-1:123456789012:function:greeter:live",
        "memory_limit_in_mb": "256",
        "aws_request_id": "request-1",
        "log_group_name": "/aws/lambda/greeter",
        "log_stream_name": "2026/11/20/[7]abc",
        "deadline_ms": 0,
        "client_context": client,
        "identity": None,
        "tenant_id": "blue",
        "left": 0,
        "class": "LambdaContext",
    }


def test_variables_gems_and_the_trace_header(ruby: Interpreter, start: Start, task: Path) -> None:
    gem = task / "gems" / "specifications"
    gem.mkdir(parents=True)
    (gem / "greeting-1.0.gemspec").write_text(
        "Gem::Specification.new { |s| s.name = 'greeting'; s.version = '1.0'; s.summary = s.author = 'x'; "
        "s.require_paths = ['lib'] }"
    )
    library = task / "gems" / "gems" / "greeting-1.0" / "lib"
    library.mkdir(parents=True)
    (library / "greeting.rb").write_text("GREETING = 'from a gem'")
    source = (
        "require 'greeting'\ndef lambda_handler(event:, context:)\n"
        "  [GREETING, ENV['MINE'], ENV['_X_AMZN_TRACE_ID'], ENV.key?('_LAMBDA_TELEMETRY_LOG_FD'), Dir.pwd]\nend\n"
    )
    variables = {"MINE": "yes", "GEM_PATH": str(task / "gems")}
    bootstrap = start(ruby, source, variables=variables)
    assert bootstrap.invoke(trace_id="Root=1-a").value == [
        "from a gem", "yes", "Root=1-a", False, os.path.realpath(task),
    ]  # fmt: skip
    assert bootstrap.invoke().value[2] is None


def test_an_error_of_the_handler_leaves_the_process_usable(ruby: Interpreter, start: Start) -> None:
    source = (
        "class Mine < StandardError; end\ndef lambda_handler(event:, context:)\n  raise Mine, 'no'\nend\n"
    )
    bootstrap = start(ruby, source)
    for _ in range(2):
        reply = bootstrap.invoke()
        assert (reply.kind, reply.meta) == (FAILED, {"error_type": "Function<UserException>"})
        trace = reply.value["stackTrace"]
        assert {name: reply.value[name] for name in ("errorMessage", "errorType")} == {
            "errorMessage": "no",
            "errorType": "Function<Mine>",
        }
        assert len(trace) == 1
        assert "lambda_function.rb:3:in " in trace[0]
    texts = bootstrap.texts()
    assert texts[0] == "Error raised from handler method"
    assert json.loads(texts[1])["errorType"] == "Function<Mine>"


@pytest.mark.parametrize(
    ("body", "error_type"),
    [
        ("nothing_here", "Function<NameError>"),
        ("nil.nothing", "Function<NoMethodError>"),
        ("exit 3", "Function<SystemExit>"),
        ("def deeper = deeper\n  deeper", "Function<SystemStackError>"),
    ],
)
def test_after_a_critical_error_the_process_ends(
    ruby: Interpreter, start: Start, body: str, error_type: str
) -> None:
    bootstrap = start(ruby, f"def lambda_handler(event:, context:)\n  {body}\nend\n")
    reply = bootstrap.invoke()
    assert (reply.kind, reply.meta) == (FAILED, {"error_type": error_type, "ends": True})
    assert reply.value["errorType"] == error_type
    assert bootstrap.wait() == 255


@pytest.mark.parametrize(
    ("handler", "source", "error_type", "message"),
    [
        ("invalid", "", "Init<ArgumentError>", "Invalid handler "),
        ("invalid.because.too.long", "", "Init<ArgumentError>", "Invalid handler "),
        ("missing.run", "", "Init<LoadError>", "cannot load such file -- missing"),
        ("app.run", "def run(", "Function<UserException>", "app.rb"),
        ("app.run", "raise 'at once'", "Function<UserException>", "at once"),
    ],
)
def test_an_init_that_fails(
    ruby: Interpreter, task: Path, handler: str, source: str, error_type: str, message: str
) -> None:
    (task / "app.rb").write_text(source)
    with unstarted(ruby, task) as bootstrap:
        reply = bootstrap.initialize(handler)
        assert (reply.kind, reply.meta["error_type"]) == (INIT_FAILED, error_type)
        assert message in reply.value["errorMessage"]
        assert reply.value["errorType"].startswith("Init<")
        assert bootstrap.texts()[0] == f"Init error when loading handler {handler}"
        assert bootstrap.wait() == 1


def test_a_method_that_is_not_there_is_found_by_the_first_invocation(ruby: Interpreter, start: Start) -> None:
    reply = start(ruby, HELLO, handler="lambda_function.nothing").invoke()
    assert reply.value["errorType"] == "Function<NoMethodError>"


def test_what_is_no_json_and_what_is_sent_as_it_is(ruby: Interpreter, start: Start) -> None:
    assert start(ruby, HELLO).invoke(payload=b"{").value["errorType"] == "Function<JSON::ParserError>"
    raw = "require 'stringio'\ndef lambda_handler(event:, context:) = StringIO.new(\"\\x00\\xff\".b)\n"
    assert start(ruby, raw).invoke().payload == b"\x00\xff"


def test_puts_loggers_and_standard_output(ruby: Interpreter, start: Start) -> None:
    source = (
        "require 'logger'\nLOG = Logger.new($stdout)\n"
        "def lambda_handler(event:, context:)\n"
        "  puts 'one', ['two', [3]]\n  LOG.info(\"first\\nsecond\")\n  $stdout.puts 'raw'\n  print 'more'\n"
        "  Logger.new('/dev/null').warn('elsewhere')\nend\n"
    )
    bootstrap = start(ruby, source)
    bootstrap.invoke()
    said, logged = bootstrap.texts()
    assert said == "one\ntwo\n3"
    assert logged.startswith("I, [")
    assert logged.endswith("]  INFO request-1 -- : first\nsecond\n")
    assert bootstrap.raw_output() == "raw\nmore"


def test_a_logger_in_json(ruby: Interpreter, start: Start, task: Path) -> None:
    """As AWS's runtimes do from Ruby 4.0 on; before, LogFormat=JSON changes nothing of what handlers write."""
    runtime = Path(__file__).parents[3] / "src/lambent/runtimes/ruby/lambent_runtime/logs"
    source = (
        f"require {str(runtime)!r}\n"
        "FORMATTER = LambentRuntime::JsonFormatter.new(LambentRuntime::Invocation.new('r-2'))\n"
        "def lambda_handler(event:, context:)\n"
        "  begin; raise ArgumentError, 'no'; rescue ArgumentError => e; failed = e; end\n"
        "  calls = [['INFO', 'mine', 'said'], ['ERROR', nil, failed]]\n"
        "  calls.map { |level, name, message| FORMATTER.call(level, Time.at(0), name, message) }\nend\n"
    )
    said, failed = (json.loads(line) for line in start(ruby, source).invoke().value)
    assert said == {
        "timestamp": "1970-01-01T00:00:00.000000Z",
        "level": "INFO",
        "message": "said",
        "requestId": "r-2",
        "logger": "mine",
    }
    assert (failed["message"], failed["errorType"], failed["errorMessage"]) == ("no", "ArgumentError", "no")
    assert failed["location"].split(":")[1].endswith("lambda_handler")


def test_a_child_that_comes_back_does_not_answer(ruby: Interpreter, start: Start) -> None:
    source = "def lambda_handler(event:, context:)\n  fork\n  Process.wait rescue nil\n  Process.pid\nend\n"
    bootstrap = start(ruby, source)
    assert bootstrap.invoke().value == bootstrap.process.pid
    assert bootstrap.invoke().value == bootstrap.process.pid
