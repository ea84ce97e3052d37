"""KMS, put together."""

from lambent.model.kms import Alias, Grant, Key
from lambent.server.part import Core, Part
from lambent.services.kms import KmsStores, kms
from lambent.store.sqlite.named_records import SqliteNamedRecords


def part(core: Core) -> Part:
    made = kms(
        KmsStores(
            keys=SqliteNamedRecords(core.database, "kms key", Key),
            aliases=SqliteNamedRecords(core.database, "kms alias", Alias),
            grants=SqliteNamedRecords(core.database, "kms grant", Grant),
        ),
        clock=core.clock,
        secret=core.secret("kms"),
    )
    return Part(
        service=made.service,
        open=made.ring.open,
        behind={"destroy keys whose time has come": made.ring.run},
    )
