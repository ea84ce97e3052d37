import pytest
from cryptography.exceptions import InvalidTag

from lambent.base.clock import ManualClock
from lambent.encryption.data_keys import DataKeys
from lambent.encryption.sealed import seal, unseal
from lambent.model.caller import Caller
from lambent.model.error import AccessDeniedException

CONTEXT = {"aws:sqs:arn": "arn:aws:sqs:eu-west-1:1:q"}


def caller(name: str) -> Caller:
    return Caller(account_id="1", region="eu-west-1", principal_arn=name, user_id=name, access_key_id="A")


class Kms:
    """lambent.model.service.Client, of KMS alone: the ciphertext of a key says whose it is."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str]] = []
        self.barred: set[str] = set()

    def offers(self, service: str, operation: str) -> bool:
        return service == "kms"

    async def __call__(self, service, operation, caller, parameters):
        self.calls.append((operation, caller.principal_arn))
        assert parameters["EncryptionContext"] == CONTEXT
        if caller.principal_arn in self.barred:
            raise AccessDeniedException("no")
        if operation == "GenerateDataKey":
            number = len(self.calls)
            return {"Plaintext": bytes([number]) * 32, "CiphertextBlob": b"%d" % number}
        return {"Plaintext": bytes([int(parameters["CiphertextBlob"])]) * 32}


@pytest.fixture
def kms() -> Kms:
    return Kms()


async def test_a_key_is_used_again_for_a_time_by_the_same_caller(kms):
    clock = ManualClock(0.0)
    keys = DataKeys(kms, clock)
    first = await keys.to_write(caller("a"), "k", CONTEXT, seconds=300)
    assert await keys.to_write(caller("a"), "k", CONTEXT, seconds=300) is first
    assert kms.calls == [("GenerateDataKey", "a"), ("Decrypt", "a")]
    other = await keys.to_write(caller("b"), "k", CONTEXT, seconds=300)
    assert other.plaintext != first.plaintext
    clock.advance(300)
    assert (await keys.to_write(caller("a"), "k", CONTEXT, seconds=300)).plaintext != first.plaintext


async def test_who_reads_is_asked_about_once_in_a_while(kms):
    clock = ManualClock(0.0)
    keys = DataKeys(kms, clock)
    written = await keys.to_write(caller("a"), "k", CONTEXT, seconds=60)
    read = await keys.to_read(caller("b"), written.encrypted, CONTEXT, seconds=60)
    assert read.plaintext == written.plaintext
    kms.barred.add("b")
    assert await keys.to_read(caller("b"), written.encrypted, CONTEXT, seconds=60) is read
    clock.advance(60)
    with pytest.raises(AccessDeniedException):
        await keys.to_read(caller("b"), written.encrypted, CONTEXT, seconds=60)


def test_what_is_sealed_is_opened_by_its_key_alone():
    key, text = b"k" * 32, "grüße \x00 " * 3
    assert unseal(key, seal(key, text)) == text
    assert seal(key, text) != seal(key, text)
    with pytest.raises(InvalidTag):
        unseal(b"l" * 32, seal(key, text))
