"""How a pattern is refused."""


class InvalidFilterPatternError(ValueError):
    """The pattern breaks the language's rules; the message says how, in AWS's words where known."""

    @classmethod
    def in_term(cls, character: str) -> "InvalidFilterPatternError":
        return cls(f"Invalid character(s) in term '{character}'")

    @classmethod
    def because(cls, reason: str) -> "InvalidFilterPatternError":
        return cls(f"Invalid filter pattern: {reason}")
