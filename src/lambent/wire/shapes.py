"""botocore's shapes, as this package looks at them."""

from typing import Any

Shape = Any
"""A botocore.model.Shape. Which attributes it has (members, member, key…) depends on `type_name`, not on a
type that a checker can see."""
