"""InvocationType=Event: accepted means that it runs, whatever is killed."""

import json
from collections.abc import Callable

from lambent_server import Lambent, eventually

NewServer = Callable[..., Lambent]

TELL = "def handler(event, context):\n    print('ran', event, context.aws_request_id)\n"


def test_an_event_runs_and_its_result_is_dropped(lambent: Lambent) -> None:
    name = lambent.python(TELL)
    answer = lambent.lambda_.invoke(FunctionName=name, InvocationType="Event", Payload=b"7")
    assert answer["StatusCode"] == 202
    assert answer["Payload"].read() == b""
    assert "ExecutedVersion" not in answer
    request_id = answer["ResponseMetadata"]["RequestId"]
    assert eventually(lambda: ran(lambent, name)) == [f"ran 7 {request_id}\n"]


def test_an_event_that_fails_is_tried_three_times_under_one_request_id(lambent: Lambent) -> None:
    name = lambent.python(TELL + "    raise ValueError('no')\n")
    answer = lambent.lambda_.invoke(FunctionName=name, InvocationType="Event", Payload=b'"x"')
    line = f"ran x {answer['ResponseMetadata']['RequestId']}\n"
    eventually(lambda: ran(lambent, name) == [line] * 3)
    # A fourth would come 0.6 s later: another event, sent now and tried again after that, would be behind it.
    lambent.lambda_.invoke(FunctionName=name, InvocationType="Event", Payload=b'"y"')
    eventually(lambda: sum(text.startswith("ran y") for text in ran(lambent, name)) == 3)
    assert ran(lambent, name).count(line) == 3


def test_an_event_for_a_qualifier(lambent: Lambent) -> None:
    name = lambent.python("def handler(event, context): print('ran', context.invoked_function_arn)\n")
    lambent.lambda_.publish_version(FunctionName=name)
    lambent.wait_active(name, "1")
    lambent.lambda_.invoke(FunctionName=f"{name}:1", InvocationType="Event")
    (line,) = eventually(lambda: ran(lambent, name))
    assert line.endswith(f":function:{name}:1\n")


def test_accepted_events_survive_a_kill_of_the_server(new_server: NewServer) -> None:
    lambent = new_server()
    name = lambent.python(
        "import time\ndef handler(event, context):\n    time.sleep(2)\n    print('ran', event)\n"
    )
    request_ids = {}
    for number in range(20):
        answer = lambent.lambda_.invoke(
            FunctionName=name, InvocationType="Event", Payload=json.dumps(number).encode()
        )
        assert answer["StatusCode"] == 202
        request_ids[number] = answer["ResponseMetadata"]["RequestId"]
    lambent.kill()
    lambent.start_again()
    wanted = {f"ran {number}\n" for number in range(20)}
    eventually(lambda: wanted <= set(ran(lambent, name)), seconds=30)
    starts = [line for line in lambent.log_lines(f"/aws/lambda/{name}") if line.startswith("START ")]
    assert {line.split()[2] for line in starts} == set(request_ids.values()), (
        "and under the ids that were told"
    )


def ran(lambent: Lambent, name: str) -> list[str]:
    return [line for line in lambent.log_lines(f"/aws/lambda/{name}") if line.startswith("ran ")]
