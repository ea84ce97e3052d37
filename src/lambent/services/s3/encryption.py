"""Default encryption of a bucket. Everything is reported as encrypted with SSE-S3, whose keys S3 keeps to itself:
here, that is the encryption of the disk. Keys of KMS or of the customer are refused.

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/default-bucket-encryption.html
"""

from typing import Any

from lambent.model.caller import Parameters
from lambent.services.s3.errors import InvalidArgument, MalformedXML, unsupported

ALGORITHM = "AES256"
DEFAULT_ENCRYPTION = {
    "Rules": [
        {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": ALGORITHM}, "BucketKeyEnabled": False},
    ]
}


def check_encryption(payload: Any) -> Any:
    """Raises MalformedXML, InvalidArgument, NotImplemented."""
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
    if default["SSEAlgorithm"] != ALGORITHM:
        raise unsupported("encryption with keys of KMS: SSEAlgorithm must be AES256.")
    return {"Rules": [{"BucketKeyEnabled": False, **rules[0]}]}


def refuse_other_keys(parameters: Parameters) -> None:
    """Raises NotImplemented where an object shall be encrypted by a key that we have not."""
    algorithm = parameters.get("ServerSideEncryption")
    if algorithm not in (None, ALGORITHM):
        if algorithm not in ("aws:kms", "aws:kms:dsse", "aws:fsx"):
            raise InvalidArgument(
                "The encryption method specified is not supported",
                ArgumentName="x-amz-server-side-encryption",
                ArgumentValue=algorithm,
            )
        raise unsupported(f"encryption with {algorithm}; use AES256.")
    for member in ("SSECustomerAlgorithm", "SSECustomerKey", "CopySourceSSECustomerKey"):
        if parameters.get(member):
            raise unsupported("encryption with customer-provided keys (SSE-C).")
    if parameters.get("SSEKMSKeyId") or parameters.get("SSEKMSEncryptionContext"):
        raise InvalidArgument(
            "Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption :"
            " aws:kms",
            ArgumentName="x-amz-server-side-encryption",
        )
