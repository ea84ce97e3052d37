"""Handlers that stream their response, frame by frame."""

from pathlib import Path
from typing import Any

import pytest
from bootstrap_driver import FAILED, INIT_FAILED, RESULT, Bootstrap, Start, unstarted

from lambent.runtimes.interpreters import Interpreter

CHUNK = 21


def streamed(bootstrap: Bootstrap, event: Any = None) -> tuple[str | None, bytes, Any]:
    """Content type, what was written, and the reply at the end."""
    reply = bootstrap.invoke(event)
    content_type = reply.meta.get("content_type")
    written = b""
    while reply.kind == CHUNK:
        assert len(reply.payload) <= 1 << 15
        written += reply.payload
        reply = bootstrap.receive()
        assert reply.kind != CHUNK or reply.meta == {}
    return content_type, written, reply


def handler(body: str, options: str = "") -> str:
    return f"exports.handler = awslambda.streamifyResponse(async (event, out, context) => {{ {body} }}{options});"


@pytest.mark.parametrize(
    ("body", "content_type", "written"),
    [
        ("out.end('é');", "application/octet-stream", "é".encode()),
        ("out.end();", "application/octet-stream", b""),
        ("out.setContentType('text/html'); out.write('a'); out.end(Buffer.from('b'));", "text/html", b"ab"),
        (
            "out.write({ a: 1 }); out.write(new Uint8Array([0, 255])); out.end([2]);",
            None,
            b'{"a":1}\0\xff[2]',
        ),
        ("out.end(context.awsRequestId);", None, b"request-"),
        (
            "await require('stream/promises').pipeline(require('stream').Readable.from(['x', 'y']), out);",
            None,
            b"xy",
        ),
        ("setTimeout(() => out.end('late'), 20);", None, b"late"),
        ("for (let i = 0; i < 20; i++) out.write('z'.repeat(100000)); out.end();", None, b"z" * 2_000_000),
    ],
)
def test_whatever_is_written(
    node: Interpreter, start: Start, body: str, content_type: str | None, written: bytes
) -> None:
    bootstrap = start(node, handler(body))
    for _ in range(2):
        said, got, reply = streamed(bootstrap)
        assert (reply.kind, reply.payload) == (RESULT, b"")
        assert said == (content_type or "application/octet-stream")
        assert got.startswith(written) if written == b"request-" else got == written


def test_a_prelude_stands_before_the_body_with_eight_nul_bytes(node: Interpreter, start: Start) -> None:
    source = (
        "out = awslambda.HttpResponseStream.from(out, { statusCode: 201, headers: { a: 'b' } });"
        "out.write('body'); out.end();"
    )
    content_type, written, _ = streamed(start(node, handler(source)))
    assert content_type == "application/vnd.awslambda.http-integration-response"
    assert written == b'{"statusCode":201,"headers":{"a":"b"}}' + bytes(8) + b"body"


@pytest.mark.parametrize(
    ("body", "error_type", "written"),
    [
        ("out.write('a'); throw new RangeError('x');", "RangeError", b"a"),
        ("throw new RangeError('x');", "RangeError", b""),
        ("out.write('a'); out.destroy(new RangeError('x')); await 1;", "RangeError", b"a"),
        (
            "out.write('a'); out.setContentType('b/c');",
            "Runtime.InvalidStreamingOperation",
            b"a",
        ),
    ],
)
def test_failures(node: Interpreter, start: Start, body: str, error_type: str, written: bytes) -> None:
    bootstrap = start(node, handler(f"if (event) {{ out.end('fine'); return; }} {body}"))
    _, got, reply = streamed(bootstrap)
    assert (reply.kind, reply.meta["error_type"], got) == (FAILED, error_type, written)
    assert streamed(bootstrap, 1)[1] == b"fine"


def test_a_handler_that_returns_no_promise_fails(node: Interpreter, start: Start) -> None:
    bootstrap = start(node, "exports.handler = awslambda.streamifyResponse((event, out) => { out.end(); });")
    _, _, reply = streamed(bootstrap)
    assert (reply.kind, reply.meta["error_type"]) == (FAILED, "Runtime.InvalidStreamingOperation")


@pytest.mark.parametrize(
    "source",
    [
        handler("out.end();", ", { highWaterMark: 'none' }"),
        "exports.handler = async () => {};"
        "exports.handler[Symbol.for('aws.lambda.runtime.handler.streaming')] = 'request';",
    ],
)
def test_what_streams_otherwise_is_malformed(node: Interpreter, task: Path, source: str) -> None:
    with unstarted(node, task, source) as bootstrap:
        reply = bootstrap.initialize("index.handler")
        assert (reply.kind, reply.meta["error_type"]) == (INIT_FAILED, "Runtime.MalformedStreamingHandler")


def test_a_handler_that_waits_for_drain_writes_on(node: Interpreter, start: Start) -> None:
    body = (
        "let full = 0; for (let i = 0; i < 50; i++) if (!out.write('x'.repeat(200000))) {"
        " full += 1; await new Promise((r) => out.once('drain', r)); } out.end(full > 0 ? '!' : '?');"
    )
    _, written, reply = streamed(start(node, handler(body)))
    assert reply.kind == RESULT
    assert written == b"x" * 10_000_000 + b"!"
