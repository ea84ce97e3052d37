"""What can be signed: zip files for AWS Lambda, and nothing else. GetSigningPlatform, ListSigningPlatforms."""

from collections.abc import Mapping
from typing import Any

from lambent.model.caller import Caller, Parameters
from lambent.model.service import Operation
from lambent.services.signer.errors import ResourceNotFoundException

PLATFORM = "AWSLambda-SHA384-ECDSA"
DISPLAY_NAME = "AWS Lambda"
_PLATFORM: Mapping[str, Any] = {
    "platformId": PLATFORM,
    "displayName": DISPLAY_NAME,
    "partner": "AWS Lambda",
    "target": "SHA384-ECDSA",
    "signingConfiguration": {
        "encryptionAlgorithmOptions": {"allowedValues": ["ECDSA"], "defaultValue": "ECDSA"},
        "hashAlgorithmOptions": {"allowedValues": ["SHA384"], "defaultValue": "SHA384"},
    },
    "signingImageFormat": {"supportedFormats": ["JSONEmbedded"], "defaultFormat": "JSONEmbedded"},
    "maxSizeInMB": 250,
    "revocationSupported": True,
}


class Platforms:
    def operations(self) -> Mapping[str, Operation]:
        return {"GetSigningPlatform": self.get, "ListSigningPlatforms": self.list}

    async def get(self, caller: Caller, parameters: Parameters) -> Parameters:
        if parameters["platformId"] != PLATFORM:
            raise ResourceNotFoundException(f"Signing platform {parameters['platformId']} not found")
        return dict(_PLATFORM)

    async def list(self, caller: Caller, parameters: Parameters) -> Parameters:
        wanted = all(parameters.get(member) in (None, _PLATFORM[member]) for member in ("partner", "target"))
        return {"platforms": [dict(_PLATFORM)] if wanted and "category" not in parameters else []}
