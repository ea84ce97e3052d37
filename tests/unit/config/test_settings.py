"""Settings: where they come from, what is refused, and that the documentation is true."""

import runpy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from lambent.config import Settings, SettingsError, load, table

ROOT = Path(__file__).parents[3]


def read(
    flags: Mapping[str, Any] | None = None,
    environ: Mapping[str, str] | None = None,
    *,
    tmp: Path,
    **more: Any,
) -> Settings:
    return load(
        {"data_dir": tmp, **(flags or {})}, environ=environ or {}, **{"system_file": tmp / "none", **more}
    )


def test_without_anything_the_defaults_hold(tmp_path: Path) -> None:
    settings = read(tmp=tmp_path)
    assert (settings.host, settings.port, settings.dev) == ("127.0.0.1", 9000, False)
    assert settings.account_id is None
    assert settings.runtime_paths == ()
    assert load({}, environ={}, system_file=tmp_path / "none").data_dir.is_absolute()


def test_every_default_is_a_value_of_its_kind() -> None:
    settings = Settings()
    for row in table():
        value = getattr(settings, row.name)
        if value is not None:
            assert row.read(value, row.flag) == value
            assert isinstance(value, tuple | dict) or type(row.read(str(value), row.flag)) is type(value)


def test_a_flag_goes_before_a_variable_before_a_file_before_the_default(tmp_path: Path) -> None:
    file = tmp_path / "lambent.toml"
    file.write_text("port = 1\nlog_level = 'debug'\nidle_expiry_seconds = 7\nruntime_paths = ['/a', '/b']\n")
    environ = {"LAMBENT_PORT": "2", "LAMBENT_LOG_LEVEL": "error", "LAMBENT_DEV": ""}
    settings = read({"port": "3"}, environ, tmp=tmp_path)
    assert (settings.port, settings.log_level, settings.idle_expiry_seconds) == (3, "error", 7.0)
    assert settings.runtime_paths == (Path("/a"), Path("/b"))
    assert settings.freeze_after_seconds == 0.1


def test_the_first_file_of_these_is_read(tmp_path: Path) -> None:
    system, named = tmp_path / "system.toml", tmp_path / "named.toml"
    system.write_text("port = 1")
    assert read(tmp=tmp_path, system_file=system).port == 1
    (tmp_path / "lambent.toml").write_text("port = 2")
    assert read(tmp=tmp_path, system_file=system).port == 2
    named.write_text("port = 3\ndata_dir = '/elsewhere'")
    assert read(tmp=tmp_path, system_file=system, config=named).port == 3
    settings = load({}, environ={"LAMBENT_CONFIG": str(named), "LAMBENT_PORT": "4"})
    assert (settings.port, settings.data_dir) == (4, Path("/elsewhere"))


def test_images_of_runtimes_by_flags_a_variable_or_a_table(tmp_path: Path) -> None:
    expected = {"ruby3.3": "public.ecr.aws/lambda/ruby:3.3", "java21": "oci:/images/java:latest"}
    words = tuple(f"{runtime}={image}" for runtime, image in expected.items())
    table = "".join(f"'{runtime}' = '{image}'\n" for runtime, image in expected.items())
    (tmp_path / "lambent.toml").write_text(f"[runtime_image]\n{table}")
    assert read(tmp=tmp_path).runtime_image == expected
    assert read({"runtime_image": words}, tmp=tmp_path).runtime_image == expected
    assert read({}, {"LAMBENT_RUNTIME_IMAGE": ",".join(words)}, tmp=tmp_path).runtime_image == expected


@pytest.mark.parametrize(
    ("flags", "environ", "file", "said"),
    [
        ({"port": "70000"}, {}, "", "--port must be a whole number from 0 to 65535, not '70000'"),
        ({"port": "x"}, {}, "", "--port must be a whole number"),
        ({"idle_expiry_seconds": "nan"}, {}, "", "--idle-expiry-seconds must be a number from 0"),
        ({"dev": "maybe"}, {}, "", "--dev must be true or false"),
        ({"host": "a b"}, {}, "", "--host must be an address"),
        ({"data_dir": ""}, {}, "", "--data-dir must be a path"),
        ({"host": "0.0.0.0", "dev": "true"}, {}, "", "use it with --host 127.0.0.1, not with 0.0.0.0"),
        ({}, {"LAMBENT_ACCOUNT_ID": "12"}, "", "LAMBENT_ACCOUNT_ID must be 12 digits, not '12'"),
        ({}, {"LAMBENT_REGION": "here"}, "", "LAMBENT_REGION must be a region"),
        ({}, {}, "port = true", "port in FILE must be a whole number"),
        ({}, {}, "port = 1.5", "port in FILE must be a whole number"),
        (
            {},
            {},
            "deprecated_runtimes = 'shun'",
            "deprecated_runtimes in FILE must be one of allow, refuse, not 'shun'",
        ),
        ({}, {}, "runtime_paths = [1]", "runtime_paths in FILE must be paths"),
        ({"runtime_image": ("ruby3.3",)}, {}, "", "--runtime-image must be RUNTIME=IMAGE"),
        ({"runtime_image": ("ruby3.3=ruby",)}, {}, "", "--runtime-image must be RUNTIME=IMAGE"),
        ({"runtime_image": ("a1=r.io/b:c", "a1=r.io/b:d")}, {}, "", "--runtime-image must be RUNTIME=IMAGE"),
        ({}, {}, "runtime_image = 1", "runtime_image in FILE must be RUNTIME=IMAGE"),
        ({}, {}, "[runtime_image]\na = 1", "runtime_image in FILE must be RUNTIME=IMAGE"),
        ({}, {}, "prot = 1", "unknown setting prot in FILE: did you mean port?"),
        ({}, {}, "[server]\nport = 1", "unknown setting server in FILE: "),
        ({}, {}, "zzz = 1", "unknown setting zzz in FILE: `lambent start --help` lists all settings"),
        ({}, {}, "port = ", "FILE is not valid TOML"),
        ({}, {}, "data_dir = '/x'", "remove data_dir from FILE"),
    ],
)
def test_refused(
    tmp_path: Path, flags: dict[str, str], environ: dict[str, str], file: str, said: str
) -> None:
    path = tmp_path / "lambent.toml"
    if file:
        path.write_text(file)
    with pytest.raises(SettingsError) as refusal:
        read(flags, environ, tmp=tmp_path)
    assert said.replace("FILE", str(path)) in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_file_that_is_named_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"cannot read .*: No such file or directory"):
        read(tmp=tmp_path, config=tmp_path / "missing.toml")


def test_dev_is_for_loopback_by_any_name(tmp_path: Path) -> None:
    for host in ("localhost", "127.0.0.2", "::1"):
        assert read({"host": host, "dev": True}, tmp=tmp_path).dev


def test_the_settings_page_is_what_the_table_says() -> None:
    script = runpy.run_path(str(ROOT / "scripts/settings_page.py"))
    assert script["PAGE"].read_text(encoding="utf-8") == script["page"](), "run scripts/settings_page.py"
