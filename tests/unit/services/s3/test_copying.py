"""What x-amz-copy-source says, however its client encodes it."""

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.services.s3.copying import read_source
from lambent.services.s3.errors import InvalidArgument

KEYS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=40)


@given(key=KEYS, slash=st.sampled_from(["", "/"]), safe=st.sampled_from(["", "/", "/~!*'()"]))
def test_any_key_is_read_as_it_was_written(key, slash, safe):
    assert read_source(quote(f"{slash}shelf/{key}", safe=safe)) == ("shelf", key, None)


@given(key=KEYS)
def test_a_version_is_named_behind_what_is_encoded(key):
    written = f"shelf/{quote(key)}?versionId=3%2FL4"
    assert read_source(written) == ("shelf", key, "3/L4")


@pytest.mark.parametrize(
    "text", ["/", "//", "", "shelf/", "//k", "shelf/%00", "shelf/%C3", "shelf/a%ED%A0%80"]
)
def test_what_names_no_key_is_refused(text):
    with pytest.raises(InvalidArgument, match="Invalid copy source object key"):
        read_source(text)


def test_a_bucket_alone_is_no_source():
    with pytest.raises(InvalidArgument, match="must mention the source bucket and key"):
        read_source("shelf")
