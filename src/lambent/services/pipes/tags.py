"""Tags of pipes: TagResource, UntagResource, ListTagsForResource."""

from collections.abc import Mapping

from lambent.base.arn import Arn
from lambent.model.caller import Caller, Parameters
from lambent.model.error import ValidationException
from lambent.model.service import Operation
from lambent.services.pipes.errors import no_pipe
from lambent.services.pipes.pipes import Pipes
from lambent.store.ports.named_records import Name

_PIPE = "pipe/"
_MOST = 50


class Tags:
    def __init__(self, pipes: Pipes) -> None:
        self._pipes = pipes

    def operations(self) -> Mapping[str, Operation]:
        return {
            "TagResource": self.tag_resource,
            "UntagResource": self.untag_resource,
            "ListTagsForResource": self.list_tags_for_resource,
        }

    async def tag_resource(self, caller: Caller, parameters: Parameters) -> Parameters:
        added = parameters["tags"]

        def edit(tags: Mapping[str, str]) -> Mapping[str, str]:
            if len(together := {**tags, **added}) > _MOST:
                raise ValidationException(f"A pipe can have at most {_MOST} tags.")
            return together

        await self._pipes.tagged(_pipe(parameters["resourceArn"]), edit)
        return {}

    async def untag_resource(self, caller: Caller, parameters: Parameters) -> Parameters:
        gone = set(parameters["tagKeys"])
        await self._pipes.tagged(
            _pipe(parameters["resourceArn"]),
            lambda tags: {key: value for key, value in tags.items() if key not in gone},
        )
        return {}

    async def list_tags_for_resource(self, caller: Caller, parameters: Parameters) -> Parameters:
        tags = await self._pipes.tagged(_pipe(parameters["resourceArn"]), lambda tags: tags)
        return {"tags": dict(tags)}


def _pipe(text: str) -> Name:
    """Raises NotFoundException."""
    try:
        arn = Arn.parse(text)
    except ValueError:
        raise no_pipe(text) from None
    if arn.service != "pipes" or not arn.resource.startswith(_PIPE):
        raise no_pipe(text)
    return Name(arn.account_id, arn.region, "", arn.resource.removeprefix(_PIPE))
