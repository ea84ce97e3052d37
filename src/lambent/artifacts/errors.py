"""What can be wrong with an artifact. `ArchiveError` is the uploader's fault, the others are ours or the
disk's."""


class ArtifactError(Exception):
    """Base of what artifacts raise."""


class ArtifactNotFoundError(ArtifactError):
    """No artifact has this digest."""


class ArtifactInUseError(ArtifactError):
    """An execution environment has this tree mounted."""


class ArtifactStoreFullError(ArtifactError):
    """The disk that holds the artifacts takes no more; what was there is intact."""


class ArchiveError(ArtifactError):
    """An archive that is refused."""


class NotAZipError(ArchiveError):
    """Not a zip file, or one that is truncated, corrupt, encrypted, or compressed other than by deflate."""


class EmptyZipError(ArchiveError):
    """A zip file without files."""


class TooManyEntriesError(ArchiveError):
    """More files and directories than a disk should be asked to hold for one archive."""


class UnzippedTooLargeError(ArchiveError):
    """The files are larger than may be. `size` is what the archive declares, in bytes."""

    def __init__(self, size: int, most: int) -> None:
        super().__init__(f"{size} bytes unzipped, where {most} are allowed")
        self.size = size


class UnsafeEntryError(ArchiveError):
    """An entry that would leave the tree, or that a tree cannot hold."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name!r}: {reason}")
        self.name = name
        self.reason = reason
