"""The server's figures as a Prometheus scrapes them and a collector of OpenTelemetry is sent them."""

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.request import urlopen

from lambent_server import Lambent, eventually

NewServer = Callable[..., Lambent]
CODE = "def handler(event, context):\n    return 1\n"


def test_prometheus_reads_what_is_counted(lambent: Lambent) -> None:
    name = lambent.python(CODE)
    for _ in range(2):
        lambent.invoke(name)

    def line() -> str | None:
        with urlopen(f"{lambent.endpoint}/metrics") as answer:
            assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
            lines = answer.read().decode().splitlines()
        start = "aws_lambda_invocations_total{"
        mine = [found for found in lines if found.startswith(start) and f'function_name="{name}"}}' in found]
        return mine[0] if mine else None

    assert str(eventually(line, seconds=30)).endswith(" 2.0")


def test_a_collector_is_sent_it(new_server: NewServer) -> None:
    received: list[tuple[str, Any]] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.append((self.path, json.loads(body)))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Collector) as collector:
        threading.Thread(target=collector.serve_forever, daemon=True).start()
        endpoint = f"http://127.0.0.1:{collector.server_address[1]}"
        new_server("--otlp-endpoint", endpoint, "--otlp-interval-seconds", "1")
        path, document = eventually(lambda: received and received[0])
        collector.shutdown()
    assert path == "/v1/metrics"
    names = {entry["name"] for entry in document["resourceMetrics"][0]["scopeMetrics"][0]["metrics"]}
    assert {"lambent_uptime_seconds", "process_resident_memory_bytes"} <= names
