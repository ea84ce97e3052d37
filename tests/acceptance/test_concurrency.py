"""Reserved and provisioned concurrency, as a user meets them."""

from collections.abc import Callable

import pytest
from lambent_server import Lambent, eventually

NewServer = Callable[..., Lambent]

TELL = "import os\ndef handler(event, context): return os.environ['AWS_LAMBDA_INITIALIZATION_TYPE']\n"
SLEEP = "import time\ndef handler(event, context):\n    print('ran')\n    time.sleep(event)\n"


def test_beyond_the_reservation_invocations_are_throttled(lambent: Lambent) -> None:
    name = lambent.python(SLEEP)
    lambent.lambda_.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=1)
    client = lambent.lambda_
    client.invoke(FunctionName=name, InvocationType="Event", Payload=b"3")
    eventually(lambda: any("ran" in line for line in lambent.log_lines(f"/aws/lambda/{name}")))
    with pytest.raises(client.exceptions.TooManyRequestsException) as raised:
        client.invoke(FunctionName=name, Payload=b"0")
    response = raised.value.response
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 429
    assert response["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"
    assert response["Error"]["Message"] == "Rate Exceeded."
    client.delete_function_concurrency(FunctionName=name)
    lambent.call(name, 0)


def test_of_a_function_with_a_reservation_of_nothing_nothing_runs(lambent: Lambent) -> None:
    name = lambent.python(TELL)
    lambent.lambda_.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    with pytest.raises(lambent.lambda_.exceptions.TooManyRequestsException, match="Rate Exceeded"):
        lambent.lambda_.invoke(FunctionName=name)


def provision(lambent: Lambent, name: str, qualifier: str, executions: int) -> None:
    put = lambent.lambda_.put_provisioned_concurrency_config(
        FunctionName=name, Qualifier=qualifier, ProvisionedConcurrentExecutions=executions
    )
    assert put["ResponseMetadata"]["HTTPStatusCode"] == 202
    assert put["Status"] == "IN_PROGRESS"


def status(lambent: Lambent, name: str, qualifier: str) -> dict[str, object]:
    return dict(lambent.lambda_.get_provisioned_concurrency_config(FunctionName=name, Qualifier=qualifier))


def test_provisioned_environments_survive_updates_of_the_alias_and_a_crash(new_server: NewServer) -> None:
    lambent = new_server()
    name = lambent.python(TELL)
    lambent.lambda_.publish_version(FunctionName=name)
    lambent.wait_active(name, "1")
    lambent.lambda_.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    provision(lambent, name, "live", 2)
    eventually(lambda: status(lambent, name, "live")["Status"] == "READY")
    assert status(lambent, name, "live")["AllocatedProvisionedConcurrentExecutions"] == 2
    assert lambent.call(f"{name}:live") == "provisioned-concurrency"
    assert lambent.call(name) == "on-demand"

    lambent.lambda_.update_function_configuration(FunctionName=name, Timeout=4)
    lambent.wait_active(name)
    lambent.lambda_.publish_version(FunctionName=name)
    lambent.wait_active(name, "2")
    lambent.lambda_.update_alias(FunctionName=name, Name="live", FunctionVersion="2")
    eventually(lambda: status(lambent, name, "live")["Status"] == "READY")
    assert lambent.call(f"{name}:2") == "provisioned-concurrency"
    assert lambent.call(f"{name}:1") == "on-demand"

    lambent.kill()
    lambent.start_again()
    eventually(lambda: status(lambent, name, "live")["Status"] == "READY")
    assert lambent.call(f"{name}:live") == "provisioned-concurrency"


def test_an_init_that_fails_is_the_reason_of_the_status(lambent: Lambent) -> None:
    name = lambent.python("raise ValueError('no')\n")
    lambent.lambda_.publish_version(FunctionName=name)
    lambent.wait_active(name, "1")
    provision(lambent, name, "1", 1)
    eventually(lambda: status(lambent, name, "1")["Status"] == "FAILED")
    assert status(lambent, name, "1")["StatusReason"] == "FUNCTION_ERROR_INIT_FAILURE"
    lambent.lambda_.delete_provisioned_concurrency_config(FunctionName=name, Qualifier="1")
