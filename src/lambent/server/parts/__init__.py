"""The services around Lambda, a module for each: `part(core)` says how it is put together."""

from collections.abc import Callable, Sequence

from lambent.server.part import Core, Part
from lambent.server.parts import cloudwatch, ecr, events, kms, pipes, s3, scheduler, signer, sns, sqs

PARTS: Sequence[Callable[[Core], Part]] = (
    cloudwatch.part,
    ecr.part,
    events.part,
    kms.part,
    pipes.part,
    s3.part,
    scheduler.part,
    signer.part,
    sns.part,
    sqs.part,
)
"""In the order of their names."""
