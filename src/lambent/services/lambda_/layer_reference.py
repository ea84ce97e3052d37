"""What callers write to name a layer: its name or its ARN; a layer version has an ARN that ends with its number."""

import re

from lambent.model.caller import Caller
from lambent.model.lambda_errors import InvalidParameterValueException, ResourceNotFoundException
from lambent.model.layer import LayerId

_LAYER_ARN = re.compile(
    r"arn:[a-zA-Z-]+:lambda:(?P<region>[a-z0-9-]+):(?P<account_id>\d{12}):layer:(?P<name>[a-zA-Z0-9-_]+)"
    r"(:(?P<version>[0-9]{1,18}))?"
)
_NAME_LONGEST = 64
_NUMBER_LARGEST = 10**18
"""Beyond what any layer comes to, within what every store can count to."""


def parse_layer(caller: Caller, text: str) -> LayerId:
    """A name or a layer ARN. Raises InvalidParameterValueException, ResourceNotFoundException (another region)."""
    match = _LAYER_ARN.fullmatch(text)
    if match is None:
        return LayerId(caller.account_id, caller.region, text)
    if match["version"]:
        raise InvalidParameterValueException(f"{text} is the ARN of a layer version, not of a layer.")
    return _in_region(caller, LayerId(match["account_id"], match["region"], match["name"]))


def parse_new_layer(caller: Caller, text: str) -> LayerId:
    """For PublishLayerVersion: the caller's own, with a name that a layer may have."""
    layer = parse_layer(caller, text)
    if len(layer.name) > _NAME_LONGEST:
        raise InvalidParameterValueException(f"A layer's name has at most {_NAME_LONGEST} characters.")
    return layer


def parse_layer_version_arn(arn: str) -> tuple[LayerId, int]:
    """Raises InvalidParameterValueException, also for AWS's own layers (arn:aws:lambda:::awslayer:…)."""
    match = _LAYER_ARN.fullmatch(arn)
    if match is None or not match["version"]:
        raise InvalidParameterValueException(f"{arn} is not the ARN of a layer version.")
    return LayerId(match["account_id"], match["region"], match["name"]), int(match["version"])


def require_number(number: int) -> int:
    """Raises InvalidParameterValueException, ResourceNotFoundException."""
    if number < 1:
        raise InvalidParameterValueException("Layer Version Cannot be less than 1")
    if number > _NUMBER_LARGEST:
        raise ResourceNotFoundException("The resource you requested does not exist.")
    return number


def _in_region(caller: Caller, layer: LayerId) -> LayerId:
    if layer.region != caller.region:
        raise ResourceNotFoundException(
            f"Layers from '{layer.region}' are not reachable in this region ('{caller.region}')"
        )
    return layer
