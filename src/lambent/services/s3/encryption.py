"""Encryption of objects: by S3 (reported, and left to the disk), by a key of KMS, or by a key that the customer brings.

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/serv-side-encryption.html
"""

import hashlib
import json
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from lambent.encryption.data_keys import DataKeys
from lambent.encryption.stream_cipher import StreamCipher, new_nonce
from lambent.model.bucket import Bucket
from lambent.model.caller import Caller, Parameters, account_caller
from lambent.model.error import ServiceException
from lambent.model.service import Client
from lambent.model.stored_object import ObjectEncryption
from lambent.services.s3.errors import (
    AccessDenied,
    InvalidArgument,
    InvalidEncryptionAlgorithmError,
    InvalidRequest,
    KmsRefusal,
    MalformedXML,
    unsupported,
)
from lambent.store.ports.contents import Seal

ALGORITHM = "AES256"
_KMS = "aws:kms"
_OWN_KEY = "alias/aws/s3"
_CONFIGURATION = "ServerSideEncryptionConfiguration"
DEFAULT_ENCRYPTION = {
    "Rules": [
        {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": ALGORITHM}, "BucketKeyEnabled": False},
    ]
}
_KEY_BYTES = 32
_BUCKET_KEY_SECONDS = 300.0
"""For how long one data key is used again, where a bucket key may stand between KMS and objects."""
_HEADER = "x-amz-server-side-encryption"
_CUSTOMER = "Requests specifying Server Side Encryption with Customer provided keys must provide"


@dataclass(frozen=True, slots=True)
class Sealing:
    """How the bytes of an object are to be written: `key` is what they are sealed with, None where they are not."""

    encryption: ObjectEncryption | None = None
    key: bytes | None = None

    def begin(self) -> tuple[bytes | None, Seal | None]:
        """Of one content: its nonce, and what seals it."""
        if self.key is None:
            return None, None
        nonce = new_nonce()
        return nonce, StreamCipher(self.key, nonce).update


class Encryptions:
    """What a caller may encrypt with, and how it comes to the keys again."""

    def __init__(self, keys: DataKeys, client: Client) -> None:
        self._keys = keys
        self._client = client

    async def of_new(self, caller: Caller, bucket: Bucket, parameters: Parameters) -> Sealing:
        """Of an object that a request makes, by what it says, or else by what the bucket's default says. Raises
        InvalidArgument and its kin, what S3 makes of KMS's refusal."""
        customer_key = _customer_key(parameters, "")
        if customer_key is not None:
            _refuse_beside_customer_key(parameters)
            return Sealing(ObjectEncryption(customer_key_md5=_md5(customer_key)), customer_key)
        wanted = _wanted(bucket, parameters)
        if wanted is None:
            return Sealing()
        key_id, bucket_key = wanted
        key_id = key_id or await self._own_key(bucket)
        arn = bucket.arn(caller.partition)
        given = _given_context(parameters)
        context = {**given, "aws:s3:arn": arn if bucket_key else f"{arn}/{parameters['Key']}"}
        try:
            key = await self._keys.to_write(
                replace(caller, region=bucket.region),
                key_id,
                context,
                seconds=_BUCKET_KEY_SECONDS if bucket_key else 0.0,
                proven=False,
            )
        except ServiceException as error:
            raise _translate(error) from error
        encryption = ObjectEncryption(
            key_arn=key.key_arn, data_key=key.encrypted, context=context, bucket_key=bucket_key
        )
        return Sealing(encryption, key.plaintext)

    async def _own_key(self, bucket: Bucket) -> str:
        """That of S3 in the bucket's account, which KMS makes when it is first asked for."""
        s3 = account_caller("s3.amazonaws.com", account_id=bucket.account_id, region=bucket.region)
        described = await self._client("kms", "DescribeKey", s3, {"KeyId": _OWN_KEY})
        return str(described["KeyMetadata"]["Arn"])

    async def key_of(
        self,
        caller: Caller,
        bucket: Bucket,
        encryption: ObjectEncryption | None,
        parameters: Parameters,
        *,
        source: str = "",
    ) -> bytes | None:
        """What the object's bytes are opened with. `source` is "CopySource" where the request names it so. Raises
        InvalidRequest, AccessDenied, what S3 makes of KMS's refusal."""
        customer_key = check_customer_key(encryption, parameters, source=source)
        if encryption is None or encryption.data_key is None:
            return customer_key
        try:
            key = await self._keys.to_read(
                replace(caller, region=bucket.region),
                encryption.data_key,
                encryption.context,
                seconds=_BUCKET_KEY_SECONDS if encryption.bucket_key else 0.0,
            )
        except ServiceException as error:
            raise _translate(error) from error
        return key.plaintext


def check_customer_key(
    encryption: ObjectEncryption | None, parameters: Parameters, *, source: str = ""
) -> bytes | None:
    """The key that the request brings, and that it is the object's. Raises InvalidRequest, AccessDenied."""
    customer_key = _customer_key(parameters, source)
    wanted = encryption.customer_key_md5 if encryption is not None else None
    if wanted is None:
        if customer_key is not None:
            raise InvalidRequest("The encryption parameters are not applicable to this object.")
        return None
    if customer_key is None:
        raise InvalidRequest(
            "The object was stored using a form of Server Side Encryption. The correct parameters must be provided to "
            "retrieve the object."
        )
    if _md5(customer_key) != wanted:
        raise AccessDenied(f"{_CUSTOMER} the correct secret key.")
    return customer_key


def check_part_key(encryption: ObjectEncryption | None, parameters: Parameters) -> None:
    """As `check_customer_key`, in the words that are for parts of an upload. Raises InvalidRequest."""
    customer_key = _customer_key(parameters, "")
    wanted = encryption.customer_key_md5 if encryption is not None else None
    if wanted is None and customer_key is not None:
        raise InvalidRequest("The multipart upload initiate did not request encryption.")
    if wanted is not None and customer_key is None:
        raise InvalidRequest(
            "The multipart upload initiate requested encryption. Subsequent part requests must include the "
            "appropriate encryption parameters."
        )
    if wanted is not None and customer_key is not None and _md5(customer_key) != wanted:
        raise InvalidRequest("The provided encryption parameters did not match the ones used originally.")


def encryption_members(encryption: ObjectEncryption | None) -> Parameters:
    """As every operation answers it that makes or reads an object."""
    if encryption is None:
        return {"ServerSideEncryption": ALGORITHM}
    if encryption.customer_key_md5 is not None:
        return {"SSECustomerAlgorithm": ALGORITHM, "SSECustomerKeyMD5": encryption.customer_key_md5}
    members: Parameters = {"ServerSideEncryption": _KMS, "SSEKMSKeyId": encryption.key_arn}
    return members | ({"BucketKeyEnabled": True} if encryption.bucket_key else {})


def check_encryption(payload: Any) -> Any:
    """Of PutBucketEncryption. Raises MalformedXML, InvalidArgument, NotImplemented."""
    rules = payload["Rules"]
    if len(rules) != 1:
        raise MalformedXML()
    default = rules[0].get("ApplyServerSideEncryptionByDefault")
    if default is None:
        raise MalformedXML()
    if default["SSEAlgorithm"] == ALGORITHM and "KMSMasterKeyID" in default:
        raise InvalidArgument(
            "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse",
            ArgumentName="ApplyServerSideEncryptionByDefault",
        )
    if default["SSEAlgorithm"] not in (ALGORITHM, _KMS):
        raise unsupported(f"encryption with {default['SSEAlgorithm']}: use AES256 or aws:kms.")
    return {"Rules": [{"BucketKeyEnabled": False, **rules[0]}]}


def _wanted(bucket: Bucket, parameters: Parameters) -> tuple[str | None, bool] | None:
    """The KMS key (None for S3's own), and whether a bucket key may be used; None where S3 encrypts."""
    configuration = bucket.configurations.get(_CONFIGURATION, DEFAULT_ENCRYPTION)
    rule: Mapping[str, Any] = configuration["Rules"][0]
    default = rule["ApplyServerSideEncryptionByDefault"]
    algorithm = parameters.get("ServerSideEncryption")
    if algorithm not in (None, ALGORITHM, _KMS):
        if algorithm not in ("aws:kms:dsse", "aws:fsx"):
            raise InvalidArgument(
                "The encryption method specified is not supported",
                ArgumentName=_HEADER,
                ArgumentValue=algorithm,
            )
        raise unsupported(f"encryption with {algorithm}; use AES256 or aws:kms.")
    key_id = parameters.get("SSEKMSKeyId")
    if algorithm != _KMS and (key_id or parameters.get("SSEKMSEncryptionContext")):
        raise InvalidArgument(
            f"Server Side Encryption with AWS KMS managed key requires HTTP header {_HEADER} : aws:kms",
            ArgumentName=_HEADER,
        )
    if (algorithm or default["SSEAlgorithm"]) != _KMS:
        return None
    bucket_key = parameters.get("BucketKeyEnabled", rule.get("BucketKeyEnabled", False))
    named = key_id or default.get("KMSMasterKeyID")
    return None if named is None or named.endswith(_OWN_KEY) else named, bool(bucket_key)


def _given_context(parameters: Parameters) -> dict[str, str]:
    text = parameters.get("SSEKMSEncryptionContext")
    if not text:
        return {}
    try:
        context = json.loads(b64decode(text, validate=True))
    except ValueError:
        context = None
    if not isinstance(context, dict) or not all(isinstance(value, str) for value in context.values()):
        raise InvalidArgument(
            f"The header '{_HEADER}-context' shall be Base64-encoded UTF-8 string holding JSON which represents a "
            "string-string map"
        )
    return context


def _customer_key(parameters: Parameters, source: str) -> bytes | None:
    """SSE-C's three headers. Raises InvalidArgument, InvalidEncryptionAlgorithmError."""
    algorithm = parameters.get(f"{source}SSECustomerAlgorithm")
    text = parameters.get(f"{source}SSECustomerKey")
    if algorithm is None and text is None:
        return None
    if text is None:
        raise _bad_key(f"{_CUSTOMER} an appropriate secret key.")
    if algorithm is None:
        raise _bad_key(f"{_CUSTOMER} a valid encryption algorithm.")
    try:
        key = b64decode(text, validate=True)
    except ValueError:
        key = b""
    if len(key) != _KEY_BYTES:
        raise _bad_key("The secret key was invalid for the specified algorithm.")
    if algorithm != ALGORITHM:
        raise InvalidEncryptionAlgorithmError(ArgumentName=_HEADER, ArgumentValue=algorithm)
    if parameters.get(f"{source}SSECustomerKeyMD5") != _md5(key):
        raise _bad_key("The calculated MD5 hash of the key did not match the hash that was provided.")
    return key


def _refuse_beside_customer_key(parameters: Parameters) -> None:
    algorithm = parameters.get("ServerSideEncryption")
    if algorithm is not None:
        raise InvalidArgument(
            "Server Side Encryption with Customer provided key is incompatible with the encryption method specified",
            ArgumentName=_HEADER,
            ArgumentValue=algorithm,
        )


def _bad_key(message: str) -> InvalidArgument:
    return InvalidArgument(message, ArgumentName=_HEADER, ArgumentValue="null")


def _md5(key: bytes) -> str:
    return b64encode(hashlib.md5(key, usedforsecurity=False).digest()).decode()


def _translate(error: ServiceException) -> ServiceException:
    if error.code == "AccessDeniedException":
        return AccessDenied(error.message)
    return KmsRefusal(f"KMS.{error.code}", error.message)
