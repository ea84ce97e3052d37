"""EventBridge Pipes, put together: their operations, and the runners of those that run."""

from lambent.base.arn import partition_of
from lambent.event_sources.pipes.flow import Count, Flow
from lambent.event_sources.pipes.keeper import Keeper
from lambent.event_sources.queue_runner import QueueRunner
from lambent.event_sources.reconciler import Runner
from lambent.event_sources.sqs import SqsSource
from lambent.event_sources.work import PipeWork
from lambent.model.function import FunctionId
from lambent.model.pipe import Pipe, batching
from lambent.server.part import Core, Part
from lambent.services import pipes
from lambent.store.sql.named_records import SqlNamedRecords

_NAMESPACE = "AWS/EventBridge/Pipes"
_CONCURRENCY_MOST = 1000
_UNITS = {"Duration": "Milliseconds"}


def part(core: Core) -> Part:
    records = SqlNamedRecords(core.database, "pipe", Pipe, noted=True)
    keeper = Keeper(records, lambda pipe: _runner(core, pipe), core.clock)

    async def reload() -> None:
        keeper.wake()

    return Part(
        service=pipes.service(
            records,
            pass_role=core.pass_role,
            clock=core.clock,
            settle_seconds=core.settings.state_transition_seconds,
            wake=keeper.wake,
        ),
        once={"run pipes": keeper.run},
        changed={"pipe": keeper.changed},
        reload=reload,
        wakes=(keeper.wake,),
    )


def _runner(core: Core, pipe: Pipe) -> Runner:
    flow = Flow(pipe, core.client, core.roles, core.clock, _count(core, pipe))
    settings = {
        "FilterCriteria": pipe.source_parameters.get("FilterCriteria") or {},
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "ScalingConfig": {"MaximumConcurrency": _CONCURRENCY_MOST},
        **batching(pipe),
    }
    arn = pipe.arn(partition_of(pipe.region))
    work = PipeWork(
        uuid=pipe.name,
        arn=arn,
        settings=settings,
        function=FunctionId(pipe.account_id, pipe.region, pipe.name),
        function_arn=arn,
    )
    source = SqsSource(pipe.source, core.client, flow.session)
    return QueueRunner(work, source, flow, core.clock, lambda name, value: None)


def _count(core: Core, pipe: Pipe) -> Count:
    dimensions = {"PipeName": pipe.name}

    def count(name: str, value: float) -> None:
        core.metrics.put(
            pipe.account_id,
            pipe.region,
            _NAMESPACE,
            name,
            value,
            unit=_UNITS.get(name, "Count"),
            dimensions=dimensions,
        )

    return count
