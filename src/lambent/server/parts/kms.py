"""KMS, put together."""

from lambent.model.kms import Alias, Grant, Key
from lambent.server.part import Core, Part
from lambent.services.kms import KmsStores, kms
from lambent.store.sql.named_records import SqlNamedRecords


def part(core: Core) -> Part:
    made = kms(
        KmsStores(
            keys=SqlNamedRecords(core.database, "kms key", Key),
            aliases=SqlNamedRecords(core.database, "kms alias", Alias),
            grants=SqlNamedRecords(core.database, "kms grant", Grant),
        ),
        clock=core.clock,
        secret=core.secret("kms"),
    )
    return Part(
        service=made.service,
        open=made.ring.open,
        behind={"destroy keys whose time has come": made.ring.run},
    )
