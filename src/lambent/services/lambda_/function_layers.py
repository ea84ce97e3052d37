"""The layers that a function uses: at most five, of its region, readable by its owner and by who adds them."""

from collections.abc import Sequence

from lambent.base.arn import Arn, partition_of
from lambent.model.caller import Caller
from lambent.model.function import LayerReference
from lambent.model.lambda_errors import InvalidParameterValueException
from lambent.services.lambda_.errors import not_authorized
from lambent.services.lambda_.layer_permissions import may_get
from lambent.services.lambda_.layer_reference import parse_layer_version_arn
from lambent.services.lambda_.ports import CallerPolicies
from lambent.services.lambda_.required_permissions import require_permission
from lambent.store.ports.layers import LayerStore

_MOST = 5


class FunctionLayers:
    def __init__(self, store: LayerStore, policies: CallerPolicies) -> None:
        self._store = store
        self._policies = policies

    async def resolve(self, caller: Caller, arns: Sequence[str]) -> tuple[LayerReference, ...]:
        """Layer version ARNs, in the order in which they are laid over each other.

        Raises InvalidParameterValueException, AccessDeniedException."""
        if len(arns) > _MOST:
            raise InvalidParameterValueException(f"Cannot reference more than {_MOST} layers.")
        _refuse_same_layer(arns)
        return tuple([await self._resolve_one(caller, arn) for arn in arns])

    async def _resolve_one(self, caller: Caller, arn: str) -> LayerReference:
        layer, number = parse_layer_version_arn(arn)
        if layer.region != caller.region:
            raise InvalidParameterValueException(
                "Layers are not in the same region as the function. "
                f"Layers are expected to be in region {caller.region}."
            )
        own_arn = layer.arn(number, partition_of(layer.region))
        await require_permission(self._policies, caller, "lambda:GetLayerVersion", own_arn)
        version = await self._store.get(layer, number)
        if version is not None and may_get(version, caller.account_id):
            return LayerReference(arn=own_arn, code=version.code)
        if layer.account_id != caller.account_id:
            # The same answer whether it exists or not: another account's layers are not for guessing.
            raise not_authorized(caller.principal_arn, "GetLayerVersion", arn)
        raise InvalidParameterValueException(f"Layer version {arn} does not exist.")


def _refuse_same_layer(arns: Sequence[str]) -> None:
    seen: dict[str, str] = {}
    for arn in arns:
        layer = Arn.parse(arn).resource.rpartition(":")[0] + Arn.parse(arn).account_id
        if layer in seen:
            raise InvalidParameterValueException(
                "Two different versions of the same layer are not allowed to be referenced in the same function. "
                f"{seen[layer]} and {arn} are versions of the same layer."
            )
        seen[layer] = arn
