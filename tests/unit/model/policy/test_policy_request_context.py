import pytest

from lambent.model.caller import service_caller
from lambent.model.policy import PartialKeys, UnreadKeyError, request_context

CALLER = service_caller("sns.amazonaws.com", account_id="111122223333", region="us-east-1", source_arn=None)


def context_of(own):
    return request_context(CALLER, "arn:aws:s3:::shelf/k", 0.0, own=own)


def test_keys_that_were_not_read_are_asked_for_and_others_are_just_not_there():
    context = context_of(PartialKeys({"s3:prefix": "in/"}, "s3:ExistingObjectTag/"))
    assert context.get("s3:prefix") == ("in/",)
    assert context.get("s3:delimiter") is None
    assert context.get("aws:requestedregion") == ("us-east-1",)
    with pytest.raises(UnreadKeyError):
        context.get("s3:existingobjecttag/visible")


def test_keys_that_were_read_are_there():
    context = context_of({"s3:ExistingObjectTag/Visible": "yes"})
    assert context.get("s3:existingobjecttag/visible") == ("yes",)
    assert context.get("s3:existingobjecttag/other") is None
