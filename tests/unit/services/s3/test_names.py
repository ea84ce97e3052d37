import pytest

from lambent.services.s3.errors import InvalidBucketName, InvalidURI, KeyTooLongError
from lambent.services.s3.names import check_bucket_name, check_key, with_readable_keys


@pytest.mark.parametrize("name", ["abc", "my.bucket-1", "0" * 63])
def test_good_names(name):
    check_bucket_name(name)


@pytest.mark.parametrize(
    "name",
    ["ab", "a" * 64, "Upper", "under_score", "-a-", "a..b", "192.168.5.4", "xn--abc", "a-s3alias", "a--x-s3"],
)
def test_bad_names(name):
    with pytest.raises(InvalidBucketName) as refused:
        check_bucket_name(name)
    assert refused.value.members == {"BucketName": name}


def test_keys_are_measured_in_bytes():
    check_key("é" * 512)
    with pytest.raises(KeyTooLongError) as refused:
        check_key("é" * 513)
    assert refused.value.members == {"Size": 1026, "MaxSizeAllowed": 1024}


@pytest.mark.parametrize("name", ["Key", "Prefix", "StartAfter", "UploadId", "VersionIdMarker"])
async def test_keys_that_a_database_cannot_keep_are_refused(name):
    async def operation(caller, parameters):
        return parameters

    guarded = with_readable_keys({"GetObject": operation})["GetObject"]
    with pytest.raises(InvalidURI, match="Couldn't parse the specified URI"):
        await guarded(None, {"Bucket": "b", name: "a\0b"})
    assert await guarded(None, {"Bucket": "b", name: "a\1b"}) == {"Bucket": "b", name: "a\1b"}
