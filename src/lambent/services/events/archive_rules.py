"""The rules by which AWS fills archives: managed by the service, told with all others, and nobody's to change.

Here archives take their events themselves (`acceptance`): these rules are only told.
"""

from typing import Any

import orjson

from lambent.base.arn import partition_of
from lambent.model.event_archive import Archive
from lambent.model.event_bus import Rule

PREFIX = "Events-Archive-"
_MANAGER = "prod.vhs.events.aws.internal"
_TEMPLATE = (
    '{{"archive-arn": "{arn}:{id}", "event": <aws.events.event.json>, '
    '"ingestion-time": <aws.events.event.ingestion-time>}}'
)


def rule_of(archive: Archive) -> Rule:
    """Replayed events are not archived again."""
    partition = partition_of(archive.region)
    pattern = {**orjson.loads(archive.event_pattern or "{}"), "replay-name": [{"exists": False}]}
    template = _TEMPLATE.format(arn=archive.arn(partition), id=archive.id)
    target: dict[str, Any] = {
        "Id": PREFIX + archive.name,
        "Arn": f"arn:{partition}:events:{archive.region}:::",
        "InputTransformer": {"InputPathsMap": {}, "InputTemplate": template},
    }
    return Rule(
        account_id=archive.account_id,
        region=archive.region,
        bus=archive.bus,
        name=PREFIX + archive.name,
        event_pattern=orjson.dumps(pattern).decode(),
        managed_by=_MANAGER,
        created_by=archive.account_id,
        targets={target["Id"]: target},
    )
