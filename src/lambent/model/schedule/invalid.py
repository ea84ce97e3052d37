"""The one way in which a schedule expression is refused."""


class InvalidScheduleError(Exception):
    """Not a schedule expression: each service words it in its own way."""
