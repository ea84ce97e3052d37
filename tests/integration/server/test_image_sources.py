"""Images of elsewhere: what is allowed, and what skopeo is asked and answers."""

import json
import platform
import stat
from pathlib import Path

import pytest

from lambent.server.image_sources import SkopeoSources, image_here
from lambent.services.lambda_.function_images import (
    ImageForbiddenError,
    ImageMissingError,
    ImageSourceError,
)

DIGEST = "sha256:" + "a" * 64


@pytest.fixture
def skopeo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A program of that name which writes down its arguments, and does what it is told to."""
    directory = tmp_path / "bin"
    directory.mkdir()
    monkeypatch.setenv("PATH", f"{directory}:/usr/bin:/bin")

    def does(commands: str) -> Path:
        program = directory / "skopeo"
        program.write_text(f'#!/bin/sh\necho "$@" >{tmp_path}/asked\n{commands}\n')
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        return tmp_path / "asked"

    return does


def sources(tmp_path: Path, *allowed: str, credentials: Path | None = None) -> SkopeoSources:
    return SkopeoSources(allowed, credentials, tmp_path)


@pytest.mark.parametrize(
    ("uri", "offered"),
    [
        ("public.ecr.aws/lambda/python:3.13", True),
        (f"public.ecr.aws/lambda/python@{DIGEST}", True),
        ("public.ecr.aws/lambda/python", False),
        ("public.ecr.aws/lambdas/python:3.13", False),
        ("public.ecr.aws/other:1", False),
        ("registry.example.com:5000/a/b:1", True),
        ("registry.example.com/a/b:1", False),
        ("evil.com/registry.example.com:5000/a:1", False),
        ("registry.example.com:5000/--flag:1", False),
        ("dir:/etc", False),
        ("docker-archive:/etc/x", False),
        ("oci:relative:1", False),
    ],
)
def test_only_what_is_allowed(tmp_path: Path, uri: str, offered: bool) -> None:
    assert sources(tmp_path, "public.ecr.aws/lambda", "registry.example.com:5000").offers(uri) is offered


def test_directories_of_the_host(tmp_path: Path) -> None:
    allowed, other = tmp_path / "allowed", tmp_path / "other"
    allowed.mkdir()
    other.mkdir()
    (allowed / "out").symlink_to(other)
    (allowed / "in").symlink_to(allowed)
    made = sources(tmp_path, f"oci:{allowed}")
    assert made.offers(f"oci:{allowed}/app:latest")
    assert made.offers(f"oci:{allowed}/in/app:latest")
    for refused in (
        f"oci:{allowed}/out/app", f"oci:{allowed}/../other/app", f"oci:{other}/app", f"oci-archive:{allowed}/app.tar",
        f"oci:{tmp_path}/allowed-not/app",
    ):  # fmt: skip
        assert not made.offers(refused), refused


async def test_a_manifest_is_asked_for_with_the_servers_credentials(tmp_path: Path, skopeo) -> None:
    asked = skopeo("echo manifest")
    made = sources(tmp_path, "r.example.com", credentials=tmp_path / "auth.json")
    assert await made.manifest(f"r.example.com/app:v1@{DIGEST}") == b"manifest\n"
    assert asked.read_text().split() == [
        "--insecure-policy", "inspect", "--raw", f"--authfile={tmp_path}/auth.json",
        f"docker://r.example.com/app@{DIGEST}",
    ]  # fmt: skip


async def test_of_an_index_the_image_for_this_machine_is_taken(tmp_path: Path, skopeo) -> None:
    here = {"x86_64": "amd64", "aarch64": "arm64"}[platform.machine()]
    index = {
        "manifests": [
            {"digest": "sha256:" + "0" * 64, "platform": {"os": "unknown", "architecture": "unknown"}},
            {"digest": "sha256:" + "1" * 64, "platform": {"os": "linux", "architecture": "other"}},
            {"digest": DIGEST, "platform": {"os": "linux", "architecture": here, "variant": "v8"}},
        ]
    }
    (tmp_path / "index").write_text(json.dumps(index))
    skopeo(f'case "$*" in *@{DIGEST}) echo image;; *) cat {tmp_path}/index;; esac')
    assert await sources(tmp_path, "r.example.com").manifest("r.example.com/app:v1") == b"image\n"


@pytest.mark.parametrize(
    "document", [b"nonsense", b"[]", b"{}", b'{"manifests": [1]}', b'{"manifests": [{}]}']
)
def test_what_is_no_index_names_no_image(document: bytes) -> None:
    assert image_here(document) is None


async def test_an_image_is_pulled_by_its_digest_into_a_place_that_goes_again(tmp_path: Path, skopeo) -> None:
    asked = skopeo("for last; do :; done; d=${last#dir:}; echo m >$d/manifest.json; echo layer >$d/abc")
    made = sources(tmp_path, "127.0.0.1:5000")
    async with made.pull("127.0.0.1:5000/app:v1", f"127.0.0.1:5000/app@{DIGEST}") as pulled:
        assert pulled.manifest == b"m\n"
        layer = pulled.blob("sha256:abc")
        assert layer.read_text() == "layer\n"
    assert not layer.exists()
    assert asked.read_text().split()[:5] == [
        "--insecure-policy", "copy", "--quiet", "--src-tls-verify=false", f"docker://127.0.0.1:5000/app@{DIGEST}",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("told", "error"),
    [
        ("reading manifest v1: manifest unknown", ImageMissingError),
        ("open /x/index.json: no such file or directory", ImageMissingError),
        ("unauthorized: authentication required", ImageForbiddenError),
        ("requested access to the resource is denied", ImageForbiddenError),
        ("dial tcp: connection refused", ImageSourceError),
    ],
)
async def test_why_there_is_none(tmp_path: Path, skopeo, told: str, error: type[Exception]) -> None:
    skopeo(f"echo '{told}' >&2; exit 1")
    with pytest.raises(ImageSourceError) as refused:
        await sources(tmp_path, "r.example.com").manifest("r.example.com/app:v1")
    assert type(refused.value) is error


async def test_without_skopeo_the_command_that_installs_it_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ImageSourceError, match="apt-get install skopeo"):
        await sources(tmp_path, "r.example.com").manifest("r.example.com/app:v1")
