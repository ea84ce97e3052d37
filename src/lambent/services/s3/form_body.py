"""A multipart/form-data body, as browsers and scripts send it (RFC 7578): fields, then one file."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lambent.services.s3.errors import InvalidArgument, MalformedPOSTRequest, MalformedXML
from lambent.services.s3.tags import parse_tag_set
from lambent.wire.exceptions import RejectedRequest
from lambent.wire.xml_decoder import local_name, parse_xml

_BOUNDARY = re.compile(r'boundary=(?:"([^"]{1,70})"|([^;,\s]{1,70}))')
_NAME = re.compile(r'(?:^|;)\s*name="([^"]*)"', re.IGNORECASE)
_FILENAME = re.compile(r'(?:^|;)\s*filename="([^"]*)"', re.IGNORECASE)
_FIELDS_MOST = 100
_FIELD_BYTES_MOST = 20 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """`fields` are by lower-case name. What stands behind the file is ignored, as S3 does."""

    fields: Mapping[str, str]
    file: bytes
    filename: str

    def tag_set(self) -> Sequence[dict[str, str]]:
        """Of the field `tagging`, which is XML. Raises MalformedXML, InvalidTag."""
        text = self.fields.get("tagging")
        if not text:
            return []
        try:
            tags = [tag for tag in parse_xml(text.encode()).iter() if local_name(tag) == "Tag"]
        except RejectedRequest:
            raise MalformedXML() from None
        members = [{local_name(child): child.text or "" for child in tag} for tag in tags]
        if any(member.keys() != {"Key", "Value"} for member in members):
            raise MalformedXML()
        return parse_tag_set(members)


def read_form(content_type: str, body: bytes) -> Form:
    """Raises MalformedPOSTRequest, InvalidArgument."""
    found = _BOUNDARY.search(content_type)
    if found is None:
        raise _malformed()
    delimiter = b"--" + (found[1] or found[2]).encode("latin-1")
    fields: dict[str, str] = {}
    at = body.find(delimiter)
    while at >= 0 and body[at + len(delimiter) : at + len(delimiter) + 2] == b"\r\n":
        start = at + len(delimiter) + 2
        blank = body.find(b"\r\n\r\n", start - 2)
        end = body.find(b"\r\n" + delimiter, start)
        if blank < 0 or end < 0 or blank - start > _FIELD_BYTES_MOST:
            raise _malformed()
        disposition = _disposition(body[start:blank])
        name, content = _name(disposition), body[blank + 4 : end]
        if name == "file":
            filename = _FILENAME.search(disposition)
            return Form(fields=fields, file=content, filename=_base(filename[1] if filename else ""))
        if len(fields) >= _FIELDS_MOST or len(content) > _FIELD_BYTES_MOST:
            raise MalformedPOSTRequest("Your POST request fields preceding the upload file were too large.")
        fields[name] = content.decode("utf-8", "replace")
        at = end + 2
    raise InvalidArgument(
        "POST requires exactly one file upload per request.", ArgumentName="file", ArgumentValue="0"
    )


def _disposition(head: bytes) -> str:
    for line in head.decode("utf-8", "replace").split("\r\n"):
        header, _, value = line.partition(":")
        if header.strip().lower() == "content-disposition":
            return value
    raise _malformed()


def _name(disposition: str) -> str:
    found = _NAME.search(disposition)
    if found is None:
        raise _malformed()
    return found[1].lower()


def _base(filename: str) -> str:
    """Some browsers send the whole path."""
    return re.split(r"[\\/]", filename)[-1]


def _malformed() -> MalformedPOSTRequest:
    return MalformedPOSTRequest("The body of your POST request is not well-formed multipart/form-data.")
