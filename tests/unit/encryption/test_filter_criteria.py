from dataclasses import replace

import pytest

from lambent.base.clock import ManualClock
from lambent.encryption.filter_criteria import SealedFilterCriteria
from lambent.model.caller import Caller
from lambent.model.error import AccessDeniedException
from lambent.model.event_source_mapping import EventSourceMapping

KEY = "arn:aws:kms:eu-west-1:1:key/k"
CRITERIA = {"Filters": [{"Pattern": '{"body": ["a"]}'}]}
MAPPING = EventSourceMapping(
    account_id="1",
    region="eu-west-1",
    uuid="u1",
    function_name="f",
    kind="sqs",
    source_arn="arn:aws:sqs:eu-west-1:1:q",
    settings={"BatchSize": 10, "FilterCriteria": CRITERIA, "KMSKeyArn": KEY},
    state="Creating",
    last_modified=1.0,
    revision_id="r1",
)
CALLER = Caller(account_id="1", region="eu-west-1", principal_arn="me", user_id="me", access_key_id="A")


class Kms:
    """lambent.model.service.Client, of KMS alone: a ciphertext opens in the context that it was made in."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str, str | None]] = []
        self.barred: set[str] = set()
        self.contexts: list[dict[str, str]] = []

    def offers(self, service: str, operation: str) -> bool:
        return service == "kms"

    async def __call__(self, service, operation, caller, parameters):
        self.calls.append((operation, caller.principal_arn, caller.source_arn))
        if caller.principal_arn in self.barred:
            raise AccessDeniedException("no")
        if operation == "GenerateDataKey":
            self.contexts.append(parameters["EncryptionContext"])
            return {"Plaintext": b"k" * 32, "CiphertextBlob": b"%d" % (len(self.contexts) - 1)}
        if parameters["EncryptionContext"] != self.contexts[int(parameters["CiphertextBlob"])]:
            raise AccessDeniedException("another context")
        return {"Plaintext": b"k" * 32}


@pytest.fixture
def kms() -> Kms:
    return Kms()


@pytest.fixture
def criteria(kms) -> SealedFilterCriteria:
    return SealedFilterCriteria(kms, ManualClock(0.0))


async def test_what_is_stored_says_nothing_and_whoever_may_use_the_key_reads_it(kms, criteria):
    sealed = await criteria.seal(CALLER, MAPPING)
    assert sealed.settings == {"BatchSize": 10, "KMSKeyArn": KEY} and "body" not in str(sealed)
    assert kms.contexts == [
        {
            "aws:lambda:EventSourceArn": "arn:aws:sqs:eu-west-1:1:q",
            "aws:lambda:FunctionArn": "arn:aws:lambda:eu-west-1:1:function:f",
        }
    ]
    assert await criteria.open(CALLER, sealed) == MAPPING
    assert await criteria.open_for_lambda(sealed) == MAPPING
    assert kms.calls[-1] == ("Decrypt", "lambda.amazonaws.com", sealed.arn)


async def test_what_is_not_sealed_is_open(kms, criteria):
    assert await criteria.open(CALLER, MAPPING) is MAPPING and kms.calls == []


@pytest.mark.parametrize("barred", ["me", "lambda.amazonaws.com"])
async def test_both_the_caller_and_lambda_must_be_allowed(kms, criteria, barred):
    kms.barred = {barred}
    with pytest.raises(AccessDeniedException):
        await criteria.seal(CALLER, MAPPING)


async def test_a_key_that_says_no_later_is_asked_each_time(kms, criteria):
    sealed = await criteria.seal(CALLER, MAPPING)
    await criteria.open_for_lambda(sealed)
    kms.barred = {"lambda.amazonaws.com"}
    with pytest.raises(AccessDeniedException):
        await criteria.open_for_lambda(sealed)


async def test_criteria_of_one_function_are_nothing_to_another(criteria):
    sealed = await criteria.seal(CALLER, MAPPING)
    with pytest.raises(AccessDeniedException, match="another context"):
        await criteria.open(CALLER, replace(sealed, function_name="g"))
