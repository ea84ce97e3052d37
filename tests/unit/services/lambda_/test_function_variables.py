"""Variables under a key of the function's own, against a KMS that "encrypts" by reversing."""

import json
from base64 import b64decode
from typing import Any

import pytest

from lambent.model.error import AccessDeniedException, ServiceException
from lambent.model.lambda_errors import InvalidParameterValueException

KEY = "arn:aws:kms:us-east-1:123456789012:key/1"
OTHER_KEY = "arn:aws:kms:us-east-1:123456789012:key/2"
SECRET = {"Variables": {"PASSWORD": "hunter2"}}
CONTEXT = {"aws:lambda:FunctionArn": "arn:aws:lambda:us-east-1:123456789012:function:hello"}


class DisabledException(ServiceException):
    pass


class NotFoundException(ServiceException):
    pass


class Kms:
    """Keys that are `refused` raise."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Any]] = []
        self.refused: dict[str, ServiceException] = {}

    async def __call__(self, service: str, operation: str, caller: Any, parameters: Any) -> Any:
        assert service == "kms"
        self.asked.append((operation, parameters))
        if (error := self.refused.get(operation)) is not None:
            raise error
        if operation == "Encrypt":
            assert parameters["EncryptionContext"] == CONTEXT
            return {"CiphertextBlob": parameters["Plaintext"][::-1]}
        if operation == "Decrypt":
            assert parameters["EncryptionContext"] == CONTEXT
            return {"Plaintext": parameters["CiphertextBlob"][::-1]}
        return {}


@pytest.fixture
def kms(aws: Any) -> Kms:
    aws.others = Kms()
    aws.start()
    return aws.others  # type: ignore[no-any-return]


def stored(aws: Any) -> Any:
    (function,) = aws.functions.functions.values()
    return function.latest


async def test_they_are_stored_encrypted_and_shown_in_the_clear(aws: Any, kms: Kms) -> None:
    created = await aws.create(Environment=SECRET, KMSKeyArn=KEY)
    assert (created["Environment"], created["KMSKeyArn"]) == (SECRET, KEY)
    assert stored(aws).variables is None
    assert (
        b64decode(stored(aws).encrypted_variables)[::-1]
        == json.dumps(SECRET["Variables"], separators=(",", ":")).encode()
    )
    grant = dict(kms.asked)["CreateGrant"]
    assert (grant["GranteePrincipal"], grant["Operations"]) == (stored(aws).role, ["Decrypt"])
    assert grant["Constraints"] == {"EncryptionContextSubset": CONTEXT}
    got = await aws.call("GetFunctionConfiguration", FunctionName="hello")
    assert got["Environment"] == SECRET
    (listed,) = (await aws.call("ListFunctions"))["Functions"]
    assert listed["Environment"] == SECRET
    version = await aws.call("PublishVersion", FunctionName="hello")
    assert version["Environment"] == SECRET


async def test_whoever_may_not_use_the_key_sees_why_in_their_place(aws: Any, kms: Kms) -> None:
    await aws.create(Environment=SECRET, KMSKeyArn=KEY)
    kms.refused["Decrypt"] = AccessDeniedException("not you")
    error = (await aws.call("GetFunctionConfiguration", FunctionName="hello"))["Environment"]["Error"]
    assert error["ErrorCode"] == "AccessDeniedException"
    assert error["Message"].startswith(
        "Lambda was unable to decrypt your environment variables because the KMS access"
    )


async def test_a_key_is_changed_and_left(aws: Any, kms: Kms) -> None:
    await aws.create(Environment=SECRET, KMSKeyArn=KEY)
    changed = await aws.call("UpdateFunctionConfiguration", FunctionName="hello", KMSKeyArn=OTHER_KEY)
    assert (changed["Environment"], changed["KMSKeyArn"]) == (SECRET, OTHER_KEY)
    assert kms.asked[-2][1]["KeyId"] == OTHER_KEY
    await aws.settle()
    left = await aws.call("UpdateFunctionConfiguration", FunctionName="hello", KMSKeyArn="")
    assert left["Environment"] == SECRET and "KMSKeyArn" not in left
    assert stored(aws).variables == SECRET["Variables"]


async def test_other_updates_leave_them_alone(aws: Any, kms: Kms) -> None:
    await aws.create(Environment=SECRET, KMSKeyArn=KEY)
    before = stored(aws).encrypted_variables
    kms.asked.clear()
    await aws.call("UpdateFunctionConfiguration", FunctionName="hello", Timeout=9)
    assert stored(aws).encrypted_variables == before
    assert "Encrypt" not in dict(kms.asked)
    await aws.settle()
    await aws.call("UpdateFunctionConfiguration", FunctionName="hello", Environment={"Variables": {"A": "b"}})
    assert stored(aws).variables is None and stored(aws).encrypted_variables != before


@pytest.mark.parametrize(
    ("error", "raised", "reason"),
    [
        (NotFoundException("m"), InvalidParameterValueException, "the KMS key used does not exist"),
        (DisabledException("m"), InvalidParameterValueException, "the KMS key used is disabled"),
        (AccessDeniedException("m"), AccessDeniedException, "the KMS key is invalid for CreateGrant"),
    ],
)
async def test_a_key_that_cannot_be_used_is_refused(
    aws: Any, kms: Kms, error: ServiceException, raised: type[Exception], reason: str
) -> None:
    kms.refused["CreateGrant"] = error
    with pytest.raises(
        raised, match=f"^Lambda was unable to configure access to .* because {reason}. Please check"
    ):
        await aws.create(Environment=SECRET, KMSKeyArn=KEY)
    assert not aws.functions.functions
