"""What can be wrong with an image. `InvalidImageError` is its maker's fault."""

from lambent.artifacts.errors import ArtifactError


class InvalidImageError(ArtifactError):
    """An image that is refused, or damaged: the message says of what it is made that it should not be."""


class ImageTooLargeError(InvalidImageError):
    """Unpacked, the image has more bytes or files than may be."""
