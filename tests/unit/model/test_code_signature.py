import io
import zipfile
from dataclasses import replace

import pytest

from lambent.model.code_signature import SIGNATURE_FILE, CodeSigner
from lambent.model.code_signing import CodeSignature

SIGNER = CodeSigner(b"secret")
SIGNATURE = CodeSignature(
    profile_version_arn="arn:aws:signer:us-east-1:123456789012:/signing-profiles/p/v1",
    job_arn="arn:aws:signer:us-east-1:123456789012:/signing-jobs/j",
    signed_at=1.0,
    expires_at=2.5,
)


def zip_of(files: dict[str, bytes], mode: int = 0o644) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            archive.writestr(info, content)
    return packed.getvalue()


def files_of(archive: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def test_a_signed_archive_has_its_files_and_says_who_signed_it() -> None:
    archive = zip_of({"app.py": b"x = 1", "lib/y.py": b""})
    signed = SIGNER.sign(archive, SIGNATURE)
    assert SIGNER.read(signed) == SIGNATURE
    assert {name: text for name, text in files_of(signed).items() if name != SIGNATURE_FILE} == files_of(
        archive
    )
    assert SIGNER.read(archive) is None


def test_it_can_be_signed_again() -> None:
    once = SIGNER.sign(zip_of({"a": b"a"}), SIGNATURE)
    twice = SIGNER.sign(once, replace(SIGNATURE, signed_at=9.0))
    assert SIGNER.read(twice) == replace(SIGNATURE, signed_at=9.0)


@pytest.mark.parametrize(
    "changed",
    [
        {"app.py": b"x = 2"},
        {"app.py": b"x = 1", "more.py": b""},
        {},
        {"App.py": b"x = 1"},
    ],
)
def test_what_was_changed_since_is_not_intact(changed: dict[str, bytes]) -> None:
    signed = files_of(SIGNER.sign(zip_of({"app.py": b"x = 1"}), SIGNATURE))
    signature = {SIGNATURE_FILE: signed[SIGNATURE_FILE]}
    read = SIGNER.read(zip_of(changed | signature))
    assert read is not None and not read.intact


def test_a_mode_is_signed_too() -> None:
    signed = files_of(SIGNER.sign(zip_of({"run": b"x"}), SIGNATURE))
    read = SIGNER.read(zip_of(signed, mode=0o755))
    assert read is not None and not read.intact


@pytest.mark.parametrize("text", [b"", b"a.b.c", b"a.b", b"\xff" * 9, b"x" * 20_000])
def test_what_is_no_signature_is_not_intact(text: bytes) -> None:
    read = SIGNER.read(zip_of({"a": b"a", SIGNATURE_FILE: text}))
    assert read is not None and not read.intact


def test_another_installations_signature_is_not_intact() -> None:
    signed = CodeSigner(b"another secret").sign(zip_of({"a": b"a"}), SIGNATURE)
    read = SIGNER.read(signed)
    assert read is not None and not read.intact
    assert SIGNER.certificate_hash != CodeSigner(b"another secret").certificate_hash
    assert SIGNER.certificate_hash == CodeSigner(b"secret").certificate_hash
