import pytest

from lambent.services.s3.errors import BadRequest, InvalidArgument, InvalidTag
from lambent.services.s3.tags import parse_tag_header, parse_tag_set


def test_a_header_of_tags():
    assert parse_tag_header("a=1&b%20c=d%3De&f") == {"a": "1", "b c": "d=e", "f": ""}
    assert parse_tag_header(None) == {}


@pytest.mark.parametrize("header", ["key1=val1&key1=val2", "key1=val1,key2=val2"])
def test_a_header_that_is_none(header):
    with pytest.raises(InvalidArgument, match="shall be encoded as UTF-8") as refused:
        parse_tag_header(header)
    assert refused.value.members == {"ArgumentName": "x-amz-tagging", "ArgumentValue": header}


@pytest.mark.parametrize(
    ("tags", "of_bucket", "message"),
    [
        ([("Key1", "a"), ("Key1", "b")], True, "Cannot provide multiple Tags with the same key"),
        ([("Key1,Key2", "a")], True, "The TagKey you have provided is invalid"),
        ([("Key1", "Val1,Val2")], True, "The TagValue you have provided is invalid"),
        ([("aws:prefixed", "a")], True, "System tags cannot be added/updated by requester"),
        ([("aws:prefixed", "a")], False, "Your TagKey cannot be prefixed with aws:"),
        ([("k" * 129, "a")], False, "The TagKey you have provided is invalid"),
        ([("k", "v" * 257)], False, "The TagValue you have provided is invalid"),
    ],
)
def test_tags_that_are_refused(tags, of_bucket, message):
    members = [{"Key": key, "Value": value} for key, value in tags]
    with pytest.raises(InvalidTag) as refused:
        parse_tag_set(members, of_bucket=of_bucket)
    assert refused.value.message == message


def test_an_object_has_ten_tags_and_a_bucket_fifty():
    members = [{"Key": f"k{number}", "Value": ""} for number in range(11)]
    assert len(parse_tag_set(members, of_bucket=True)) == 11
    with pytest.raises(BadRequest, match="Object tags cannot be greater than 10"):
        parse_tag_set(members)
