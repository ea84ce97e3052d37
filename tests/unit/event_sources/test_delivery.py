import pytest
from memory_source import MemorySource

from lambent.event_sources.delivery import Delivery
from lambent.event_sources.source import Record
from lambent.model.invocation import InvocationResult


@pytest.mark.parametrize(
    ("headers", "header"),
    [
        ([None, None], None),
        ([None, "Root=1", "Root=2"], "Root=1"),
        (["Root=1", "Root=2;Lineage=a:1", "Root=3;Lineage=b:1"], "Root=2;Lineage=a:1"),
    ],
)
async def test_the_trace_goes_on(mapping_of, clock, headers, header):
    seen = []

    async def invoke(invocation):
        seen.append(invocation.trace_id)
        return InvocationResult(payload=b"null", executed_version="1")

    delivery = Delivery(mapping_of(), MemorySource(clock), invoke, clock)
    batch = [
        Record(id=str(number), payload={}, text=b"{}", handle="", trace_header=each)
        for number, each in enumerate(headers)
    ]
    outcome = await delivery.deliver(batch, 30.0, lambda: None)
    assert seen == [header] and outcome.done == batch
