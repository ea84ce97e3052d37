"""AWS Signer, put together."""

from lambent.model.code_signature import CodeSigner
from lambent.model.signing import SigningJob, SigningProfile
from lambent.server.part import Core, Part
from lambent.services import signer
from lambent.store.sql.named_records import SqlNamedRecords

CODE_SIGNATURES = "code signatures"
"""What the key is for with which code is signed here, and its signature verified by Lambda."""


def part(core: Core) -> Part:
    return Part(
        service=signer.service(
            SqlNamedRecords(core.database, "signing profile", SigningProfile),
            SqlNamedRecords(core.database, "signing job", SigningJob),
            signer=CodeSigner(core.secret(CODE_SIGNATURES)),
            client=core.client,
            clock=core.clock,
        )
    )
