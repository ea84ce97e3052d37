"""Receipt handles: what was made is read, anything else is refused."""

import base64

from hypothesis import given
from hypothesis import strategies as st

from lambent.services.sqs.receipt_handles import ReceiptHandles

HANDLES = ReceiptHandles(b"secret")
IDS = st.integers(0, 2**63 - 1)
COUNTS = st.integers(1, 2**32 - 1)


@given(IDS, IDS, COUNTS)
def test_a_handle_says_what_it_was_made_for(queue_id: int, id: int, count: int) -> None:
    assert HANDLES.read(HANDLES.make(queue_id, (id, count))) == (queue_id, (id, count))


@given(IDS, IDS, COUNTS, st.data())
def test_a_changed_handle_is_none(queue_id: int, id: int, count: int, data: st.DataObject) -> None:
    raw = bytearray(base64.b64decode(HANDLES.make(queue_id, (id, count))))
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
    assert HANDLES.read(base64.b64encode(bytes(raw)).decode()) is None


@given(IDS, IDS, COUNTS)
def test_nobody_elses_handle_is_one(queue_id: int, id: int, count: int) -> None:
    assert HANDLES.read(ReceiptHandles(b"other").make(queue_id, (id, count))) is None


@given(st.text())
def test_text_is_no_handle(text: str) -> None:
    assert HANDLES.read(text) is None
    assert HANDLES.read(base64.b64encode(text.encode("utf-8", "replace")).decode()) is None
