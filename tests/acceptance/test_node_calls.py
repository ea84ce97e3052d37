"""A node that runs no functions before two that do: invocations that run elsewhere are as if they ran here."""

import json
import signal
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError
from cut_network import CutNetwork
from lambent_server import Lambent, Result, eventually
from two_nodes import alive, start_nodes, status, way_between

WHERE = """
import os, time
def handler(event, context):
    if event.get("fail"):
        raise ValueError(event["fail"])
    print("ran for", context.aws_request_id)
    time.sleep(event.get("seconds", 0))
    return {"version": context.function_version, "arn": context.invoked_function_arn, "tenant": context.tenant_id}
"""
STREAM = """
export const handler = awslambda.streamifyResponse(async (event, out, context) => {
  out.setContentType('text/plain');
  for (let left = event.pieces; left > 0; left -= 1) {
    if (!out.write(Buffer.alloc(100_000, 65))) await new Promise((r) => out.once('drain', r));
  }
  if (event.fail) throw new TypeError('midway');
  out.end('last');
});
"""


class Cluster:
    def __init__(self, nodes: dict[str, Lambent], ways: dict[str, CutNetwork]) -> None:
        self.nodes = nodes
        self.ways = ways
        self.callers = ThreadPoolExecutor(1)
        self.front, self.one, self.two = nodes["front"], nodes["one"], nodes["two"]

    def begin(self, name: str, event: Any) -> tuple[str, Future[Result]]:
        """The node that runs it, and what its caller gets."""
        result = self.callers.submit(self.front.invoke, name, event)
        running = eventually(lambda: [name for name in ("one", "two") if self.busy(self.nodes[name])])
        return running[0], result

    def try_invoke(self, name: str) -> Result | None:
        try:
            return self.front.invoke(name, {})
        except self.front.lambda_.exceptions.ServiceException:
            return None

    def busy(self, node: Lambent) -> bool:
        return bool(status(node)["environments"]["busy"])


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    (to_one, at_one), (to_two, at_two) = way_between(), way_between()
    nodes = start_nodes(
        tmp_path_factory.mktemp("cluster"),
        *("front", "one", "two"),
        arguments={
            "front": ("--roles", "api,poller"),
            "one": ("--roles", "api,worker", "--zone", "x", *at_one),
            "two": ("--roles", "worker", "--zone", "y", *at_two),
        },
    )
    cluster = Cluster(nodes, {"one": to_one, "two": to_two})
    yield cluster
    for node in nodes.values():
        if node.server.process.poll() is None:
            node.server.process.send_signal(signal.SIGCONT)
        node.stop()
        assert not node.leftovers()
        assert "Traceback" not in node.log, node.log[-8000:]
    cluster.callers.shutdown()
    to_one.close()
    to_two.close()


@pytest.fixture(scope="module")
def where(cluster: Cluster) -> str:
    name = cluster.front.python(WHERE, Timeout=60)
    cluster.front.lambda_.publish_version(FunctionName=name)
    cluster.front.lambda_.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    return name


def assert_worth_a_retry(result: Future[Result]) -> None:
    error = result.exception(20)
    assert isinstance(error, ClientError)
    assert error.response["Error"]["Code"] == "ServiceException"
    assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 500


def test_an_answer_from_another_node_is_an_answer(cluster: Cluster, where: str) -> None:
    answer = cluster.front.invoke(where, {})
    assert answer.value["version"] == answer.response["ExecutedVersion"] == "$LATEST"
    assert f"ran for {answer.request_id}" in answer.tail and answer.report
    answer = cluster.front.invoke(where, {}, Qualifier="live")
    assert answer.value["arn"].endswith(f":{where}:live")
    assert answer.value["version"] == answer.response["ExecutedVersion"] == "1"
    failed = cluster.front.invoke(where, {"fail": "no"})
    assert (failed.response["StatusCode"], failed.error_object["errorMessage"]) == (200, "no")
    assert status(cluster.front)["environments"] == {"idle": 0, "busy": 0, "starting": 0}


def test_a_tenants_invocation_is_its_own_there_too(cluster: Cluster) -> None:
    name = cluster.front.python(WHERE, TenancyConfig={"TenantIsolationMode": "PER_TENANT"})
    assert cluster.front.call(name, {}, TenantId="blue")["tenant"] == "blue"
    with pytest.raises(ClientError, match="Add a valid tenant ID"):
        cluster.front.call(name, {})


def test_what_was_acknowledged_here_is_what_runs_there(cluster: Cluster) -> None:
    name = cluster.front.python("def handler(event, context): return 0\n")
    for number in range(1, 4):
        assert cluster.front.call(name) == number - 1
        cluster.front.update_code(name, {"index.py": f"def handler(event, context): return {number}\n"})
    assert cluster.front.call(name) == 3


