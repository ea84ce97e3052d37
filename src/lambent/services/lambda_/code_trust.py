"""Whether code may be deployed: what a function's code signing configuration says of its package and layers.

Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-codesigning.html: whatever the policy says, code
whose signature is not of it is refused; what is unsigned, of another publisher, expired or revoked is refused or
counted.
"""

import logging
from collections.abc import Sequence
from typing import Protocol

from lambent.base.arn import Arn, partition_of
from lambent.base.clock import Clock
from lambent.model.caller import Parameters, service_caller
from lambent.model.code_signing import CodeSignature, CodeSigningConfig
from lambent.model.error import ServiceException
from lambent.model.function import CodeReference, FunctionId, LayerReference
from lambent.model.lambda_errors import CodeVerificationFailedException, InvalidCodeSignatureException
from lambent.model.metric import Metrics
from lambent.model.service import Client

log = logging.getLogger(__name__)

_LAMBDA = "lambda.amazonaws.com"
_PLATFORM = "AWSLambda-SHA384-ECDSA"


class SignatureReader(Protocol):
    """lambent.model.code_signature.CodeSigner."""

    @property
    def certificate_hash(self) -> str: ...

    def read(self, archive: bytes) -> CodeSignature | None: ...


class CodeTrust:
    def __init__(self, client: Client, metrics: Metrics, clock: Clock, certificate_hash: str) -> None:
        self._client = client
        self._metrics = metrics
        self._clock = clock
        self._certificate_hash = certificate_hash

    async def require(
        self,
        id: FunctionId,
        config: CodeSigningConfig,
        code: CodeReference | None,
        layers: Sequence[LayerReference],
    ) -> None:
        """Of what is to be deployed (None for code that stays). Raises InvalidCodeSignatureException,
        CodeVerificationFailedException."""
        if code is not None:
            await self._require_one(id, config, code, id.name)
        for layer in layers:
            await self._require_one(id, config, layer.code, layer.arn)

    async def _require_one(
        self, id: FunctionId, config: CodeSigningConfig, code: CodeReference, name: str
    ) -> None:
        signature = code.signature
        if signature is not None and not signature.intact:
            raise InvalidCodeSignatureException(
                "Lambda cannot deploy the function. The code signature failed the integrity check. "
                f"Check the provided signature for {name}."
            )
        if signature is not None and await self._trusted(id, config, signature):
            return
        if config.untrusted_artifact_on_deployment == "Enforce":
            raise CodeVerificationFailedException(
                "Lambda cannot deploy the function. The function or layer might be signed using a signature that the "
                f"client is not configured to accept. Check the provided signature for {name}."
            )
        log.warning("%s is deployed although no trusted signature is in %s", id.arn(), name)
        self._metrics.put(
            id.account_id,
            id.region,
            "AWS/Lambda",
            "SignatureValidationErrors",
            1,
            unit="Count",
            dimensions={"FunctionName": id.name},
        )

    async def _trusted(self, id: FunctionId, config: CodeSigningConfig, signature: CodeSignature) -> bool:
        if signature.profile_version_arn not in config.signing_profile_version_arns:
            return False
        if signature.expires_at <= self._clock.now():
            return False
        return not await self._revoked(id, signature)

    async def _revoked(self, id: FunctionId, signature: CodeSignature) -> bool:
        """What Signer does not know (a profile of an installation that is gone) is not trusted."""
        profile = Arn.parse(signature.profile_version_arn)
        caller = service_caller(
            _LAMBDA,
            account_id=id.account_id,
            region=profile.region,
            source_arn=id.arn(partition=partition_of(id.region)),
        )
        asked: Parameters = {
            "signatureTimestamp": signature.signed_at,
            "platformId": _PLATFORM,
            "profileVersionArn": signature.profile_version_arn,
            "jobArn": signature.job_arn,
            "certificateHashes": [self._certificate_hash],
        }
        try:
            answer = await self._client("signer", "GetRevocationStatus", caller, asked)
        except ServiceException as error:
            log.warning("the signature by %s cannot be checked: %s", signature.profile_version_arn, error)
            return True
        return bool(answer.get("revokedEntities"))
