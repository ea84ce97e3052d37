"""A function's code, of whichever package type: a zip file, or a container image."""

from typing import Any

from lambent.model.caller import Caller, Parameters
from lambent.model.function import FunctionId, FunctionVersion
from lambent.model.lambda_errors import InvalidParameterValueException
from lambent.services.lambda_.code import Packages
from lambent.services.lambda_.code_download import CodeDownloads
from lambent.services.lambda_.function_images import (
    FunctionImages,
    no_signing,
    overrides_of,
    refuse_image_config,
)


class FunctionCode:
    def __init__(self, packages: Packages, images: FunctionImages, downloads: CodeDownloads) -> None:
        self._packages = packages
        self._images = images
        self._downloads = downloads

    async def new(self, caller: Caller, id: FunctionId, parameters: Parameters) -> dict[str, Any]:
        """The fields that the Code of CreateFunction gives a version. Raises as `Packages.store` and
        `FunctionImages.resolve`."""
        code = parameters["Code"]
        if "ImageUri" not in code:
            return {"code": await self._packages.store(caller, "CreateFunction", code)}
        overrides = overrides_of(parameters.get("ImageConfig", {}))
        reference, image = await self._images.resolve(caller, id, code["ImageUri"], overrides)
        return {
            "code": reference,
            "image": image,
            "package_type": "Image",
            "runtime": None,
            "handler": None,
        }

    async def changed(
        self, caller: Caller, latest: FunctionVersion, parameters: Parameters, *, keep: bool
    ) -> dict[str, Any]:
        """The fields that UpdateFunctionCode changes; with `keep` false nothing is stored. Raises as `new`."""
        if latest.image is None:
            if "ImageUri" in parameters:
                raise InvalidParameterValueException(
                    "Please don't provide ImageUri when updating a function with packageType Zip."
                )
            return {"code": await self._packages.store(caller, "UpdateFunctionCode", parameters, keep=keep)}
        uri = parameters.get("ImageUri")
        if not uri:
            raise InvalidParameterValueException(
                "Please provide ImageUri when updating a function with packageType Image."
            )
        code, image = await self._images.resolve(caller, latest.function, uri, latest.image.overrides)
        return {"code": code, "image": image}

    def describe(self, caller: Caller, version: FunctionVersion) -> Parameters:
        """A FunctionCodeLocation."""
        if version.image is None:
            return {"RepositoryType": "S3", "Location": self._downloads.url(caller, version.code.digest)}
        return {
            "RepositoryType": "ECR",
            "ImageUri": version.image.uri,
            "ResolvedImageUri": version.image.resolved_uri,
        }


def require_package(parameters: Parameters) -> None:
    """Of CreateFunction: what goes with its PackageType. Raises InvalidParameterValueException."""
    code = parameters["Code"]
    if parameters.get("PackageType", "Zip") == "Image":
        if any(parameters.get(member) for member in ("Handler", "Runtime", "Layers")):
            raise InvalidParameterValueException(
                "Please don't provide Handler or Runtime or Layer when the intended function PackageType is Image."
            )
        if not code.get("ImageUri"):
            raise InvalidParameterValueException(
                "Please provide ImageUri when creating a function with packageType Image."
            )
        if parameters.get("CodeSigningConfigArn"):
            raise no_signing()
        if len(code) > 1:
            raise InvalidParameterValueException(
                "Please do not provide other FunctionCode parameters when providing an ImageUri."
            )
        return
    if "ImageUri" in code:
        raise InvalidParameterValueException(
            "Please don't provide ImageUri when creating a function with packageType Zip."
        )
    if not parameters.get("Runtime") or not parameters.get("Handler"):
        raise InvalidParameterValueException(
            "Runtime and Handler are mandatory parameters for functions created with deployment packages."
        )
    refuse_image_config(parameters)
