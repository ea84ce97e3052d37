"""Whether a query string says anything that a model knows: that of a presigned URL mostly does not."""


def may_name(query: str, names: frozenset[str]) -> bool:
    """Whether one of `names` may be in the query. Decoding it all, as `parse_qsl` does, takes 20 µs instead of 4."""
    for pair in query.split("&"):
        name = pair.partition("=")[0]
        if name in names or "%" in name:
            return True
    return False
