"""S3's errors. `text` is the message where AWS always says the same.

Source: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html, and answers that public test suites
recorded from AWS.
"""

from typing import Any

from lambent.model.error import ServiceException


class Fixed(ServiceException):
    """An error with one message."""

    status = 400
    text = ""

    def __init__(self, **members: Any) -> None:
        super().__init__(self.text, members=members)


class _Told(ServiceException):
    """An error whose message says more."""

    status = 400

    def __init__(self, message: str, **members: Any) -> None:
        super().__init__(message, members=members)


class NoSuchBucket(Fixed):
    status = 404
    text = "The specified bucket does not exist"


class NoSuchKey(Fixed):
    status = 404
    text = "The specified key does not exist."


class NoSuchVersion(Fixed):
    status = 404
    text = "The specified version does not exist."


class NoSuchUpload(Fixed):
    status = 404
    text = (
        "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or "
        "completed."
    )


class NoSuchConfiguration(Fixed):
    status = 404
    text = "The specified configuration does not exist."


class IdMismatch(Fixed):
    text = "Document ID does not match the specified configuration ID."


class InvalidS3DestinationBucket(Fixed):
    text = "Invalid bucket ARN."


class InvalidConfigurationId(Fixed):
    text = "The specified configuration id is invalid."


class BucketAlreadyExists(Fixed):
    status = 409
    text = (
        "The requested bucket name is not available. The bucket namespace is shared by all users of the system. "
        "Please select a different name and try again."
    )


class BucketAlreadyOwnedByYou(Fixed):
    status = 409
    text = "Your previous request to create the named bucket succeeded and you already own it."


class BucketNotEmpty(_Told):
    status = 409


class InvalidBucketName(Fixed):
    text = "The specified bucket is not valid."


class InvalidNamespaceHeader(_Told):
    pass


class InvalidLocationConstraint(Fixed):
    text = "The specified location-constraint is not valid"


class IllegalLocationConstraintException(_Told):
    pass


class InvalidArgument(_Told):
    pass


class InvalidRequest(_Told):
    pass


class InvalidRange(Fixed):
    status = 416
    text = "The requested range is not satisfiable"


class InvalidPartNumber(Fixed):
    status = 416
    text = "The requested partnumber is not satisfiable"


class InvalidTag(_Told):
    pass


class BadRequest(_Told):
    pass


class InvalidDigest(Fixed):
    text = "The Content-MD5 you specified was invalid."


class BadDigest(_Told):
    pass


class InvalidStorageClass(Fixed):
    text = "The storage class you specified is not valid"


class InvalidObjectState(_Told):
    status = 403


class InvalidPart(Fixed):
    text = (
        "One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified "
        "entity tag may not match the part's entity tag."
    )


class InvalidPartOrder(Fixed):
    text = "The list of parts was not in ascending order. Parts must be ordered by part number."


class EntityTooSmall(Fixed):
    text = "Your proposed upload is smaller than the minimum allowed size"


class EntityTooLarge(Fixed):
    text = "Your proposed upload exceeds the maximum allowed size"


class InvalidURI(Fixed):
    text = "Couldn't parse the specified URI."


class KeyTooLongError(Fixed):
    text = "Your key is too long"


class MetadataTooLarge(Fixed):
    text = "Your metadata headers exceed the maximum allowed metadata size"


class MalformedXML(Fixed):
    text = "The XML you provided was not well-formed or did not validate against our published schema"


class MalformedPolicy(_Told):
    pass


class MalformedPOSTRequest(_Told):
    pass


class InvalidRedirectLocation(Fixed):
    text = "The website redirect location must have a prefix of 'http://' or 'https://' or '/'."


class InvalidTargetBucketForLogging(_Told):
    pass


class CrossLocationLoggingProhibitted(Fixed):
    status = 403
    text = "Cross S3 location logging not allowed. "


class MissingRequestBodyError(Fixed):
    text = "Request Body is empty"


class MethodNotAllowed(Fixed):
    status = 405
    text = "The specified method is not allowed against this resource."


class PreconditionFailed(Fixed):
    status = 412
    text = "At least one of the pre-conditions you specified did not hold"


class NotModified(Fixed):
    status = 304
    text = "Not Modified"
    _code = "304"


class ConditionalRequestConflict(Fixed):
    status = 409
    text = "The conditional request cannot succeed due to a conflicting operation against this resource."


class OperationAborted(Fixed):
    status = 409
    text = "A conflicting conditional operation is currently in progress against this resource. Please try again."


class InvalidEncryptionAlgorithmError(Fixed):
    text = "The Encryption request you specified is not valid. Supported value: AES256."


class InvalidBucketState(_Told):
    status = 409


class NoSuchObjectLockConfiguration(Fixed):
    status = 404
    text = "The specified object does not have a ObjectLock configuration"


class IllegalVersioningConfigurationException(Fixed):
    text = "The Versioning element must be specified"


class AccessControlListNotSupported(Fixed):
    text = "The bucket does not allow ACLs"


class InvalidBucketAclWithObjectOwnership(Fixed):
    text = "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting"


class InvalidBucketAclWithBlockPublicAccessError(Fixed):
    text = "Bucket cannot have public ACLs set with BlockPublicAccess enabled"


class MalformedACLError(Fixed):
    text = "The XML you provided was not well-formed or did not validate against our published schema"


class MissingSecurityHeader(Fixed):
    text = "Your request was missing a required header"


class UnexpectedContent(Fixed):
    text = "This request does not support content"


class UnresolvableGrantByEmailAddress(Fixed):
    text = "The e-mail address you provided does not match any account on record."


class AccessDenied(_Told):
    status = 403


class ObjectProtected(Fixed):
    status = 403
    text = "Access Denied because object protected by object lock."
    _code = "AccessDenied"


class NotOffered(_Told):
    """What AWS offers and Lambent does not; also what AWS itself refuses by this name."""

    status = 501
    _code = "NotImplemented"


class SlowDown(Fixed):
    """The disk is full: nothing was stored, and the client may try again."""

    status = 503
    text = "Please reduce your request rate."


class NotConfigured(ServiceException):
    """A bucket has no such configuration. Each has an error of its own; `code` says which."""

    status = 404

    def __init__(self, code: str, message: str, bucket: str) -> None:
        super().__init__(message, code=code, members={"BucketName": bucket})


class KmsRefusal(ServiceException):
    """What KMS says of a key, by KMS's own name for it."""

    status = 400

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message, code=code)


def unsupported(message: str) -> NotOffered:
    """Names the header or parameter that Lambent does not act on."""
    return NotOffered(f"Lambent does not offer {message}")


def unsupported_header(header: str, message: str | None = None) -> NotOffered:
    extra = {} if message is None else {"additionalMessage": message}
    return NotOffered(
        "A header you provided implies functionality that is not implemented", Header=header, **extra
    )
