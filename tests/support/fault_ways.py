"""The ways through the services that a run with faults goes: for each, how numbered things are sent, and where they are
to be found afterwards.

A thing is a token, `n-WAY-NUMBER-n`, which is in all that is made of it on its way: bodies, keys, names, lines.
"""

import gzip
import hashlib
import json
import re
import time
from base64 import b64decode
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from lambent_server import REGION, Lambent

TOKEN = re.compile(r"n-([a-z0-9_]+)-(\d+)-n")
_PACKED = re.compile(r'"awslogs": *{"data": *"([^"]+)"')
GROUPS = 3
BUCKET, LOG_GROUP, FORWARDED, NAMESPACE = "graph", "/graph/kept", "/graph/forwarded", "Graph"
ARCHIVED = "events archived"
_SERVICES = ("sns.amazonaws.com", "s3.amazonaws.com", "events.amazonaws.com", "logs.amazonaws.com")
_ASSUMING = ("lambda.amazonaws.com", "scheduler.amazonaws.com", "pipes.amazonaws.com")
_SOURCE = "graph"
_SCHEDULED_SECONDS = 3.0
_PADDING_BYTES = 20_000
"""Small objects are kept elsewhere than large ones."""
_CLOCK_SECONDS_MOST = 31 * 3600.0
"""No clock is set by more."""
_QUIET = "def handler(event, context):\n    return None\n"
_FAIL = "def handler(event, context):\n    raise ValueError(len(event['Records']))\n"
_PASS_ON = f"""
import boto3
sqs = boto3.client("sqs")
def handler(event, context):
    entries = [{{"Id": str(n), "MessageBody": one["body"]}} for n, one in enumerate(event["Records"])]
    url = "https://sqs.{REGION}.amazonaws.com/" + context.invoked_function_arn.split(":")[4] + "/arrivals"
    failed = sqs.send_message_batch(QueueUrl=url, Entries=entries).get("Failed")
    if failed:
        raise RuntimeError(failed)
"""


class Clients(Protocol):
    """Of a node that answers."""

    account_id: str

    def __call__(self, service: str) -> Any: ...


