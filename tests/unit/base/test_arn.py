import pytest

from lambent.base.arn import Arn, partition_of


@pytest.mark.parametrize(
    "text",
    [
        "arn:aws:iam::123456789012:role/a/b:c",
        "arn:aws-cn:lambda:cn-north-1:1:function:f:1",
        "arn:aws:s3:::bucket",
    ],
)
def test_an_arn_is_read_and_written_the_same(text):
    assert str(Arn.parse(text)) == text


def test_the_resource_keeps_its_colons():
    assert Arn.parse("arn:aws:lambda:eu-west-1:1:function:f:live").resource == "function:f:live"


@pytest.mark.parametrize("text", ["", "arn:aws:iam::1", "arn:aws:iam::1:", "aws:arn:iam::1:role/a", "role/a"])
def test_what_is_no_arn_is_refused(text):
    with pytest.raises(ValueError, match="not an ARN"):
        Arn.parse(text)


@pytest.mark.parametrize(
    ("region", "partition"), [("eu-west-1", "aws"), ("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")]
)
def test_the_partition_follows_from_the_region(region, partition):
    assert partition_of(region) == partition
