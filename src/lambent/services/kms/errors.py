"""The errors of AWS KMS, by AWS's names."""

from lambent.model.error import ServiceException


class KmsException(ServiceException):
    status = 400


class AlreadyExistsException(KmsException):
    pass


class DisabledException(KmsException):
    pass


class DryRunOperationException(KmsException):
    status = 412

    def __init__(self) -> None:
        super().__init__("The request would have succeeded, but the DryRun option is set.")


class ExpiredImportTokenException(KmsException):
    def __init__(self) -> None:
        super().__init__("")


class IncorrectKeyException(KmsException):
    def __init__(self) -> None:
        super().__init__("The key ID in the request does not identify a CMK that can perform this operation.")


class IncorrectKeyMaterialException(KmsException):
    def __init__(self) -> None:
        super().__init__("")


class InvalidAliasNameException(KmsException):
    pass


class InvalidCiphertextException(KmsException):
    """AWS says nothing more of it: what it is that does not fit would help whoever guesses."""

    def __init__(self) -> None:
        super().__init__("")


class InvalidGrantIdException(KmsException):
    pass


class InvalidImportTokenException(KmsException):
    def __init__(self) -> None:
        super().__init__("")


class InvalidKeyUsageException(KmsException):
    pass


class InvalidMarkerException(KmsException):
    pass


class KMSInvalidMacException(KmsException):
    def __init__(self) -> None:
        super().__init__("")


class KMSInvalidSignatureException(KmsException):
    def __init__(self) -> None:
        super().__init__("")


class KMSInvalidStateException(KmsException):
    pass


class LimitExceededException(KmsException):
    pass


class MalformedPolicyDocumentException(KmsException):
    pass


class NotFoundException(KmsException):
    pass


class TagException(KmsException):
    pass


class UnsupportedOperationException(KmsException):
    pass


class ValidationException(KmsException):
    pass
