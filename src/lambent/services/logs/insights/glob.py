"""The globs of `parse`: text with a * for each thing that is taken."""


class Glob:
    def __init__(self, glob: str) -> None:
        self._before, *self._texts = glob.split("*")

    def taken(self, subject: str) -> tuple[str, ...]:
        """Nothing where the text does not match. What is between two stars ends the first as soon as it is found: so
        no text is looked at twice."""
        at = subject.find(self._before)
        if at < 0:
            return ()
        at += len(self._before)
        found: list[str] = []
        for number, following in enumerate(self._texts):
            if not following and number == len(self._texts) - 1:
                found.append(subject[at:].rstrip("\n"))
                break
            end = subject.find(following, at)
            if end < 0:
                return ()
            found.append(subject[at:end])
            at = end + len(following)
        return tuple(found)
