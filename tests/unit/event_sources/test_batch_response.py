import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.event_sources.batch_response import done, failed_items
from lambent.model.invocation import InvocationResult


@pytest.mark.parametrize(
    "answer",
    [b"", b"null", b"{}", b'""', b"[]", b'{"batchItemFailures": []}', b'{"batchItemFailures": null}'],
)
def test_answers_that_report_nothing(answer):
    assert failed_items(answer) == frozenset()


@pytest.mark.parametrize(
    "answer",
    [
        b"{",
        b'"text"',
        b"7",
        b"[1]",
        b'{"batchItemFailures": "m1"}',
        b'{"batchItemFailures": ["m1"]}',
        b'{"batchItemFailures": [{"foo": "m1"}]}',
        b'{"batchItemFailures": [{"itemIdentifier": ""}]}',
        b'{"batchItemFailures": [{"itemIdentifier": null}]}',
        b'{"batchItemFailures": [{"itemIdentifier": "m1"}, {"itemIdentifier": 1}]}',
    ],
)
def test_answers_that_cannot_be_read(answer):
    assert failed_items(answer) is None


def result(payload: bytes, **members: object) -> InvocationResult:
    return InvocationResult(payload=payload, executed_version="1", **members)  # type: ignore[arg-type]


def test_who_is_done(record_of):
    batch = [record_of("m1"), record_of("m2"), record_of("m3")]
    two = result(b'{"batchItemFailures": [{"itemIdentifier": "m2"}]}')
    assert [record.id for record in done(batch, two, reports_failures=True)] == ["m1", "m3"]
    assert done(batch, two, reports_failures=False) == batch
    assert (
        done(batch, result(b'{"batchItemFailures": [{"itemIdentifier": "m9"}]}'), reports_failures=True) == ()
    )
    assert done(batch, result(b"{}", function_error="Unhandled"), reports_failures=True) == ()
    assert done(batch, result(b"{}", function_error="Unhandled"), reports_failures=False) == ()


@given(st.binary(max_size=40))
def test_every_answer_is_read_one_way_or_the_other(answer):
    failed = failed_items(answer)
    assert failed is None or all(failed)
