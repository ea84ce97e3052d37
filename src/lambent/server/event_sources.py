"""The runners of event source mappings, put together: which kind reads which source, as whom, and what it measures."""

from lambent.encryption.filter_criteria import SealedFilterCriteria
from lambent.event_sources.delivery import Invoke
from lambent.event_sources.queue_runner import Measure, QueueRunner
from lambent.event_sources.reconciler import Runner
from lambent.event_sources.sqs import SqsSource
from lambent.invoke.directory import Directory
from lambent.model.caller import Caller
from lambent.model.event_source_mapping import EventSourceMapping
from lambent.server.part import Core

_LAMBDA = "lambda.amazonaws.com"


class Runners:
    """Makes the runner of a mapping."""

    def __init__(self, core: Core, directory: Directory, invoke: Invoke) -> None:
        self._core = core
        self._directory = directory
        self._invoke = invoke
        self._criteria = SealedFilterCriteria(core.client, core.clock)

    def __call__(self, mapping: EventSourceMapping) -> Runner:
        # The control plane has refused every other kind.
        assert mapping.kind == "sqs" and mapping.source_arn is not None
        source = SqsSource(
            mapping.source_arn,
            self._core.client,
            lambda: self._session(mapping),
            with_window=mapping.settings["MaximumBatchingWindowInSeconds"] > 0,
        )
        return QueueRunner(
            mapping,
            source,
            self._invoke,
            self._core.clock,
            self._measure(mapping),
            reveal=self._criteria.open_for_lambda,
        )

    async def _session(self, mapping: EventSourceMapping) -> Caller:
        """Of the function's role as it is now."""
        target = await self._directory.resolve(mapping.function, mapping.qualifier)
        return await self._core.roles.assume(
            target.version.role,
            _LAMBDA,
            region=mapping.region,
            session_name=mapping.function_name,
        )

    def _measure(self, mapping: EventSourceMapping) -> Measure:
        """Only what the mapping asks for: AWS charges for these."""
        if "EventCount" not in mapping.settings.get("MetricsConfig", {}).get("Metrics", ()):
            return lambda name, value: None
        dimensions = {"EventSourceMappingUUID": mapping.uuid}
        put = self._core.metrics.put

        def measure(name: str, value: float) -> None:
            put(
                mapping.account_id,
                mapping.region,
                "AWS/Lambda",
                name,
                value,
                unit="Count",
                dimensions=dimensions,
            )

        return measure
