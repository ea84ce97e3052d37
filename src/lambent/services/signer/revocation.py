"""GetRevocationStatus: whether a signature, or the profile that made it, has been revoked."""

from collections.abc import Mapping

from lambent.base.arn import Arn, partition_of
from lambent.model.caller import Caller, Parameters
from lambent.model.service import Operation
from lambent.services.signer.errors import ValidationException
from lambent.services.signer.jobs import Jobs
from lambent.services.signer.profiles import Profiles
from lambent.services.signer.times import seconds


class RevocationStatus:
    def __init__(self, profiles: Profiles, jobs: Jobs) -> None:
        self._profiles = profiles
        self._jobs = jobs

    def operations(self) -> Mapping[str, Operation]:
        return {"GetRevocationStatus": self.get}

    async def get(self, caller: Caller, parameters: Parameters) -> Parameters:
        """Raises ValidationException for a profile or a job that there is not."""
        profile_arn, job_arn = parameters["profileVersionArn"], parameters["jobArn"]
        try:
            profile = await self._profiles.by_arn(profile_arn)
            parsed = Arn.parse(job_arn)
        except ValueError as error:
            raise ValidationException(str(error)) from error
        job = await self._jobs.find(parsed.account_id, parsed.region, parsed.resource.rpartition("/")[2])
        if profile is None or job is None:
            raise ValidationException("There is no such signing profile or job")
        if not profile_arn.startswith(f"{profile.arn(partition_of(profile.region))}/"):
            raise ValidationException(f"{profile_arn} is not the ARN of a version of a signing profile")
        signed_at = seconds(parameters["signatureTimestamp"])
        revoked = []
        revocation = profile.revocations.get(profile_arn.rpartition("/")[2])
        if revocation is not None and revocation.effective_from <= signed_at:
            revoked.append(profile_arn)
        if job.revocation is not None:
            revoked.append(job_arn)
        return {"revokedEntities": revoked}
