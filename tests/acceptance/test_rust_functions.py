"""Functions on the real lambda_runtime of Rust, as a custom runtime."""

import pytest
from compiled_functions import rust_program
from lambent_server import Lambent


@pytest.fixture(scope="module")
def name(lambent: Lambent) -> str:
    bootstrap = rust_program("rust_function")
    return lambent.deploy({"bootstrap": bootstrap}, Runtime="provided.al2", Handler="main", MemorySize=256)


def test_it_answers(lambent: Lambent, name: str) -> None:
    for _ in range(2):
        result = lambent.invoke(name, {"a": ["é", 1]})
        assert result.value == {
            "event": {"a": ["é", 1]},
            "requestId": result.request_id,
            "arn": f"arn:aws:lambda:us-east-1:{lambent.account_id}:function:{name}",
            "name": name,
            "memoryMb": 256,
            "deadline": True,
        }


def test_errors_are_the_clients(lambent: Lambent, name: str) -> None:
    error = lambent.invoke(name, "fail").error_object
    assert error["errorMessage"] == "no such name"
    panicked = lambent.invoke(name, "panic").error_object
    assert "at the disco" in panicked["errorMessage"]
    ended = lambent.invoke(name, "exit").error_object
    assert (ended["errorType"], ended["errorMessage"].rpartition(": ")[2]) == (
        "Runtime.ExitError",
        "exit status 3",
    )
    assert lambent.invoke(name, "again").value["event"] == "again"
