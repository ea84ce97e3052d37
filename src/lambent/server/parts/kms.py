"""KMS, put together."""

from lambent.model.kms import Alias, Grant, Key
from lambent.server.part import Core, Part
from lambent.services.kms import KmsStores, kms
from lambent.store.sql.named_records import SqlNamedRecords


def part(core: Core) -> Part:
    made = kms(
        KmsStores(
            keys=SqlNamedRecords(core.database, "kms key", Key, noted=True),
            aliases=SqlNamedRecords(core.database, "kms alias", Alias, noted=True),
            grants=SqlNamedRecords(core.database, "kms grant", Grant, noted=True),
        ),
        clock=core.clock,
        secret=core.secret("kms"),
    )
    return Part(
        service=made.service,
        open=made.ring.open,
        once={"destroy keys whose time has come": made.ring.run},
        changed=dict.fromkeys(("kms key", "kms alias", "kms grant"), lambda key: made.ring.open()),
        reload=made.ring.open,
    )
