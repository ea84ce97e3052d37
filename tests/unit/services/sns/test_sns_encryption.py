from lambent.base.clock import ManualClock
from lambent.encryption.data_keys import DataKeys
from lambent.model.caller import Caller
from lambent.model.delivery import Delivery
from lambent.model.topic import Topic
from lambent.services.sns.encryption import PayloadEncryption, sealed


class Kms:
    def __init__(self) -> None:
        self.readers: list[str] = []

    def offers(self, service: str, operation: str) -> bool:
        return True

    async def __call__(self, service, operation, caller, parameters):
        if operation == "Decrypt":
            self.readers.append(caller.principal_arn)
        return {"Plaintext": b"k" * 32, "CiphertextBlob": b"wrapped"}


def delivery(**members) -> Delivery:
    return Delivery(
        queue="sns",
        account_id="123456789012",
        region="eu-west-1",
        source_arn="arn:aws:sns:eu-west-1:123456789012:t",
        target={"Arn": "a"},
        payload=b"a message",
        accepted_at=1.0,
        due_at=1.0,
        **members,
    )


async def test_what_waits_is_sealed_and_opened_for_the_owner_of_the_topic():
    kms = Kms()
    encryption = PayloadEncryption(DataKeys(kms, ManualClock(0.0)))
    topic = Topic(
        account_id="123456789012",
        region="eu-west-1",
        name="t",
        attributes={"KmsMasterKeyId": "k"},
        created_at=0,
    )
    publisher = Caller(
        account_id="1", region="eu-west-1", principal_arn="publisher", user_id="p", access_key_id="A"
    )
    key = await encryption.key(topic, publisher)
    (stored,) = sealed(key, [delivery(event=b"a message, too")])
    assert b"message" not in stored.payload and b"message" not in (stored.event or b"")
    opened = await encryption.opened(stored)
    assert (opened.payload, opened.event) == (b"a message", b"a message, too")
    assert kms.readers == ["publisher", "arn:aws:iam::123456789012:root"]


async def test_a_topic_without_a_key_of_a_customer_leaves_it_as_it_is():
    encryption = PayloadEncryption(DataKeys(Kms(), ManualClock(0.0)))
    topic = Topic(
        account_id="1",
        region="r",
        name="t",
        attributes={"KmsMasterKeyId": "alias/aws/sns"},
        created_at=0,
    )
    nobody = Caller(account_id="1", region="r", principal_arn="p", user_id="p", access_key_id="A")
    assert await encryption.key(topic, nobody) is None
    assert sealed(None, [delivery()]) == [delivery()]
    assert await encryption.opened(delivery()) == delivery()
