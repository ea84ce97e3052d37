"""EventBridge, put together."""

from lambent.model.connection import ApiDestination, Connection
from lambent.model.event_archive import Archive, Replay
from lambent.model.event_bus import EventBus, Rule
from lambent.server.part import Core, Part
from lambent.services.events import Stores, events
from lambent.store.sql.event_archives import SqlEventArchiveStore
from lambent.store.sql.named_records import SqlNamedRecords
from lambent.store.sql.target_deliveries import SqlTargetDeliveryStore

RETRY_SHARE = 60.0
"""Of the delay before the first retry of an asynchronous invocation: a minute there is a second here."""


def part(core: Core) -> Part:
    made = events(
        Stores(
            buses=SqlNamedRecords(core.database, "event bus", EventBus, noted=True),
            rules=SqlNamedRecords(core.database, "rule", Rule, noted=True),
            archives=SqlNamedRecords(core.database, "archive", Archive, noted=True),
            replays=SqlNamedRecords(core.database, "replay", Replay),
            archived_events=SqlEventArchiveStore(core.database),
            connections=SqlNamedRecords(core.database, "connection", Connection),
            api_destinations=SqlNamedRecords(core.database, "API destination", ApiDestination),
            deliveries=SqlTargetDeliveryStore(core.database),
        ),
        clock=core.clock,
        client=core.client,
        roles=core.roles,
        pass_role=core.pass_role,
        metrics=core.metrics,
        owner=core.node_id,
        connection_key=core.secret("event connections"),
        settle_seconds=core.settings.state_transition_seconds,
        retry_seconds=core.settings.retry_base_seconds / RETRY_SHARE,
    )
    return Part(
        service=made.service,
        behind=made.behind,
        once=made.once,
        changed=dict.fromkeys(("event bus", "rule", "archive"), made.catalog.changed),
        reload=made.catalog.forget,
        wakes=made.wakes,
        close=made.worker.close,
    )
