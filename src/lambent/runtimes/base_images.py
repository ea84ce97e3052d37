"""Runtimes that are taken from images instead of interpreters of the host: AWS's base images, and others like them.

Such an image has what AWS's own environments have: the interpreter at /var/lang, and at /var/runtime a `bootstrap` that
speaks the Runtime API and finds its handler in `_HANDLER`. Its /var/task and /opt are not shown: there are the
function's code and its layers.

Source: https://docs.aws.amazon.com/lambda/latest/dg/images-create.html#runtimes-images-lp
"""

import re
import stat
from collections.abc import Mapping
from typing import Final

from lambent.artifacts.images.paths import is_directory, mode_of, resolve
from lambent.artifacts.images.store import UnpackedImage
from lambent.model.image import architecture_here
from lambent.runtimes import identifiers, variables
from lambent.runtimes.identifiers import Unavailable
from lambent.runtimes.images import image_root
from lambent.runtimes.install import CUSTOM_ARGV, RuntimeInstall

_BOOTSTRAP: Final = "/var/runtime/bootstrap"
_MOUNT_POINTS: Final = (variables.TASK_ROOT, "/opt")
_VERSION_DIGITS: Final = 12
_FIXED: Final = ("AWS_EXECUTION_ENV", "TZ")
_LANGUAGE: Final = re.compile(r"(python|nodejs|java|dotnet|ruby|provided)(core)?(\d.*|\.al.*)?")
_TAGS: Final = {"provided": "alami", "provided.al2": "al2", "provided.al2023": "al2023"}
_OLDER_THAN_IMAGES: Final = frozenset(
    {"nodejs", "nodejs4.3", "nodejs4.3-edge", "nodejs6.10", "nodejs8.10", "dotnetcore1.0", "dotnetcore2.0"}
)


class NotABaseImageError(Exception):
    """An image that no runtime can be taken from. The message says what it lacks."""


def base_image(identifier: str) -> str | None:
    """What AWS calls its base image of a runtime; None where it has none."""
    found = _LANGUAGE.fullmatch(identifier)
    if found is None or identifier in _OLDER_THAN_IMAGES or identifier not in identifiers.all_identifiers():
        return None
    language, core, number = found.groups()
    tag = _TAGS.get(identifier) or f"{core or ''}{(number or '').removesuffix('.x')}"
    return f"public.ecr.aws/lambda/{language}:{tag}"


def base_image_flag(identifier: str) -> str | None:
    """The flag of `lambent start` that takes a runtime from AWS's base image, where there is one."""
    image = base_image(identifier)
    return None if image is None else f"--runtime-image {identifier}={image}"


def base_image_install(identifier: str, image: UnpackedImage) -> RuntimeInstall:
    """Its version begins with the identifier's, and ends in the image's digest. Raises NotABaseImageError."""
    custom = identifiers.is_custom(identifier)
    made_for, here = image.config.architecture, architecture_here()
    if made_for not in ("", here):
        raise NotABaseImageError(f"it is for {made_for}, and this machine is {here}")
    if not is_directory(image.rootfs / "var"):
        raise NotABaseImageError("it has no directory /var, and so no place for a function's code")
    if not custom and not _has_bootstrap(image):
        raise NotABaseImageError(f"it has no program {_BOOTSTRAP}, as AWS's base images have")
    number = re.sub(r"^[a-z]+\.?|\.x$", "", identifier)
    digest = image.digest[:_VERSION_DIGITS]
    return RuntimeInstall(
        identifier=identifier,
        kind="api",
        interpreter=None,
        version=f"{number}.{digest}" if number else digest,
        root=image_root(image.rootfs, _MOUNT_POINTS),
        argv=CUSTOM_ARGV if custom else (_BOOTSTRAP,),
        static_variables=_variables(identifier, image.config.variables),
        exec_time_variables=frozenset(),
        yielding_options={},
    )


def _variables(identifier: str, own: Mapping[str, str]) -> dict[str, str]:
    """What the image sets itself counts, but for what is another in AWS's environments than in its images."""
    documented = variables.documented_variables(identifier)
    fixed = {name: value for name, value in documented.items() if name in _FIXED}
    return {**documented, **own, **fixed}


def _has_bootstrap(image: UnpackedImage) -> bool:
    found = resolve(image.rootfs, _BOOTSTRAP)
    mode = None if found is None else mode_of(found)
    return mode is not None and stat.S_ISREG(mode) and bool(mode & 0o111)


class BaseImages:
    """Which runtimes of this server are taken from images (`sources`, by identifier), and which of those are here."""

    def __init__(self, sources: Mapping[str, str]) -> None:
        self.sources = sources
        self._installs: dict[str, RuntimeInstall] = {}
        self._missing = dict.fromkeys(sources, "it is fetched when the server starts")

    def take(self, identifier: str, image: UnpackedImage) -> None:
        """The image is here. Raises NotABaseImageError."""
        self._installs[identifier] = base_image_install(identifier, image)
        self._missing.pop(identifier, None)

    def miss(self, identifier: str, reason: str) -> None:
        """The image cannot be had."""
        self._missing[identifier] = reason

    def get(self, identifier: str) -> RuntimeInstall | None:
        return self._installs.get(identifier)

    def unavailable(self, identifier: str) -> Unavailable | None:
        """Why `get` gives None, for a runtime that is to be taken from an image."""
        reason = self._missing.get(identifier)
        if reason is None:
            return None
        return Unavailable(reason=f"its image {self.sources[identifier]} is not here: {reason}")
