"""One request, as the handlers of the door see it."""

from dataclasses import dataclass

from lambent.model.caller import Caller, Parameters
from lambent.services.ecr.door.route import Route


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """`registry_id` is the account whose registry is asked."""

    caller: Caller
    registry_id: str
    asked: Route

    @property
    def repository(self) -> Parameters:
        """The members that name it in every operation."""
        return self.named(self.asked.name)

    @property
    def key(self) -> tuple[str, str, str]:
        return (self.registry_id, self.caller.region, self.asked.name)

    def named(self, name: str) -> Parameters:
        return {"registryId": self.registry_id, "repositoryName": name}