def test_a_stream_passes_through(cluster: Cluster) -> None:
    name = cluster.front.node(STREAM)

    def read(event: Any) -> tuple[bytes, Any]:
        answer = cluster.front.lambda_.invoke_with_response_stream(
            FunctionName=name, Payload=json.dumps(event)
        )
        assert answer["ExecutedVersion"] == "$LATEST"
        *pieces, last = list(answer["EventStream"])
        return b"".join(piece["PayloadChunk"]["Payload"] for piece in pieces), last["InvokeComplete"]

    payload, complete = read({"pieces": 30})
    assert payload == b"A" * 3_000_000 + b"last" and "ErrorCode" not in complete
    payload, complete = read({"pieces": 1, "fail": True})
    assert complete["ErrorCode"] == "TypeError"


def test_a_node_that_dies_in_the_middle_is_an_error_worth_a_retry(cluster: Cluster, where: str) -> None:
    victim, result = cluster.begin(where, {"seconds": 50})
    cluster.nodes[victim].kill()
    try:
        assert_worth_a_retry(result)
        # The next runs on the other at once: nobody waits until the membership has run out.
        assert cluster.front.call(where, {})["version"] == "$LATEST"
    finally:
        cluster.nodes[victim].start_again()
        eventually(lambda: len(alive(cluster.front)) == 3)


def test_a_network_that_is_cut_in_the_middle_is_an_error_worth_a_retry(cluster: Cluster, where: str) -> None:
    victim, result = cluster.begin(where, {"seconds": 1})
    (other,) = {"one", "two"} - {victim}
    cluster.ways[victim].cut()
    try:
        assert_worth_a_retry(result)
        answers = [cluster.front.invoke(where, {}) for _ in range(5)]
    finally:
        cluster.ways[victim].mend()
    # It is found again: what the other cannot run, because nobody reaches it, runs there.
    cluster.ways[other].cut()
    try:
        answers.append(eventually(lambda: cluster.try_invoke(where)))
    finally:
        cluster.ways[other].mend()
    ids = {answer.request_id for answer in answers}

    def ran() -> list[str]:
        lines = cluster.front.log_lines(f"/aws/lambda/{where}")
        return [line.split()[-1] for line in lines if line.startswith("ran for")]

    eventually(lambda: ids <= set(ran()))
    assert {Counter(ran())[id] for id in ids} == {1}
    eventually(lambda: not cluster.busy(cluster.nodes[victim]))


def test_a_reservation_is_the_whole_clusters(cluster: Cluster) -> None:
    eventually(lambda: len(alive(cluster.front)) == 3)
    name = cluster.front.python(WHERE, Timeout=30)
    cluster.front.lambda_.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=3)
    time.sleep(1)  # longer than others may answer from what they remember
    fronts = [cluster.front, cluster.one]

    def attempt(number: int) -> str:
        try:
            fronts[number % 2].invoke(name, {"seconds": 2})
        except ClientError as error:
            assert error.response["Error"]["Code"] == "TooManyRequestsException"
            return str(error.response["Reason"])
        return "ran"

    with ThreadPoolExecutor(9) as callers:
        outcomes = Counter(callers.map(attempt, range(9)))
    assert outcomes == {"ran": 3, "ReservedFunctionConcurrentInvocationLimitExceeded": 6}


def test_what_is_provisioned_is_spread_over_the_zones(cluster: Cluster) -> None:
    eventually(lambda: len(alive(cluster.front)) == 3)
    name = cluster.front.python(WHERE)
    version = cluster.front.lambda_.publish_version(FunctionName=name)["Version"]
    of_version = {"FunctionName": name, "Qualifier": version}
    before = [status(node)["environments"]["idle"] for node in (cluster.one, cluster.two)]
    cluster.front.lambda_.put_provisioned_concurrency_config(**of_version, ProvisionedConcurrentExecutions=4)

    def config() -> Any:
        return cluster.front.lambda_.get_provisioned_concurrency_config(**of_version)

    eventually(lambda: config()["Status"] == "READY", seconds=20)
    assert config()["AvailableProvisionedConcurrentExecutions"] == 4
    after = [status(node)["environments"]["idle"] for node in (cluster.one, cluster.two)]
    assert [now - then for now, then in zip(after, before, strict=True)] == [2, 2]


def test_a_node_without_api_takes_no_requests(cluster: Cluster) -> None:
    with pytest.raises(ClientError) as refused:
        cluster.two.lambda_.list_functions()
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 503
    assert "without api" in refused.value.response["Error"]["Message"] + str(refused.value)
    with urllib.request.urlopen(cluster.two.endpoint + "/_lambent/health", timeout=10) as health:
        assert health.status == 200
