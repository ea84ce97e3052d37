"""Uploads by HTML forms: a POST to the bucket, allowed by a policy that its owner signed.

Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-post-example.html and RESTObjectPOST.html
"""

import hmac
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode

from lambent.base.clock import Clock
from lambent.http.message import Request, Response
from lambent.model.bucket import Bucket
from lambent.model.caller import Caller, Parameters
from lambent.model.credential import Credential, CredentialSource
from lambent.model.service import Client
from lambent.services.s3.errors import AccessDenied, InvalidArgument
from lambent.services.s3.form_body import Form, read_form
from lambent.services.s3.form_policy import check_form
from lambent.services.s3.tags import as_mapping
from lambent.wire.sigv2 import find_credential, mismatch, sign
from lambent.wire.sigv4.authorization import read_scoped_credential
from lambent.wire.sigv4.errors import Fault, SignatureError
from lambent.wire.sigv4.keys import derive_signing_key
from lambent.wire.xml_encoder import escape_text

_MEMBERS = {
    "acl": "ACL",
    "cache-control": "CacheControl",
    "content-disposition": "ContentDisposition",
    "content-encoding": "ContentEncoding",
    "content-type": "ContentType",
    "x-amz-storage-class": "StorageClass",
    "x-amz-server-side-encryption": "ServerSideEncryption",
    "x-amz-checksum-crc32": "ChecksumCRC32",
    "x-amz-checksum-crc32c": "ChecksumCRC32C",
    "x-amz-checksum-crc64nvme": "ChecksumCRC64NVME",
    "x-amz-checksum-sha1": "ChecksumSHA1",
    "x-amz-checksum-sha256": "ChecksumSHA256",
}
"""Fields of a form, by the parameters of PutObject that they are."""
_SIGNED_BY = ("X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Signature")
_SIGNED_BY_V2 = ("AWSAccessKeyId", "Signature")


class FormPosts:
    def __init__(self, client: Client, credentials: CredentialSource, clock: Clock, *, dev: bool) -> None:
        self._client = client
        self._credentials = credentials
        self._clock = clock
        self._dev = dev

    async def post(
        self, bucket: Bucket, request: Request, caller_of: Callable[[Credential | None], Caller]
    ) -> Response:
        """Raises ServiceException, SignatureError."""
        form = read_form(request.headers.get("content-type", ""), request.body)
        _require(form.fields, ["key"])
        credential = self._signer(form)
        if "policy" in form.fields:
            try:
                check_form(form, bucket.name, self._clock.now())
            except AccessDenied:
                if credential is None:  # nobody in particular is not told why
                    raise AccessDenied("Access Denied") from None
                raise
        key = form.fields["key"].replace("${filename}", form.filename)
        caller = caller_of(credential)
        output = await self._client("s3", "PutObject", caller, _parameters(bucket, key, form))
        return _answer(caller, bucket, key, form, output)

    def _signer(self, form: Form) -> Credential | None:
        """Whoever signed the policy; None where there is none, and the public asks."""
        fields = form.fields
        if "policy" not in fields:
            return None
        if any(name.lower() in fields for name in _SIGNED_BY):
            _require(fields, _SIGNED_BY)
            return self._signer_v4(fields)
        if not any(name.lower() in fields for name in _SIGNED_BY_V2):
            return None
        _require(fields, _SIGNED_BY_V2)
        found = self._find(fields["awsaccesskeyid"], fields.get("x-amz-security-token"))
        expected = sign(found.secret_access_key, fields["policy"])
        return self._checked(found, expected, fields["policy"], fields["signature"])

    def _signer_v4(self, fields: Mapping[str, str]) -> Credential:
        key_id, date, region, service = read_scoped_credential(
            fields["x-amz-credential"], Fault.QUERY_MALFORMED
        )
        found = self._find(key_id, fields.get("x-amz-security-token"))
        key = derive_signing_key(found.secret_access_key, date, region, service)
        expected = hmac.digest(key, fields["policy"].encode(), "sha256").hex()
        return self._checked(found, expected, fields["policy"], fields["x-amz-signature"])

    def _find(self, key_id: str, token: str | None) -> Credential:
        if self._dev:
            found = self._credentials.find(key_id, token)
            assert found is not None, "with --dev, every key is somebody's"
            return found
        return find_credential(self._credentials, key_id, token)

    def _checked(self, credential: Credential, expected: str, policy: str, given: str) -> Credential:
        if self._dev:
            return credential
        if not hmac.compare_digest(expected.encode(), given.encode()):
            raise mismatch(credential, policy, given)
        if credential.expires_at is not None and self._clock.now() >= credential.expires_at:
            raise SignatureError(Fault.EXPIRED_TOKEN, "")
        return credential


def _require(fields: Mapping[str, str], names: Sequence[str]) -> None:
    for name in names:
        if name.lower() not in fields:
            raise InvalidArgument(
                f"Bucket POST must contain a field named '{name}'.  If it is specified, please check the order of the"
                " fields.",
                ArgumentName=name,
                ArgumentValue="",
            )


def _parameters(bucket: Bucket, key: str, form: Form) -> Parameters:
    parameters: dict[str, Any] = {
        member: form.fields[field] for field, member in _MEMBERS.items() if form.fields.get(field)
    }
    metadata = {
        name.removeprefix("x-amz-meta-"): value
        for name, value in form.fields.items()
        if name.startswith("x-amz-meta-")
    }
    tags = as_mapping(form.tag_set())
    if tags:
        parameters["Tagging"] = urlencode(tags)
    return {
        **parameters,
        "Bucket": bucket.name,
        "Key": key,
        "Metadata": metadata,
        "Body": form.file,
        "ByForm": True,
    }


def _answer(caller: Caller, bucket: Bucket, key: str, form: Form, output: Parameters) -> Response:
    etag = output["ETag"]
    location = f"{caller.endpoint_url}/{bucket.name}/{quote(key, safe='')}"
    headers = [("x-amz-request-id", caller.request_id), ("ETag", etag), ("Location", location)]
    if "VersionId" in output:
        headers.append(("x-amz-version-id", output["VersionId"]))
    redirect = form.fields.get("success_action_redirect") or form.fields.get("redirect")
    if redirect and redirect.startswith(("http://", "https://")):
        joined = "&" if "?" in redirect else "?"
        target = redirect + joined + urlencode({"bucket": bucket.name, "key": key, "etag": etag})
        return Response(303, [*headers[:2], ("Location", target)])
    match form.fields.get("success_action_status"):
        case "200":
            return Response(200, headers)
        case "201":
            body = "".join(
                f"<{name}>{escape_text(text)}</{name}>"
                for name, text in (
                    ("Location", location),
                    ("Bucket", bucket.name),
                    ("Key", key),
                    ("ETag", etag),
                )
            )
            document = f'<?xml version="1.0" encoding="UTF-8"?>\n<PostResponse>{body}</PostResponse>'
            return Response(201, [*headers, ("Content-Type", "application/xml")], document.encode())
    return Response(204, headers)
