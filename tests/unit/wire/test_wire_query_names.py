"""What is not decoded must hold nothing that would have been found."""

from urllib.parse import parse_qsl, quote

from hypothesis import example, given
from hypothesis import strategies as st

from lambent.wire.query_names import may_name

NAMES = frozenset({"partNumber", "versionId", "acl", "response-content-type"})
SIGNED = "X-Amz-Credential=AKIA%2F20260101%2Fus-east-1&X-Amz-SignedHeaders=host&X-Amz-Signature=ac1acl"

pieces = st.sampled_from(
    [*NAMES, "X-Amz-Date", "=", "&", "+", "%", "%61cl", ";", "x", "acl=", quote("versionId")]
)


@given(st.one_of(st.text(), st.lists(pieces).map("".join)))
@example("%61cl")
@example("a=b&acl")
@example("a&&acl=")
def test_a_name_that_is_there_is_never_missed(query: str) -> None:
    found = {name for name, _ in parse_qsl(query, keep_blank_values=True)}
    if found & NAMES:
        assert may_name(query, NAMES)


def test_a_presigned_query_has_none_of_them() -> None:
    assert not may_name(SIGNED, NAMES)
    assert may_name(f"{SIGNED}&partNumber=1", NAMES)