Send = Callable[[Clients, Sequence[str]], Collection[str]]
"""Returns which of these tokens were acknowledged; raises where nobody knows."""
Look = Callable[[Clients], Counter[str]]
"""How often each token is there, when all is over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """`queue` is where things arrive by themselves, `look` finds those that are only stored. `check` says what is wrong
    with what was made of an acknowledged token. With `ordered` the tokens of a group (`group_of`) arrive in order and
    once, and what was not acknowledged is sent again until it is."""

    name: str
    send: Send
    at_once: int = 1
    pause: float = 0.4
    queue: str | None = "arrivals"
    look: Look | None = None
    check: Callable[[Clients, str], str | None] | None = None
    ordered: bool = False


def tokens_of(text: str) -> set[str]:
    if packed := _PACKED.search(text):
        text = gzip.decompress(b64decode(packed[1])).decode()
    return {found.group() for found in TOKEN.finditer(text)}


def group_of(token: str) -> str:
    return str(number_of(token) % GROUPS)


def number_of(token: str) -> int:
    return int(token.split("-")[2])


# Queues


def queue_url(clients: Clients, name: str) -> str:
    return f"https://sqs.{REGION}.amazonaws.com/{clients.account_id}/{name}"


def _arn(clients: Clients, service: str, rest: str) -> str:
    return f"arn:aws:{service}:{REGION}:{clients.account_id}:{rest}"


def _message(queue: str) -> Send:
    def send(clients: Clients, tokens: Sequence[str]) -> Collection[str]:
        clients("sqs").send_message(QueueUrl=queue_url(clients, queue), MessageBody=tokens[0])
        return tokens

    return send


def _messages(queue: str) -> Send:
    def send(clients: Clients, tokens: Sequence[str]) -> Collection[str]:
        entries = [{"Id": token, "MessageBody": token} | _fifo(queue, token) for token in tokens]
        answer = clients("sqs").send_message_batch(QueueUrl=queue_url(clients, queue), Entries=entries)
        return [one["Id"] for one in answer.get("Successful", ())]

    return send


def _fifo(name: str, token: str) -> dict[str, str]:
    if not name.endswith(".fifo"):
        return {}
    return {"MessageGroupId": group_of(token), "MessageDeduplicationId": token}


# Topics, buckets, buses, schedules


def _publish(topic: str) -> Send:
    def send(clients: Clients, tokens: Sequence[str]) -> Collection[str]:
        entries = [{"Id": token, "Message": token} | _fifo(topic, token) for token in tokens]
        answer = clients("sns").publish_batch(
            TopicArn=_arn(clients, "sns", topic), PublishBatchRequestEntries=entries
        )
        return [one["Id"] for one in answer.get("Successful", ())]

    return send


def _put_object(clients: Clients, tokens: Sequence[str]) -> Collection[str]:
    for token in tokens:
        clients("s3").put_object(Bucket=BUCKET, Key=_key(token), Body=_content(token))
    return tokens


def _put_parts(clients: Clients, tokens: Sequence[str]) -> Collection[str]:
    s3 = clients("s3")
    for token in tokens:
        named = {"Bucket": BUCKET, "Key": _key(token)}
        named["UploadId"] = s3.create_multipart_upload(**named)["UploadId"]
        etag = s3.upload_part(**named, PartNumber=1, Body=_content(token))["ETag"]
        parts = {"Parts": [{"PartNumber": 1, "ETag": etag}]}
        s3.complete_multipart_upload(**named, MultipartUpload=parts)
    return tokens


def _overwrite(clients: Clients, tokens: Sequence[str]) -> Collection[str]:
    """A few objects, again and again: the one before goes when the next is there."""
    for token in tokens:
        padding = " " * (number_of(token) % 4 * _PADDING_BYTES)
        clients("s3").put_object(Bucket=BUCKET, Key=_shared_key(token), Body=f"{token}{padding}".encode())
    return tokens


def _find_overwritten(clients: Clients) -> Counter[str]:
    """What is readable, and all that was there before it."""
    found: Counter[str] = Counter()
    for group in range(GROUPS):
        body = clients("s3").get_object(Bucket=BUCKET, Key=f"s3_again/{group}")["Body"].read().decode()
        _, way, newest, _ = body.rstrip().split("-")
        found.update(f"n-{way}-{number}-n" for number in range(group, int(newest) + 1, GROUPS))
    return found


def _shared_key(token: str) -> str:
    return f"s3_again/{group_of(token)}"


def _key(token: str) -> str:
    """Notifications are configured by what is before the slash."""
    return f"{token.split('-')[1]}/{token}"


def _content(token: str) -> bytes:
    return hashlib.shake_128(token.encode()).digest(100 + number_of(token) % 7 * 15_000)


def _read_object(clients: Clients, token: str) -> str | None:
    body = clients("s3").get_object(Bucket=BUCKET, Key=_key(token))["Body"].read()
    return None if body == _content(token) else f"{token} has {len(body)} bytes that are not its own"


def _put_events(kind: str) -> Send:
    def send(clients: Clients, tokens: Sequence[str]) -> Collection[str]:
        entries = [
            {"Source": _SOURCE, "DetailType": kind, "Detail": json.dumps({"token": token})}
            for token in tokens
        ]
        answer = clients("events").put_events(Entries=entries)["Entries"]
        return [token for token, one in zip(tokens, answer, strict=True) if "EventId" in one]

    return send


def _schedule(clients: Clients, tokens: Sequence[str]) -> Collection[str]:
    for token in tokens:
        time = datetime.now(UTC) + timedelta(seconds=_SCHEDULED_SECONDS)
        clients("scheduler").create_schedule(
            Name=token,
            ScheduleExpression=f"at({time:%Y-%m-%dT%H:%M:%S})",
            FlexibleTimeWindow={"Mode": "OFF"},
            ActionAfterCompletion="DELETE",
            Target={
                "Arn": _arn(clients, "sqs", "arrivals"),
                "RoleArn": f"arn:aws:iam::{clients.account_id}:role/graph",
                "Input": token,
            },
        )
    return tokens


def replay_archive(clients: Clients) -> None:
    """All that was archived goes to the rule that takes only replays."""
    now = datetime.now(UTC)
    clients("events").start_replay(
        ReplayName="all",
        EventSourceArn=_arn(clients, "events", "archive/graph"),
        EventStartTime=now - timedelta(days=3),
        EventEndTime=now + timedelta(days=3),
        Destination={"Arn": _arn(clients, "events", "event-bus/default")},
    )


# What is only stored


def _put_metrics(clients: Clients, tokens: Sequence[str]) -> Collection[str]:
    data = [
        {"MetricName": "puts", "Value": 1.0, "Dimensions": [{"Name": "token", "Value": token}]}
        for token in tokens
    ]
    clients("cloudwatch").put_metric_data(Namespace=NAMESPACE, MetricData=data)
    return tokens


def _find_metrics(clients: Clients) -> Counter[str]:
    """Sums of metrics: an acknowledged value is counted once."""
    pages = clients("cloudwatch").get_paginator("list_metrics").paginate(Namespace=NAMESPACE)
    names = [one["Dimensions"][0]["Value"] for page in pages for one in page["Metrics"]]
    found: Counter[str] = Counter()
    now = datetime.now(UTC)
    for first in range(0, len(names), 500):
        queries = [
            {
                "Id": f"q{n}",
                "MetricStat": {
                    "Metric": {
                        "Namespace": NAMESPACE,
                        "MetricName": "puts",
                        "Dimensions": [{"Name": "token", "Value": name}],
                    },
                    "Period": 3600,
                    "Stat": "Sum",
                },
            }
            for n, name in enumerate(names[first : first + 500])
        ]
        pages = (
            clients("cloudwatch")
            .get_paginator("get_metric_data")
            .paginate(
                MetricDataQueries=queries, StartTime=now - timedelta(days=3), EndTime=now + timedelta(days=3)
            )
        )
        for page in pages:
            for one in page["MetricDataResults"]:
                found[names[first + int(one["Id"][1:])]] += round(sum(one["Values"]))
    return found


def _put_lines(group: str) -> Send:
    def send(clients: Clients, tokens: Sequence[str]) -> Collection[str]:
        return _put(clients, group, tokens)

    return send


def _put(clients: Clients, group: str, tokens: Sequence[str]) -> Collection[str]:
    # Not in the future of a node whose clock was set back.
    at = round((time.time() - _CLOCK_SECONDS_MOST) * 1000)
    events = [{"timestamp": at, "message": token} for token in tokens]
    answer = clients("logs").put_log_events(logGroupName=group, logStreamName="lines", logEvents=events)
    return () if answer.get("rejectedLogEventsInfo") else tokens


def _find_lines(clients: Clients) -> Counter[str]:
    pages = clients("logs").get_paginator("filter_log_events").paginate(logGroupName=LOG_GROUP)
    return Counter(event["message"] for page in pages for event in page["events"])


def _create_key(clients: Clients, tokens: Sequence[str]) -> Collection[str]:
    for token in tokens:
        clients("kms").create_key(Description=token)
    return tokens


def _find_keys(clients: Clients) -> Counter[str]:
    """Keys that work."""
    kms, found = clients("kms"), Counter[str]()
    for page in kms.get_paginator("list_keys").paginate():
        for key in page["Keys"]:
            described = kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]
            if described["KeyManager"] == "CUSTOMER":
                sealed = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x")["CiphertextBlob"]
                found[described["Description"]] += kms.decrypt(CiphertextBlob=sealed)["Plaintext"] == b"x"
    return found


def _create_user(clients: Clients, tokens: Sequence[str]) -> Collection[str]:
    for token in tokens:
        clients("iam").create_user(UserName=token)
    return tokens


def _find_users(clients: Clients) -> Counter[str]:
    pages = clients("iam").get_paginator("list_users").paginate()
    return Counter(user["UserName"] for page in pages for user in page["Users"])


WAYS: Sequence[Way] = (
    Way(name="sqs", send=_message("standard"), queue="standard", pause=0.2),
    Way(name="sqs_batch", send=_messages("standard"), queue="standard", at_once=5),
    Way(name="sqs_fifo", send=_messages("ordered.fifo"), queue="ordered.fifo", at_once=GROUPS, ordered=True),
    Way(
        name="sns_fifo",
        send=_publish("graph.fifo"),
        queue="published.fifo",
        at_once=GROUPS,
        ordered=True,
    ),
    Way(name="sns_sqs", send=_publish("graph_sqs"), at_once=2),
    Way(name="sns_lambda", send=_publish("graph_lambda")),
    Way(name="sns_http", send=_publish("graph_http"), queue=None, at_once=2),
    Way(name="s3_sqs", send=_put_object, check=_read_object),
    Way(name="s3_lambda", send=_put_object, check=_read_object),
    Way(name="s3_parts", send=_put_parts, check=_read_object, pause=0.8),
    Way(name="s3_again", send=_overwrite, queue=None, look=_find_overwritten, at_once=GROUPS),
    Way(name="s3_events", send=_put_object, check=_read_object),
    Way(name="events_sqs", send=_put_events("events_sqs"), at_once=3),
    Way(name="events_lambda", send=_put_events("events_lambda")),
    Way(name="events_archive", send=_put_events(ARCHIVED), at_once=3),
    Way(name="scheduler", send=_schedule, pause=0.8),
    Way(name="sqs_lambda", send=_messages("mapped"), at_once=3),
    Way(name="sqs_dead", send=_messages("failing"), at_once=2, pause=0.8),
    Way(name="sqs_pipe", send=_messages("piped"), at_once=2),
    Way(name="metrics", send=_put_metrics, queue=None, look=_find_metrics, at_once=2),
    Way(name="lines_lambda", send=_put_lines(FORWARDED), at_once=2),
    Way(name="lines", send=_put_lines(LOG_GROUP), queue=None, look=_find_lines, at_once=5),
    Way(name="kms", send=_create_key, queue=None, look=_find_keys, pause=2.0),
    Way(name="iam", send=_create_user, queue=None, look=_find_users, pause=1.0),
)


# What they need


def deploy(node: Lambent, endpoint: str) -> None:
    """`endpoint` is that of the subscriber."""
    account = node.account_id
    queues = {
        name: _create_queue(node, name)
        for name in ("arrivals", "standard", "mapped", "failing", "piped", "ordered.fifo", "published.fifo")
    }
    statement = {"Effect": "Allow", "Principal": {"Service": list(_ASSUMING)}, "Action": "sts:AssumeRole"}
    role = node.make_role("graph", {"Version": "2012-10-17", "Statement": [statement]})
    may = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}]}
    node.iam.put_role_policy(RoleName="graph", PolicyName="p", PolicyDocument=json.dumps(may))
    node.python(_QUIET, FunctionName="quiet", Role=role)
    node.python(_PASS_ON, FunctionName="pass_on", Role=role)
    to = {"Destination": queues["arrivals"]}
    node.lambda_.put_function_event_invoke_config(
        FunctionName="quiet", DestinationConfig={"OnSuccess": to, "OnFailure": to}
    )
    for service in _SERVICES:
        node.lambda_.add_permission(
            FunctionName="quiet",
            StatementId=service.split(".")[0],
            Action="lambda:InvokeFunction",
            Principal=service,
        )
    node.python(_FAIL, FunctionName="fail", Role=role)
    for queue, function in (("mapped", "pass_on"), ("failing", "fail")):
        node.lambda_.create_event_source_mapping(EventSourceArn=queues[queue], FunctionName=function)
    redrive = json.dumps({"deadLetterTargetArn": queues["arrivals"], "maxReceiveCount": 2})
    sqs = node.client("sqs")
    url = sqs.get_queue_url(QueueName="failing")["QueueUrl"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": redrive})
    node.client("pipes").create_pipe(
        Name="graph", Source=queues["piped"], Target=queues["arrivals"], RoleArn=role
    )
    quiet = f"arn:aws:lambda:{REGION}:{account}:function:quiet"
    _deploy_topics(node, queues, quiet, endpoint)
    _deploy_bucket(node, queues["arrivals"], quiet)
    _deploy_rules(node, queues["arrivals"], quiet)
    for group in (LOG_GROUP, FORWARDED):
        node.logs.create_log_group(logGroupName=group)
        node.logs.create_log_stream(logGroupName=group, logStreamName="lines")
    node.logs.put_subscription_filter(
        logGroupName=FORWARDED, filterName="all", filterPattern="", destinationArn=quiet
    )


def _create_queue(node: Lambent, name: str) -> str:
    arn = f"arn:aws:sqs:{REGION}:{node.account_id}:{name}"
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": list(_SERVICES)},
        "Action": "sqs:SendMessage",
        "Resource": arn,
    }
    attributes = {
        "VisibilityTimeout": "10",
        "Policy": json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
    }
    if name.endswith(".fifo"):
        attributes["FifoQueue"] = "true"
    node.client("sqs").create_queue(QueueName=name, Attributes=attributes)
    return arn


def _deploy_topics(node: Lambent, queues: Mapping[str, str], function: str, endpoint: str) -> None:
    sns = node.client("sns")
    often = {"minDelayTarget": 1, "maxDelayTarget": 2, "numRetries": 100}
    raw = {"RawMessageDelivery": "true"}
    for topic, protocol, to, attributes in (
        ("graph_sqs", "sqs", queues["arrivals"], raw),
        ("graph_lambda", "lambda", function, {}),
        ("graph_http", "http", endpoint, {"DeliveryPolicy": json.dumps({"healthyRetryPolicy": often})}),
        ("graph.fifo", "sqs", queues["published.fifo"], raw),
    ):
        fifo = {"FifoTopic": "true"} if topic.endswith(".fifo") else {}
        arn = sns.create_topic(Name=topic, Attributes=fifo)["TopicArn"]
        sns.subscribe(TopicArn=arn, Protocol=protocol, Endpoint=to, Attributes=attributes)


def _deploy_bucket(node: Lambent, queue: str, function: str) -> None:
    s3 = node.client("s3")
    s3.create_bucket(Bucket=BUCKET)

    def told(of: str) -> dict[str, Any]:
        rules = [{"Name": "prefix", "Value": f"{of}/"}]
        return {"Id": of, "Events": ["s3:ObjectCreated:*"], "Filter": {"Key": {"FilterRules": rules}}}

    s3.put_bucket_notification_configuration(
        Bucket=BUCKET,
        NotificationConfiguration={
            "QueueConfigurations": [
                {"QueueArn": queue} | told("s3_sqs"),
                {"QueueArn": queue} | told("s3_parts"),
            ],
            "LambdaFunctionConfigurations": [{"LambdaFunctionArn": function} | told("s3_lambda")],
            "EventBridgeConfiguration": {},
        },
    )


def _deploy_rules(node: Lambent, queue: str, function: str) -> None:
    events = node.client("events")
    bus = f"arn:aws:events:{REGION}:{node.account_id}:event-bus/default"
    archived = {"source": [_SOURCE], "detail-type": [ARCHIVED]}
    for rule, pattern, to in (
        ("sqs", {"source": [_SOURCE], "detail-type": ["events_sqs"]}, queue),
        ("lambda", {"source": [_SOURCE], "detail-type": ["events_lambda"]}, function),
        ("s3", {"source": ["aws.s3"], "detail": {"object": {"key": [{"prefix": "s3_events/"}]}}}, queue),
        ("replayed", archived | {"replay-name": [{"exists": True}]}, queue),
    ):
        events.put_rule(Name=rule, EventPattern=json.dumps(pattern))
        events.put_targets(Rule=rule, Targets=[{"Id": "it", "Arn": to}])
    events.create_archive(ArchiveName="graph", EventSourceArn=bus, EventPattern=json.dumps(archived))
