"""Amazon CloudWatch: metrics, minute by minute, alarms on them, and dashboards.

What the server itself measures is counted by `recorder`, what others put is stored at once; both are read by the same
operations. Alarms are looked at when a period is over; a change of state and what is to be told of it are stored in one
step, and told by lambent.targets' worker, with retries.

Source: the cloudwatch service model and https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/
"""

from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lambent.base.clock import Clock
from lambent.model.alarm import Alarm, AlarmHistoryItem
from lambent.model.anomaly_detector import AnomalyDetector
from lambent.model.dashboard import Dashboard
from lambent.model.service import Client, Service
from lambent.services.cloudwatch.alarm_changes import AlarmChanges
from lambent.services.cloudwatch.alarm_courier import AlarmCourier
from lambent.services.cloudwatch.alarm_runs import AlarmRuns, following_look
from lambent.services.cloudwatch.alarms import Alarms
from lambent.services.cloudwatch.anomalies.detectors import Detectors
from lambent.services.cloudwatch.anomalies.models import Models
from lambent.services.cloudwatch.composite_runs import CompositeRuns
from lambent.services.cloudwatch.dashboards import Dashboards
from lambent.services.cloudwatch.described_alarms import DescribedAlarms
from lambent.services.cloudwatch.history import History
from lambent.services.cloudwatch.metric_data import MetricData
from lambent.services.cloudwatch.metrics import Metrics
from lambent.services.cloudwatch.recorder import Recorder
from lambent.services.cloudwatch.resource_arn import condition_keys, resource_arn
from lambent.services.cloudwatch.retention import Retention
from lambent.services.cloudwatch.statistics import Statistics
from lambent.store.ports.metrics import MetricStore
from lambent.store.ports.named_records import NamedRecords
from lambent.store.ports.target_deliveries import TargetDeliveryStore
from lambent.targets.timer import Timer
from lambent.targets.worker import DeliveryWorker

__all__ = ["CloudWatch", "Recorder", "cloudwatch"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudWatch:
    """The service, and what goes on behind it, by what it does."""

    service: Service
    behind: Mapping[str, Callable[[], Coroutine[Any, Any, None]]]
    once: Mapping[str, Callable[[], Coroutine[Any, Any, None]]]
    """The same, for what only one node of a cluster does."""
    worker: DeliveryWorker
    wakes: Sequence[Callable[[], None]]


def cloudwatch(
    metrics: MetricStore,
    alarms: NamedRecords[Alarm],
    history: NamedRecords[AlarmHistoryItem],
    dashboards: NamedRecords[Dashboard],
    detectors: NamedRecords[AnomalyDetector],
    deliveries: TargetDeliveryStore,
    recorder: Recorder,
    *,
    clock: Clock,
    client: Client,
    owner: str = "local",
    retry_seconds: float = 1.0,
) -> CloudWatch:
    """`owner` names this node in its claims, `retry_seconds` is the delay before an action is tried again."""
    worker = DeliveryWorker(
        "cloudwatch",
        deliveries,
        AlarmCourier(client, history, clock),
        clock,
        base_seconds=retry_seconds,
        owner=owner,
    )

    def wake() -> None:
        timer.wake()

    changes = AlarmChanges(alarms, history, worker, clock, wake)
    detector = Detectors(detectors, metrics, clock)
    models = Models(detector)
    runs = AlarmRuns(metrics, recorder, changes, CompositeRuns(alarms, changes, clock), models, clock)
    timer = Timer(alarms, runs.fire, following_look, clock)
    metric, past = Metrics(metrics, recorder, clock), History(history, clock)
    operations = {
        "PutMetricData": metric.put,
        "ListMetrics": metric.list,
        "GetMetricStatistics": Statistics(metrics, recorder, clock).get,
        "GetMetricData": MetricData(metrics, recorder, models, clock).get,
        **Alarms(alarms, history, runs, changes, detector, clock, timer.wake).operations(),
        **DescribedAlarms(alarms, changes).operations(),
        "DescribeAlarmHistory": past.describe,
        **Dashboards(dashboards, clock).operations(),
        **detector.operations(),
    }
    service = Service(
        name="cloudwatch", operations=operations, resource_arn=resource_arn, condition_keys=condition_keys
    )
    behind = {"store metrics": recorder.run, "tell of alarms": worker.run}
    once = {
        "look at alarms": timer.run,
        "roll up metrics": Retention(metrics, clock).run,
        "sweep the history of alarms": past.sweep,
    }
    wakes = (worker.wake, timer.wake)
    return CloudWatch(service=service, behind=behind, once=once, worker=worker, wakes=wakes)
