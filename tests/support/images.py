"""Container images made by hand: layers from files, OCI layouts of layers, and pushing them without a client."""

import gzip
import hashlib
import io
import json
import platform
import re
import shutil
import subprocess
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

OCI_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
_PART_BYTES = 10 * 1024 * 1024
_MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}


@dataclass(frozen=True)
class Link:
    """A symbolic link."""

    target: str


@dataclass(frozen=True)
class HardLink:
    target: str


@dataclass(frozen=True)
class Directory:
    mode: int = 0o755


@dataclass(frozen=True)
class File:
    content: bytes
    mode: int = 0o644


Entry = bytes | str | File | Link | HardLink | Directory | tarfile.TarInfo


def tar_of(entries: Mapping[str, Entry]) -> bytes:
    """In the given order. Bytes are files that can be executed, text files that can be read."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, entry in entries.items():
            _add(archive, name, entry)
    return packed.getvalue()


def _add(archive: tarfile.TarFile, name: str, entry: Entry) -> None:
    info = tarfile.TarInfo(name)
    match entry:
        case bytes():
            return _add(archive, name, File(entry, 0o755))
        case str():
            return _add(archive, name, File(entry.encode()))
        case Link(target):
            info.type, info.linkname = tarfile.SYMTYPE, target
        case HardLink(target):
            info.type, info.linkname = tarfile.LNKTYPE, target
        case Directory(mode):
            info.type, info.mode = tarfile.DIRTYPE, mode
        case File(content, mode):
            info.size, info.mode = len(content), mode
            return archive.addfile(info, io.BytesIO(content))
        case tarfile.TarInfo():
            info = entry
            info.name = name
    archive.addfile(info)


def digest_of(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


@dataclass
class Image:
    """`layers` are tar files, lowest first; `config` is what an image's configuration has under that name."""

    layers: Sequence[bytes]
    config: Mapping[str, Any] = field(default_factory=dict)
    architecture: str = _MACHINES.get(platform.machine(), "amd64")

    def __post_init__(self) -> None:
        packed = [gzip.compress(layer, 1, mtime=0) for layer in self.layers]
        configuration = {
            "architecture": self.architecture,
            "os": "linux",
            "config": dict(self.config),
            "rootfs": {"type": "layers", "diff_ids": [digest_of(layer) for layer in self.layers]},
        }
        described = json.dumps(configuration).encode()
        manifest = {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": _descriptor(OCI_CONFIG, described),
            "layers": [_descriptor(OCI_LAYER, layer) for layer in packed],
        }
        self.manifest = json.dumps(manifest).encode()
        self.blobs = {digest_of(blob): blob for blob in (*packed, described)}

    @property
    def digest(self) -> str:
        return digest_of(self.manifest)

    def write_layout(self, directory: Path, tag: str = "latest") -> Path:
        """As the OCI image layout has it."""
        blobs = directory / "blobs" / "sha256"
        blobs.mkdir(parents=True)
        for data in (*self.blobs.values(), self.manifest):
            (blobs / digest_of(data).partition(":")[2]).write_bytes(data)
        (directory / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
        named = _descriptor(OCI_MANIFEST, self.manifest)
        named["annotations"] = {"org.opencontainers.image.ref.name": tag}
        (directory / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [named]}))
        return directory

    def push(self, ecr: Any, repository: str, tag: str | None = "latest") -> str:
        """By ECR's own operations. Returns the digest."""
        for digest, blob in self.blobs.items():
            checked = ecr.batch_check_layer_availability(repositoryName=repository, layerDigests=[digest])
            if checked["layers"][0]["layerAvailability"] == "AVAILABLE":
                continue
            upload = ecr.initiate_layer_upload(repositoryName=repository)["uploadId"]
            named = {"repositoryName": repository, "uploadId": upload}
            for at in range(0, len(blob), _PART_BYTES):
                part = blob[at : at + _PART_BYTES]
                ecr.upload_layer_part(
                    **named, partFirstByte=at, partLastByte=at + len(part) - 1, layerPartBlob=part
                )
            ecr.complete_layer_upload(**named, layerDigests=[digest])
        tagged = {"imageTag": tag} if tag else {}
        put = ecr.put_image(repositoryName=repository, imageManifest=self.manifest.decode(), **tagged)
        return str(put["image"]["imageId"]["imageDigest"])


def _descriptor(media_type: str, data: bytes) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": digest_of(data), "size": len(data)}


SHELL_RUNTIME = """#!/bin/sh
# A runtime in a shell's own words and curl: answers its arguments, and whatever the event's commands print.
api="http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime"
while :; do
    curl -sS -D /tmp/headers -o /tmp/event "$api/invocation/next" || exit 1
    while IFS=': ' read -r name value; do
        case $name in [Ll]ambda-[Rr]untime-[Aa]ws-[Rr]equest-[Ii]d) id=${value%?} ;; esac
    done </tmp/headers
    IFS= read -r event </tmp/event || :
    event=${event#\\"}
    printf '{"arguments": "%s", "directory": "%s", "output": "%s"}' \\
        "$*" "$PWD" "$(eval "${event%\\"}" 2>&1)" >/tmp/answer
    curl -sS -o /tmp/accepted -X POST --data-binary @/tmp/answer "$api/invocation/$id/response"
done
"""


def shell_layer(**more: Entry) -> bytes:
    """A userland of the host's shell and curl, and SHELL_RUNTIME as /entry.sh. Names of `more` are paths, with __ for
    each slash."""
    programs = [Path("/bin/sh").resolve(), Path(shutil.which("curl") or "/usr/bin/curl").resolve()]
    entries: dict[str, Entry] = {"bin": Directory(), "etc/passwd": "root:x:0:0:root:/root:/bin/sh\n"}
    entries |= {"bin/sh": programs[0].read_bytes(), "bin/curl": programs[1].read_bytes()}
    for library in loaded(programs):
        entries[str(library).lstrip("/")] = library.read_bytes()
    entries["entry.sh"] = SHELL_RUNTIME.encode()
    return tar_of(entries | {name.replace("__", "/"): entry for name, entry in more.items()})


def loaded(programs: Sequence[Path]) -> list[Path]:
    """Shared libraries, and the loader itself, as the programs name them."""
    told = subprocess.run(["ldd", *map(str, programs)], capture_output=True, text=True, check=False).stdout
    return sorted({Path(found) for found in re.findall(r"(/\S+) \(0x", told)})
