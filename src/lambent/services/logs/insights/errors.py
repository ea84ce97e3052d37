"""What is wrong with a query, and where."""


class MalformedQueryError(Exception):
    """`start` and `end` are characters of the query."""

    def __init__(self, message: str, start: int, end: int) -> None:
        super().__init__(message)
        self.message = message
        self.start = start
        self.end = end

    @classmethod
    def unexpected(cls, query: str, start: int, end: int) -> "MalformedQueryError":
        """As AWS says it; lines and positions count from 1."""
        if start >= len(query):
            return cls("unexpected end of the query", start, start)
        line = query.count("\n", 0, start) + 1
        position = start - (query.rfind("\n", 0, start) + 1) + 1
        found = query[start:end]
        return cls(f"unexpected symbol found {found} at line {line} and position {position}", start, end)


class QueryFailedError(Exception):
    """A query that could be understood, and cannot be answered."""
