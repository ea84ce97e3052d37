import pytest

from lambent.model.error import ServiceException
from lambent.model.stored_object import ObjectVersion, WriteCondition
from lambent.services.s3.conditions import check_copy_source, check_read, write_condition, write_refused
from lambent.store.ports.errors import StoreFullError, StoreUnavailableError

NOW = 3000.0
VERSION = ObjectVersion(bucket="b", key="k", modified_at=1000.5, etag="abc")


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({}, None),
        ({"IfMatch": '"abc"'}, None),
        ({"IfMatch": "*"}, None),
        ({"IfMatch": '"x", "abc"'}, None),
        ({"IfMatch": '"x"'}, 412),
        ({"IfNoneMatch": '"abc"'}, 304),
        ({"IfNoneMatch": 'W/"abc"'}, 304),
        ({"IfNoneMatch": '"x"'}, None),
        ({"IfModifiedSince": 999.0}, None),
        ({"IfModifiedSince": 1000.0}, 304),
        ({"IfModifiedSince": 3000.0}, 304),
        ({"IfModifiedSince": 3001.0}, None),  # nobody knows yet
        ({"IfUnmodifiedSince": 999.0}, 412),
        ({"IfUnmodifiedSince": 1000.0}, None),
        ({"IfMatch": '"abc"', "IfUnmodifiedSince": 1.0}, None),
        ({"IfNoneMatch": '"x"', "IfModifiedSince": 2000.0}, None),
    ],
)
def test_reads(given, status):
    if status is None:
        check_read(given, VERSION, NOW)
        return
    with pytest.raises(ServiceException) as refused:
        check_read(given, VERSION, NOW)
    assert refused.value.status == status
    if status == 304:
        assert refused.value.headers["ETag"] == '"abc"'


def test_a_copy_is_never_not_modified():
    with pytest.raises(ServiceException) as refused:
        check_copy_source({"CopySourceIfNoneMatch": '"abc"'}, VERSION, NOW)
    assert refused.value.status == 412
    assert refused.value.members == {"Condition": "x-amz-copy-source-If-None-Match"}


def test_writes():
    assert write_condition({}) is None
    assert write_condition({"IfNoneMatch": "*"}) == WriteCondition(absent=True)
    assert write_condition({"IfMatch": '"abc"'}) == WriteCondition(etag="abc")


@pytest.mark.parametrize(
    ("given", "header"),
    [
        ({"IfNoneMatch": '"x"'}, "If-None-Match"),
        ({"IfMatch": "*"}, "If-Match"),
        ({"IfMatch": '"x"', "IfNoneMatch": "*"}, "If-Match,If-None-Match"),
    ],
)
def test_writes_that_s3_does_not_take(given, header):
    with pytest.raises(ServiceException) as refused:
        write_condition(given)
    assert (refused.value.code, refused.value.members["Header"]) == ("NotImplemented", header)


def test_a_full_disk_is_an_error_that_clients_wait_at():
    assert write_refused(StoreFullError("no room"), "b", "k").code == "SlowDown"
    with pytest.raises(StoreUnavailableError):
        write_refused(StoreUnavailableError("nobody knows"), "b", "k")
