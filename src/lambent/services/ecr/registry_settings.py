"""What there is to say of a registry as a whole: that nothing is replicated, scanned or let in."""

from collections.abc import Mapping

from lambent.model.caller import Caller, Parameters
from lambent.model.service import Operation
from lambent.services.ecr.errors import RegistryPolicyNotFoundException, ScanNotFoundException, written
from lambent.services.ecr.registry import Registry


class RegistrySettings:
    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def operations(self) -> Mapping[str, Operation]:
        return {
            "DescribeRegistry": self.describe,
            "GetRegistryPolicy": self.get_policy,
            "DeleteRegistryPolicy": self.get_policy,
            "GetRegistryScanningConfiguration": self.get_scanning,
            "DescribePullThroughCacheRules": self.describe_cache_rules,
            "DescribeImageScanFindings": self.scan_findings,
        }

    async def describe(self, caller: Caller, parameters: Parameters) -> Parameters:
        return {"registryId": caller.account_id, "replicationConfiguration": {"rules": []}}

    async def get_policy(self, caller: Caller, parameters: Parameters) -> Parameters:
        raise RegistryPolicyNotFoundException(caller.account_id)

    async def get_scanning(self, caller: Caller, parameters: Parameters) -> Parameters:
        return {
            "registryId": caller.account_id,
            "scanningConfiguration": {"scanType": "BASIC", "rules": []},
        }

    async def describe_cache_rules(self, caller: Caller, parameters: Parameters) -> Parameters:
        return {"pullThroughCacheRules": []}

    async def scan_findings(self, caller: Caller, parameters: Parameters) -> Parameters:
        repository = await self._registry.require(caller, parameters)
        wanted = parameters["imageId"]
        image = written(wanted.get("imageDigest"), wanted.get("imageTag"))
        raise ScanNotFoundException(
            f"Image scan does not exist for the image with '{image}' in the repository with name '{repository.name}' "
            f"in the registry with id '{repository.account_id}'"
        )
