"""EventBridge, put together."""

from lambent.model.connection import ApiDestination, Connection
from lambent.model.event_archive import Archive, Replay
from lambent.model.event_bus import EventBus, Rule
from lambent.server.part import Core, Part
from lambent.services.events import Stores, events
from lambent.store.sqlite.event_archives import SqliteEventArchiveStore
from lambent.store.sqlite.named_records import SqliteNamedRecords
from lambent.store.sqlite.target_deliveries import SqliteTargetDeliveryStore

RETRY_SHARE = 60.0
"""Of the delay before the first retry of an asynchronous invocation: a minute there is a second here."""


def part(core: Core) -> Part:
    made = events(
        Stores(
            buses=SqliteNamedRecords(core.database, "event bus", EventBus),
            rules=SqliteNamedRecords(core.database, "rule", Rule),
            archives=SqliteNamedRecords(core.database, "archive", Archive),
            replays=SqliteNamedRecords(core.database, "replay", Replay),
            archived_events=SqliteEventArchiveStore(core.database),
            connections=SqliteNamedRecords(core.database, "connection", Connection),
            api_destinations=SqliteNamedRecords(core.database, "API destination", ApiDestination),
            deliveries=SqliteTargetDeliveryStore(core.database),
        ),
        clock=core.clock,
        client=core.client,
        roles=core.roles,
        pass_role=core.pass_role,
        metrics=core.metrics,
        connection_key=core.secret("event connections"),
        settle_seconds=core.settings.state_transition_seconds,
        retry_seconds=core.settings.retry_base_seconds / RETRY_SHARE,
    )
    return Part(service=made.service, behind=made.behind, close=made.worker.close)
