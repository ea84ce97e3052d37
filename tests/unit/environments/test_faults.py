import json

import pytest

from lambent.environments import faults
from lambent.sandbox.port import Exit


@pytest.mark.parametrize(
    ("exit", "message"),
    [
        (Exit(signal=11), "Runtime exited with error: signal: segmentation fault"),
        (Exit(signal=64), "Runtime exited with error: signal: signal 64"),
        (Exit(code=129), "Runtime exited with error: exit status 129"),
        (Exit(code=0), "Runtime exited without providing a reason"),
        (Exit(), "Runtime exited without providing a reason"),
        (None, "Runtime exited without providing a reason"),
    ],
)
def test_how_a_runtime_ended_is_told_in_aws_words(exit, message):
    fault = faults.exited(exit)
    assert (fault.message, fault.error_type, fault.status) == (message, "Runtime.ExitError", "error")


def test_the_caller_is_told_with_the_request():
    assert json.loads(faults.timed_out(3).payload("r-1")) == {
        "errorType": "Sandbox.Timedout",
        "errorMessage": "RequestId: r-1 Error: Task timed out after 3.00 seconds",
    }


def test_a_bootstrap_that_is_not_there_is_an_invalid_entrypoint():
    missing = faults.never_started(Exit(code=127), has_bootstrap=False)
    assert missing.error_type == "Runtime.InvalidEntrypoint"
    assert "permission denied" in faults.never_started(Exit(code=126), has_bootstrap=True).message
    for exit in (Exit(code=127), Exit(code=1), Exit(signal=9), None):
        assert faults.never_started(exit, has_bootstrap=True) is None


def test_who_ran_out_of_memory_is_reported_so_and_told_as_killed():
    fault = faults.exited(Exit(signal=9, out_of_memory=True))
    assert (fault.error_type, fault.reported_type) == ("Runtime.ExitError", "Runtime.OutOfMemory")
    assert fault.message == "Runtime exited with error: signal: killed"
    assert faults.exited(Exit(signal=9)).reported_type is None
