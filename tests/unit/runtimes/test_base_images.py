"""Runtimes that are taken from images."""

from pathlib import Path

import pytest

from lambent.artifacts.images.store import UnpackedImage
from lambent.model.image import ImageConfig
from lambent.runtimes import base_images
from lambent.runtimes.base_images import BaseImages, NotABaseImageError, base_image, base_image_install
from lambent.runtimes.install import CUSTOM_ARGV
from lambent.sandbox.port import Bind


@pytest.fixture
def rootfs(tmp_path: Path) -> Path:
    bootstrap = tmp_path / "var/runtime/bootstrap"
    bootstrap.parent.mkdir(parents=True)
    bootstrap.touch(mode=0o755)
    for name in ("var/lang", "var/task/inside", "opt", "tmp", "usr"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "var/run").symlink_to("/run")
    return tmp_path


def image(rootfs: Path, architecture: str = "", **variables: str) -> UnpackedImage:
    config = ImageConfig(architecture=architecture, variables=variables)
    return UnpackedImage(digest="0123456789abcdef" * 4, rootfs=rootfs, config=config)


@pytest.mark.parametrize(
    ("identifier", "expected"),
    [
        ("python3.13", "python:3.13"),
        ("nodejs22.x", "nodejs:22"),
        ("java8.al2", "java:8.al2"),
        ("java21", "java:21"),
        ("ruby3.4", "ruby:3.4"),
        ("dotnet8", "dotnet:8"),
        ("dotnetcore3.1", "dotnet:core3.1"),
        ("provided", "provided:alami"),
        ("provided.al2023", "provided:al2023"),
        ("go1.x", None),
        ("nodejs6.10", None),
        ("cobol85", None),
    ],
)
def test_what_aws_calls_its_images(identifier: str, expected: str | None) -> None:
    assert base_image(identifier) == (None if expected is None else f"public.ecr.aws/lambda/{expected}")


def test_code_and_layers_have_places_that_show_nothing_of_the_image(rootfs: Path) -> None:
    root = base_image_install("ruby3.3", image(rootfs)).root
    shown = [Bind(rootfs / name, f"/{name}") for name in ("usr", "var/lang", "var/runtime")]
    assert (list(root.binds), root.links) == (shown, {"/var/run": "/run"})
    assert root.mount_points == ("/var/task", "/opt")


def test_its_bootstrap_is_run_with_the_variables_of_aws(rootfs: Path) -> None:
    made = base_image_install("ruby3.3", image(rootfs, PATH="/own", TZ=":/etc/localtime", A="1"))
    assert (made.argv, made.version, made.kind) == (("/var/runtime/bootstrap",), "3.3.0123456789ab", "api")
    expected = {
        "AWS_EXECUTION_ENV": "AWS_Lambda_ruby3.3",
        "TZ": ":UTC",
        "PATH": "/own",
        "A": "1",
        "GEM_PATH": "/var/task/vendor/bundle/ruby/3.3.0:/opt/ruby/gems/3.3.0:/var/runtime/gems/3.3.0",
    }
    assert {name: made.static_variables.get(name) for name in expected} == expected
    assert not made.waits


def test_a_custom_runtime_brings_its_own_bootstrap(rootfs: Path) -> None:
    (rootfs / "var/runtime/bootstrap").unlink()
    made = base_image_install("provided.al2023", image(rootfs))
    assert (made.argv, made.version) == (CUSTOM_ARGV, "al2023.0123456789ab")
    assert "AWS_EXECUTION_ENV" not in made.static_variables


def test_images_that_are_none(
    rootfs: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base_images, "architecture_here", lambda: "amd64")
    base_image_install("ruby3.3", image(rootfs, "amd64"))
    with pytest.raises(NotABaseImageError, match="it is for arm64, and this machine is amd64"):
        base_image_install("ruby3.3", image(rootfs, "arm64"))
    (rootfs / "var/runtime/bootstrap").chmod(0o644)
    with pytest.raises(NotABaseImageError, match="no program /var/runtime/bootstrap"):
        base_image_install("ruby3.3", image(rootfs))
    with pytest.raises(NotABaseImageError, match="no directory /var"):
        base_image_install("provided", image(tmp_path_factory.mktemp("empty")))


def test_one_that_is_set_is_here_when_it_is_taken(rootfs: Path) -> None:
    images = BaseImages({"ruby3.3": "oci:/r:latest"})
    missing = images.unavailable("ruby3.3")
    assert missing is not None
    assert missing.reason == "its image oci:/r:latest is not here: it is fetched when the server starts"
    assert images.get("ruby3.3") is None
    images.take("ruby3.3", image(rootfs))
    assert images.unavailable("ruby3.3") is None
    assert images.get("ruby3.3") is not None
