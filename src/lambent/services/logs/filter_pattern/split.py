"""Splits a message into its space-delimited fields."""

_CLOSING = {"[": "]", '"': '"'}


def split(message: str, most: int | None = None) -> list[str]:
    """The fields of a message; text in brackets or double quotes is one field, and loses them.

    With `most`, the last field is whatever is left, unless that is a single field."""
    fields: list[str] = []
    closing = _Closing(message)
    position = _skip_space(message, 0)
    while position < len(message):
        value, end = _field(message, position, closing)
        following = _skip_space(message, end)
        if most is not None and len(fields) == most - 1 and following < len(message):
            fields.append(message[position:].rstrip())
            break
        fields.append(value)
        position = following
    return fields


class _Closing:
    """Finds the character that closes a field, searching each stretch of the message once."""

    def __init__(self, message: str) -> None:
        self._message = message
        self._next: dict[str, int] = {}

    def after(self, opening: int) -> int:
        """Its position, or the message's length where there is none."""
        character = _CLOSING[self._message[opening]]
        known = self._next.get(character, -1)
        if known <= opening:
            found = self._message.find(character, opening + 1)
            known = self._next[character] = found if found >= 0 else len(self._message)
        return known


def _field(message: str, start: int, closing: _Closing) -> tuple[str, int]:
    if message[start] in _CLOSING:
        closed = closing.after(start)
        if closed < len(message) and message[closed + 1 : closed + 2].strip() == "":
            return message[start + 1 : closed], closed + 1
    end = start
    while end < len(message) and not message[end].isspace():
        end += 1
    return message[start:end], end


def _skip_space(message: str, position: int) -> int:
    while position < len(message) and message[position].isspace():
        position += 1
    return position
