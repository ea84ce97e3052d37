"""Images from elsewhere than ECR here, where the server is set to take them: registries, OCI layouts and archives.

skopeo fetches them. It is given nothing that whoever named the image could have made an option of, and only what the
server's operator has allowed, because it reads with the server's credentials and the server's eyes.
"""

import asyncio
import json
import re
import shutil
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from lambent.artifacts.images.store import PulledImage
from lambent.http.locality import hostname, is_local
from lambent.model.image import ImageReference, architecture_here, is_digest
from lambent.services.lambda_.function_images import (
    ImageForbiddenError,
    ImageMissingError,
    ImageSourceError,
)

_INSPECT_SECONDS = 60.0
_PULL_SECONDS = 1800.0
_TOLD_BYTES = 2000
_PULL = "pull-"
_TOLD = re.compile(r'msg="((?:[^"\\]|\\.)*)"')


class SkopeoSources:
    """services.lambda_.function_images.ImageSources. `allowed` are the setting image_sources' entries."""

    def __init__(self, allowed: Sequence[str], credentials_file: Path | None, temporary: Path) -> None:
        self._allowed = allowed
        self._credentials_file = credentials_file
        self._temporary = temporary

    def offers(self, uri: str) -> bool:
        transport, _, path = uri.partition(":")
        if transport in ("oci", "oci-archive"):
            return self._offers_path(transport, path)
        reference = ImageReference.parse(uri)
        if reference is None or not (reference.tag or reference.digest):
            return False
        named = f"{reference.registry}/{reference.repository}"
        return any(
            named == entry or named.startswith(entry.rstrip("/") + "/")
            for entry in self._allowed
            if not entry.startswith("oci")
        )

    async def manifest(self, uri: str) -> bytes:
        """Of an index of a registry, that of the image for this machine."""
        document = await self._inspect(uri)
        reference = ImageReference.parse(uri)
        digest = None if reference is None else image_here(document)
        if reference is None or digest is None:
            return document
        return await self._inspect(reference.with_digest(digest))

    async def _inspect(self, uri: str) -> bytes:
        return await self._run(_INSPECT_SECONDS, "inspect", "--raw", *self._access("", uri), _source(uri))

    @asynccontextmanager
    async def pull(self, uri: str, resolved_uri: str) -> AsyncIterator[PulledImage]:
        """The image as it was resolved. Raises ImageSourceError."""
        wanted = resolved_uri if ImageReference.parse(resolved_uri) else uri
        with tempfile.TemporaryDirectory(dir=self._temporary, prefix=_PULL) as name:
            directory = Path(name)
            access = self._access("src-", wanted)
            await self._run(_PULL_SECONDS, "copy", "--quiet", *access, _source(wanted), f"dir:{directory}")
            manifest = await asyncio.to_thread((directory / "manifest.json").read_bytes)
            yield PulledImage(manifest=manifest, blob=lambda digest: directory / digest.partition(":")[2])

    def size_of_pulls(self) -> int:
        """Bytes that the pulls in progress have brought. Blocking."""
        try:
            return sum(path.lstat().st_size for path in self._temporary.glob(f"{_PULL}*/*"))
        except OSError:  # one was over meanwhile
            return 0

    def _offers_path(self, transport: str, path: str) -> bool:
        place = Path(path.partition(":")[0])
        if not place.is_absolute() or ".." in place.parts:
            return False
        roots = [
            Path(entry.partition(":")[2]) for entry in self._allowed if entry.startswith(f"{transport}:")
        ]
        # Where it really is: a link in an allowed directory may lead out of it.
        return any(place.resolve().is_relative_to(root.resolve()) for root in roots)

    def _access(self, prefix: str, uri: str) -> list[str]:
        if uri.startswith("oci"):
            return []
        options = []
        if self._credentials_file is not None:
            options.append(f"--{'src-' if prefix else ''}authfile={self._credentials_file}")
        if is_local(hostname(f"//{uri.partition('/')[0]}")):
            options.append(f"--{prefix}tls-verify=false")  # as docker does with registries of this machine
        return options

    async def _run(self, seconds: float, *arguments: str) -> bytes:
        """What skopeo wrote. Raises ImageSourceError."""
        program = shutil.which("skopeo")
        if program is None:
            raise ImageSourceError("skopeo is missing on this host: apt-get install skopeo")
        process = await asyncio.create_subprocess_exec(
            program,
            "--insecure-policy",
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(seconds):
                written, told = await process.communicate()
        except BaseException as error:
            process.kill()
            await process.wait()
            if isinstance(error, TimeoutError):
                raise ImageSourceError(f"skopeo took longer than {seconds:g} s") from error
            raise
        if process.returncode != 0:
            raise _failure(told[-_TOLD_BYTES:].decode(errors="replace"))
        return written


def image_here(document: bytes) -> str | None:
    """The digest of the image for this machine, where `document` is an index that has one."""
    wanted = {"os": "linux", "architecture": architecture_here()}
    try:
        entries = json.loads(document).get("manifests", [])
        return next(
            (
                str(entry["digest"])
                for entry in entries
                if wanted.items() <= entry.get("platform", {}).items() and is_digest(entry["digest"])
            ),
            None,
        )
    except (ValueError, AttributeError, KeyError, TypeError):
        return None


def _source(uri: str) -> str:
    if uri.startswith("oci"):
        return uri
    reference = ImageReference.parse(uri)
    if reference is not None and reference.digest is not None:
        return f"docker://{reference.with_digest(reference.digest)}"  # skopeo takes no tag beside it
    return f"docker://{uri}"


def _failure(written: str) -> ImageSourceError:
    messages = _TOLD.findall(written)
    told = messages[-1].replace('\\"', '"') if messages else written.strip()
    lowered = told.lower()
    if any(word in lowered for word in ("unauthorized", "denied", "authentication required")):
        return ImageForbiddenError(told)
    if any(
        word in lowered for word in ("manifest unknown", "not found", "no such file", "name unknown", "404")
    ):
        return ImageMissingError(told)
    return ImageSourceError(told)
