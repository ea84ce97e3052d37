import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.services.s3.errors import InvalidArgument
from lambent.services.s3.version_ids import check_version_id, new_version_id


def test_ours_are_known():
    first, second = new_version_id(), new_version_id()
    assert first != second
    assert len(first) == 32
    for id in (first, second, "null", None):
        check_version_id(id)


@pytest.mark.parametrize("id", ["", "HPniJFCxqTsMuIH9KX8K8wEjNUgmABCD", "x", new_version_id()[:-1] + "%"])
def test_others_are_refused(id):
    with pytest.raises(InvalidArgument) as refused:
        check_version_id(id)
    assert refused.value.members == {"ArgumentName": "versionId", "ArgumentValue": id}


@given(st.text())
def test_no_text_breaks_it(text):
    try:
        check_version_id(text)
    except InvalidArgument:
        return
    assert text == "null"


def test_later_ones_are_greater():
    ids = [new_version_id() for _ in range(200)]
    assert [id[:9] for id in ids] == sorted(id[:9] for id in ids)
