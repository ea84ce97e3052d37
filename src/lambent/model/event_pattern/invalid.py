"""The one way in which a pattern is refused."""


class InvalidPatternError(Exception):
    """Not a pattern. The message is AWS's reason, with the place: what follows "Event pattern is not valid. Reason: "
    of EventBridge and "Invalid parameter: FilterPolicy: " of SNS.

        prefix match pattern must be a string
         at [Source: (String)"{"a":[{"prefix":1}]}"; line: 1, column: 18]
    """

    def __init__(self, reason: str, *places: str) -> None:
        super().__init__("\n at ".join((reason, *places)))
        self.reason = reason
