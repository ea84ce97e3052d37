"""Extensions that subscribe to the Telemetry API and the Logs API, as AWS's examples in Python do."""

import json
from typing import Any

from lambent_server import PYTHON, Lambent, eventually, zip_of

AGENT = """#!/usr/bin/python3
# Prints each event it is sent, unless that is what it has printed itself.
import http.server, json, os, threading, urllib.error, urllib.request
base = f"http://{os.environ['AWS_LAMBDA_RUNTIME_API']}"

def call(method, path, data=None, **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    body = None if data is None else json.dumps(data).encode()
    request = urllib.request.Request(base + path, body, named, method=method)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.headers, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.headers, json.loads(error.read())

class Listener(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        events = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.end_headers()
        for event in events:
            if event["type"] != "extension":
                print("TOLD", json.dumps(event), flush=True)

    def log_message(self, *arguments):
        pass

server = http.server.HTTPServer(("sandbox.localdomain", 4243), Listener)
threading.Thread(target=server.serve_forever, daemon=True).start()
events = {"events": ["INVOKE", "SHUTDOWN"]}
headers, _ = call("POST", "/2020-01-01/extension/register", events, Lambda_Extension_Name=os.path.basename(__file__))
me = {"Lambda_Extension_Identifier": headers["Lambda-Extension-Identifier"]}
wanted = json.loads(os.environ["SUBSCRIPTION"])
_, answer = call("PUT", os.environ["SUBSCRIPTION_PATH"], wanted, **me)
print("ANSWER", json.dumps(answer), flush=True)
while True:
    _, event = call("GET", "/2020-01-01/extension/event/next", **me)
    if event["eventType"] == "SHUTDOWN":
        break
"""
SOURCE = """import json, logging
def handler(event, context):
    print('handling')
    logging.getLogger().error('logged')
    if event == 'raise':
        raise ValueError('no')
    return 'fine'
"""
HERE = {"protocol": "HTTP", "URI": "http://sandbox.localdomain:4243"}
QUICK = {"maxItems": 1000, "maxBytes": 262_144, "timeoutMs": 25}


def deploy(lambent: Lambent, path: str, wanted: dict[str, Any], **settings: Any) -> str:
    content = {"ZipFile": zip_of({"extensions/agent": AGENT})}
    layer = lambent.client("lambda").publish_layer_version(
        LayerName=lambent.new_name("telemetry"), Content=content
    )
    variables = {"SUBSCRIPTION": json.dumps(wanted), "SUBSCRIPTION_PATH": path}
    return lambent.deploy(
        {"app.py": SOURCE},
        Runtime=PYTHON,
        Handler="app.handler",
        Layers=[layer["LayerVersionArn"]],
        MemorySize=512,
        Environment={"Variables": variables},
        **settings,
    )


def told(lambent: Lambent, name: str, *, until: str, prefix: str = "TOLD ") -> list[dict[str, Any]]:
    """What the extension has been told, when it has been told of `until`."""

    def found() -> list[dict[str, Any]] | None:
        lines = lambent.log_lines(f"/aws/lambda/{name}")
        # In a log in JSON, too, the lines of extensions are as they print them.
        events = [json.loads(line.removeprefix(prefix)) for line in lines if line.startswith(prefix)]
        return events if any(event["type"] == until for event in events) else None

    return eventually(found) or []


def test_an_extension_is_told_of_everything_in_order(lambent: Lambent) -> None:
    wanted = {
        "schemaVersion": "2022-12-13",
        "types": ["platform", "function", "extension"],
        "destination": HERE,
    }
    name = deploy(lambent, "/2022-07-01/telemetry", wanted | {"buffering": QUICK})
    request_id = lambent.invoke(name).request_id
    events = told(lambent, name, until="platform.report")
    seen = [event["type"] for event in events if event["type"] != "function"]
    seen.remove("platform.telemetrySubscription")  # comes before or after the runtime is done
    assert seen == [
        "platform.initStart",
        "platform.initRuntimeDone",
        "platform.extension",
        "platform.initReport",
        "platform.start",
        "platform.runtimeDone",
        "platform.report",
    ]
    records = {event["type"]: event["record"] for event in events if event["type"] != "function"}
    assert records["platform.initStart"]["functionName"] == name
    assert records["platform.initStart"]["instanceMaxMemory"] == 512 << 20
    assert records["platform.initRuntimeDone"] == {
        "initializationType": "on-demand",
        "phase": "init",
        "status": "success",
    }
    assert records["platform.extension"] == {
        "name": "agent",
        "state": "Ready",
        "events": ["INVOKE", "SHUTDOWN"],
    }
    assert records["platform.start"] == {
        "requestId": request_id,
        "functionArn": f"arn:aws:lambda:us-east-1:{lambent.account_id}:function:{name}",
        "version": "$LATEST",
    }
    done, report = records["platform.runtimeDone"], records["platform.report"]
    assert (done["requestId"], done["status"], done["metrics"]["producedBytes"]) == (request_id, "success", 6)
    assert (report["requestId"], report["status"]) == (request_id, "success")
    assert set(report["metrics"]) == {
        "durationMs", "billedDurationMs", "memorySizeMB", "maxMemoryUsedMB", "initDurationMs",
    }  # fmt: skip
    assert "handling\n" in [event["record"] for event in events if event["type"] == "function"]
    lines = lambent.log_lines(f"/aws/lambda/{name}")
    assert 'ANSWER "OK"\n' in lines
    assert "TELEMETRY\tName: agent\tState: Subscribed\tTypes: [Platform, Function, Extension]\n" in lines


