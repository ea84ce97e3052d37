"""CloudWatch Logs: groups, streams, events, filter patterns, metric filters, subscription filters, resource policies,
Live Tail, Logs Insights, export tasks, delivery destinations.

Knows the log store's port and AWS's rules; does not know who writes logs, nor who keeps what is
measured in them.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import wraps

from lambent.base.clock import Clock
from lambent.model.caller import Caller, Parameters
from lambent.model.log_delivery_destination import LogDeliveryDestination
from lambent.model.log_query import QueryDefinition
from lambent.model.log_resource_policy import LogResourcePolicy
from lambent.model.service import Client, Operation, Service
from lambent.services.logs.authorization import resource_arn
from lambent.services.logs.deliveries import DeliveryOperations
from lambent.services.logs.events import EventOperations
from lambent.services.logs.exceptions import ServiceUnavailableException
from lambent.services.logs.exports.operations import ExportOperations
from lambent.services.logs.exports.tasks import ExportTasks
from lambent.services.logs.feed import LogFeed
from lambent.services.logs.filter_events import FilterOperations
from lambent.services.logs.groups import GroupOperations, Groups
from lambent.services.logs.insights.definitions import DefinitionOperations
from lambent.services.logs.insights.operations import QueryOperations
from lambent.services.logs.insights.queries import Queries
from lambent.services.logs.live_tail import LiveTailOperations
from lambent.services.logs.metric_filters.known import KnownMetricFilters
from lambent.services.logs.metric_filters.operations import MetricFilterOperations
from lambent.services.logs.metric_filters.sample import test_metric_filter
from lambent.services.logs.resource_policies import ResourcePolicyOperations
from lambent.services.logs.retention import RetentionOperations
from lambent.services.logs.streams import StreamOperations
from lambent.services.logs.subscriptions.known import KnownSubscriptions
from lambent.services.logs.subscriptions.operations import SubscriptionOperations
from lambent.services.logs.tags import TagOperations
from lambent.store.ports.errors import StoreFullError
from lambent.store.ports.logs import LogStore
from lambent.store.ports.named_records import NamedRecords


def service(
    store: LogStore,
    clock: Clock,
    feed: LogFeed,
    metric_filters: KnownMetricFilters,
    subscriptions: KnownSubscriptions,
    policies: NamedRecords[LogResourcePolicy],
    queries: Queries,
    query_definitions: NamedRecords[QueryDefinition],
    exports: ExportTasks,
    delivery_destinations: NamedRecords[LogDeliveryDestination],
    client: Client,
    *,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> Service:
    """`feed` must be told of what is appended to `store`: see `fed_store.FedLogStore`."""
    groups = Groups(store)
    group = GroupOperations(store, groups, metric_filters, subscriptions, clock)
    retention = RetentionOperations(groups)
    stream = StreamOperations(store, groups, clock)
    event = EventOperations(store, groups, clock)
    metric_filter = MetricFilterOperations(metric_filters, groups, clock)
    subscription = SubscriptionOperations(subscriptions, groups, client, clock)
    policy = ResourcePolicyOperations(policies, clock)
    query = QueryOperations(queries, store, groups, clock)
    definition = DefinitionOperations(query_definitions, clock)
    export = ExportOperations(exports, groups, client, clock)
    tag = TagOperations(groups)
    operations: dict[str, Operation] = {
        "CreateLogGroup": group.create_log_group,
        "DeleteLogGroup": group.delete_log_group,
        "DescribeLogGroups": group.describe_log_groups,
        "ListLogGroups": group.list_log_groups,
        "PutRetentionPolicy": retention.put_retention_policy,
        "DeleteRetentionPolicy": retention.delete_retention_policy,
        "CreateLogStream": stream.create_log_stream,
        "DeleteLogStream": stream.delete_log_stream,
        "DescribeLogStreams": stream.describe_log_streams,
        "PutLogEvents": event.put_log_events,
        "GetLogEvents": event.get_log_events,
        "FilterLogEvents": FilterOperations(store, groups, clock).filter_log_events,
        "StartLiveTail": LiveTailOperations(feed, groups, clock, sleep).start_live_tail,
        "StartQuery": query.start_query,
        "GetQueryResults": query.get_query_results,
        "StopQuery": query.stop_query,
        "DescribeQueries": query.describe_queries,
        "GetLogRecord": query.get_log_record,
        "GetLogGroupFields": query.get_log_group_fields,
        "PutQueryDefinition": definition.put_query_definition,
        "DescribeQueryDefinitions": definition.describe_query_definitions,
        "DeleteQueryDefinition": definition.delete_query_definition,
        "CreateExportTask": export.create_export_task,
        "DescribeExportTasks": export.describe_export_tasks,
        "CancelExportTask": export.cancel_export_task,
        "PutMetricFilter": metric_filter.put_metric_filter,
        "DescribeMetricFilters": metric_filter.describe_metric_filters,
        "DeleteMetricFilter": metric_filter.delete_metric_filter,
        "TestMetricFilter": test_metric_filter,
        "PutSubscriptionFilter": subscription.put_subscription_filter,
        "DescribeSubscriptionFilters": subscription.describe_subscription_filters,
        "DeleteSubscriptionFilter": subscription.delete_subscription_filter,
        "PutResourcePolicy": policy.put_resource_policy,
        "DescribeResourcePolicies": policy.describe_resource_policies,
        "DeleteResourcePolicy": policy.delete_resource_policy,
        "TagResource": tag.tag_resource,
        "UntagResource": tag.untag_resource,
        "ListTagsForResource": tag.list_tags_for_resource,
        "TagLogGroup": tag.tag_log_group,
        "UntagLogGroup": tag.untag_log_group,
        "ListTagsLogGroup": tag.list_tags_log_group,
        **DeliveryOperations(delivery_destinations).operations(),
    }
    return Service(
        name="logs",
        operations={name: _with_full_store(operation) for name, operation in operations.items()},
        resource_arn=resource_arn,
    )


def _with_full_store(operation: Operation) -> Operation:
    """Says a full disk in a way that the service model knows."""

    @wraps(operation)
    async def guarded(caller: Caller, parameters: Parameters) -> Parameters:
        try:
            return await operation(caller, parameters)
        except StoreFullError as error:
            raise ServiceUnavailableException(f"The log store takes no more data: {error}") from error

    return guarded
