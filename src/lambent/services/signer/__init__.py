"""AWS Signer, for AWS Lambda: profiles, and jobs that sign zip files in S3 (lambent.model.code_signature says how).

Source: the signer service model and https://docs.aws.amazon.com/signer/latest/developerguide/
"""

from lambent.base.clock import Clock
from lambent.model.service import Client, Service
from lambent.model.signing import SigningJob, SigningProfile
from lambent.services.signer.jobs import Jobs, Signer
from lambent.services.signer.platforms import Platforms
from lambent.services.signer.profiles import Profiles
from lambent.services.signer.resource_arn import resource_arn, resource_policy
from lambent.services.signer.revocation import RevocationStatus
from lambent.store.ports.named_records import NamedRecords


def service(
    profiles: NamedRecords[SigningProfile],
    jobs: NamedRecords[SigningJob],
    *,
    signer: Signer,
    client: Client,
    clock: Clock,
) -> Service:
    profile = Profiles(profiles, clock)
    job = Jobs(jobs, profile, signer, client, clock)
    return Service(
        name="signer",
        operations={
            **Platforms().operations(),
            **profile.operations(),
            **job.operations(),
            **RevocationStatus(profile, job).operations(),
        },
        resource_arn=resource_arn,
        resource_policy=resource_policy,
    )