def test_what_was_not_delivered_when_an_environment_ends_is_delivered_then(lambent: Lambent) -> None:
    wanted = {"schemaVersion": "2025-01-29", "types": ["platform"], "destination": HERE}
    name = deploy(lambent, "/2022-07-01/telemetry", wanted | {"buffering": QUICK | {"timeoutMs": 30_000}})
    assert lambent.invoke(name, "raise").error == "Unhandled"
    lambent.client("lambda").update_function_configuration(FunctionName=name, Description="another")
    events = told(lambent, name, until="platform.report")
    failed = [
        event["record"] for event in events if event["type"] in ("platform.runtimeDone", "platform.report")
    ]
    assert [(record["status"], record["errorType"]) for record in failed] == [("error", "ValueError")] * 2


def test_with_logs_in_json_records_are_objects(lambent: Lambent) -> None:
    wanted = {"schemaVersion": "2022-12-13", "types": ["function"], "destination": HERE, "buffering": QUICK}
    name = deploy(lambent, "/2022-07-01/telemetry", wanted, LoggingConfig={"LogFormat": "JSON"})
    lambent.invoke(name)
    events = told(lambent, name, until="function")
    logged = [event["record"] for event in events if isinstance(event["record"], dict)]
    assert [(record["level"], record["message"]) for record in logged] == [("ERROR", "logged")]


def test_the_logs_api_before_it(lambent: Lambent) -> None:
    wanted = {"schemaVersion": "2020-08-15", "types": ["platform"], "destination": HERE, "buffering": QUICK}
    name = deploy(lambent, "/2020-08-15/logs", wanted)
    lambent.invoke(name)
    events = told(lambent, name, until="platform.report")
    assert [event["type"] for event in events] == [
        "platform.logsSubscription",
        "platform.extension",
        "platform.start",
        "platform.end",
        "platform.report",
    ]


def test_a_subscription_that_cannot_be(lambent: Lambent) -> None:
    wanted = {
        "schemaVersion": "2022-12-13",
        "types": ["platform"],
        "destination": {**HERE, "URI": "http://elsewhere:1"},
    }
    name = deploy(lambent, "/2022-07-01/telemetry", wanted)
    assert lambent.call(name) == "fine"
    lines = eventually(
        lambda: [line for line in lambent.log_lines(f"/aws/lambda/{name}") if line.startswith("ANSWER")]
    )
    assert json.loads(lines[0].removeprefix("ANSWER ")) == {
        "errorType": "Telemetry.AccessDenied",
        "errorMessage": "Only 'sandbox.localdomain' hostname is supported.",
    }


INTERNAL = """import http.server, json, os, threading, urllib.request
told = []

class Listener(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        told.extend(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *arguments):
        pass

def call(method, path, body, **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    url = f"http://{os.environ['AWS_LAMBDA_RUNTIME_API']}{path}"
    data = None if body is None else json.dumps(body).encode()
    return urllib.request.urlopen(urllib.request.Request(url, data, named, method=method)).headers

def ask(me):
    while True:
        call("GET", "/2020-01-01/extension/event/next", None, **me)

server = http.server.HTTPServer(("sandbox.localdomain", 4243), Listener)
threading.Thread(target=server.serve_forever, daemon=True).start()
headers = call("POST", "/2020-01-01/extension/register", {"events": ["INVOKE"]}, Lambda_Extension_Name="inside")
me = {"Lambda_Extension_Identifier": headers["Lambda-Extension-Identifier"]}
call("PUT", "/2022-07-01/telemetry", json.loads(os.environ["SUBSCRIPTION"]), **me)
threading.Thread(target=ask, args=(me,), daemon=True).start()

def handler(event, context):
    import time
    seen = time.monotonic() + 5
    while time.monotonic() < seen and not any(event["type"] == "platform.start" for event in told):
        time.sleep(0.01)
    return [event["type"] for event in told if event["type"].startswith("platform")]
"""


def test_an_extension_within_the_runtime(lambent: Lambent) -> None:
    wanted = {"schemaVersion": "2022-12-13", "types": ["platform"], "destination": HERE, "buffering": QUICK}
    variables = {"SUBSCRIPTION": json.dumps(wanted)}
    name = lambent.python(INTERNAL, MemorySize=512, Timeout=10, Environment={"Variables": variables})
    seen = lambent.call(name)
    assert set(seen) == {
        "platform.initStart",
        "platform.telemetrySubscription",
        "platform.initRuntimeDone",
        "platform.extension",
        "platform.initReport",
        "platform.start",
    }
