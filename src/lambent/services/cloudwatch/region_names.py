"""Regions as people know them: "US East (N. Virginia)", as alarms tell topics."""

from functools import lru_cache

from botocore.loaders import Loader


def region_name(region: str) -> str:
    """`region` itself where botocore knows no name for it."""
    return _names().get(region, region)


@lru_cache(maxsize=1)
def _names() -> dict[str, str]:
    partitions = Loader().load_data("endpoints")["partitions"]
    return {
        region: about["description"]
        for partition in partitions
        for region, about in partition["regions"].items()
    }
