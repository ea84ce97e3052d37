"""The constraints of a model (required, length, range, pattern, enum), compiled to closures, with AWS's
texts.

All violations of one request are reported together, in the model's order. Paths are written as AWS does:
names begin in lower case, elements of lists are `tags.1.member.key`.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lambent.model.caller import Parameters
from lambent.wire.constraint_style import ConstraintStyle
from lambent.wire.exceptions import RejectedRequest
from lambent.wire.patterns import UnreadablePatternError, compile_pattern
from lambent.wire.shapes import Shape
from lambent.wire.structures import StructureCache
from lambent.wire.written_values import write_records, write_value

Path = tuple[Any, str | int] | None
"""(parent, name); joined only when an error is written."""
Check = Callable[[Any, Path, list[str]], None]
Test = tuple[Callable[[Any], bool], str]
"""Whether a value holds, and what is said if it does not."""

_SCALARS = frozenset(
    {"string", "character", "blob", "integer", "long", "float", "double", "boolean", "timestamp"}
)
_ENUM = "Member must satisfy enum value set"
_PATTERN = "Member must satisfy regular expression pattern:"
_TOO_LONG = "Member must have length less than or equal to"
_UNREADABLE_LENGTH = 4096
_REMEMBERED_MOST = 2048
_REMEMBERED_LENGTH_MOST = 256
"""Java's patterns can take very long on long text: what is too long anyway is not matched beyond this."""


class ConstraintCompiler:
    """Checks for the shapes of one service. A shape without constraints, at any depth, has the check None."""

    def __init__(self, style: ConstraintStyle) -> None:
        self._style = style
        self._structures: StructureCache[Check | None] = StructureCache()

    def compile_input(self, shape: Shape | None) -> Callable[[Parameters], None] | None:
        """A check of an operation's whole input, which raises the service's validation error."""
        check = self._compile(shape) if shape is not None else None
        if check is None:
            return None

        def validate(parameters: Parameters) -> None:
            errors: list[str] = []
            check(parameters, None, errors)
            if errors:
                if self._style.nested is not None and any("." in _path_of(error) for error in errors):
                    raise RejectedRequest(*self._style.nested)
                plural = "s" if len(errors) > 1 else ""
                message = f"{len(errors)} validation error{plural} detected: {'; '.join(errors)}"
                raise RejectedRequest(self._style.code, message)

        return validate

    def _compile(self, shape: Shape) -> Check | None:
        match shape.type_name:
            case "structure":
                return self._structure(shape)
            case "list":
                return self._list(shape)
            case "map":
                return self._map(shape)
            case _:
                return self._scalar(shape)

    def _structure(self, shape: Shape) -> Check | None:
        return self._structures.get(shape.name, lambda: self._compile_structure(shape))

    def _compile_structure(self, shape: Shape) -> Check | None:
        if shape.is_document_type:
            return None
        required = frozenset(shape.required_members)
        members: list[tuple[str, str, bool, Check | None]] = []
        for name, member in shape.members.items():
            check = self._compile(member)
            if check is not None or name in required:
                members.append((name, _lower_first(name), name in required, check))
        if not members:
            return None
        members.sort(key=lambda member: member[0] not in self._style.told_first)
        missing, missing_nested = self._style.missing, self._style.missing_nested

        def check_members(value: Any, path: Path, errors: list[str]) -> None:
            for name, written, is_required, check in members:
                item = value.get(name)
                if item is None:
                    if not is_required:
                        continue
                    if missing is not None and path is None:
                        code, text = missing
                        raise RejectedRequest(code, text.format(name=name))
                    if missing is None or missing_nested:
                        errors.append(_null_error((path, written)))
                elif check is not None:
                    check(item, (path, written), errors)

        return check_members

    def _scalar(self, shape: Shape) -> Check | None:
        tests = [test for test in self._tests(shape) if test[0] is not _always]
        if not tests:
            return None
        explain = self._explain(shape)
        if len(tests) == 1:
            ((holds, text),) = tests

            def check_one(value: Any, path: Path, errors: list[str]) -> None:
                if not holds(value):
                    errors.append(explain(value, path, text))

            return check_one

        def check_all(value: Any, path: Path, errors: list[str]) -> None:
            for holds, text in tests:
                if not holds(value):
                    errors.append(explain(value, path, text))

        return check_all

    def _list(self, shape: Shape) -> Check:
        tests = _length_tests(shape.metadata)
        explain = self._explain(shape)
        element = shape.member
        scalar = element.type_name in _SCALARS
        element_tests = self._tests(element) if scalar else []
        element_text = self._element_text(shape, element_tests)
        element_check = None if scalar else self._compile(element)

        def check_list(value: Any, path: Path, errors: list[str]) -> None:
            for holds, text in tests:
                if not holds(value):
                    errors.append(explain(value, path, text))
            if scalar:
                if not all(
                    item is not None and all(holds(item) for holds, _ in element_tests) for item in value
                ):
                    errors.append(explain(value, path, element_text))
                return
            for index, item in enumerate(value, 1):
                if item is None:
                    errors.append(_null_error((path, index)))
                elif element_check is not None:
                    element_check(item, (path, index), errors)

        return check_list

    def _map(self, shape: Shape) -> Check:
        tests = _length_tests(shape.metadata)
        explain = self._explain(shape)
        key_tests = self._tests(shape.key)
        told = _join_texts(key_tests)
        if shape.name in self._style.keys_not_null:
            told += ", Member must not be null"
        key_text = f"Map keys must satisfy constraint: [{told}]"
        scalar = shape.value.type_name in _SCALARS
        value_tests = self._tests(shape.value) if scalar else []
        value_text = self._element_text(shape, value_tests).replace(
            "Member must satisfy", "Map value must satisfy", 1
        )
        value_check = None if scalar else self._compile(shape.value)

        def check_map(value: Any, path: Path, errors: list[str]) -> None:
            for holds, text in tests:
                if not holds(value):
                    errors.append(explain(value, path, text))
            if not all(holds(key) for key in value for holds, _ in key_tests):
                errors.append(explain(value, path, key_text))
            if scalar:
                if not all(
                    item is not None and all(holds(item) for holds, _ in value_tests)
                    for item in value.values()
                ):
                    errors.append(explain(value, path, value_text))
                return
            for key, item in value.items():
                if item is None:
                    errors.append(_null_error((path, f"{key}.member")))
                elif value_check is not None:
                    value_check(item, (path, f"{key}.member"), errors)

        return check_map

    def _tests(self, shape: Shape) -> list[Test]:
        pattern = self._style.patterns.get(shape.name)
        tests = _tests(shape, {} if pattern is None else {"pattern": pattern})
        order = self._style.orders.get(shape.name)
        if order is not None:
            tests = [(holds, _enum_text(order) if text.startswith(_ENUM) else text) for holds, text in tests]
        if self._style.enums and shape.name not in self._style.unchecked:
            return tests
        left = _ENUM if shape.name not in self._style.unchecked else (_ENUM, _PATTERN)
        return [one for one in tests if not one[1].startswith(left)]

    def _element_text(self, shape: Shape, tests: list[Test]) -> str:
        texts = [text for _, text in tests]
        if texts and shape.name in self._style.elements_bare:
            return "; ".join(texts)
        nullable = not self._style.elements_not_null or shape.name in self._style.elements_nullable
        if not texts or not nullable:
            texts.append("Member must not be null")
        return f"Member must satisfy constraint: [{', '.join(texts)}]"

    def _explain(self, shape: Shape) -> Callable[[Any, Path, str], str]:
        """Writes one error. A sensitive value is never repeated."""
        style = self._style
        repeats_value = (
            style.repeats_value and shape.name not in style.not_repeated and not _is_sensitive(shape)
        )
        told = style.orders.get(shape.name, shape.metadata.get("enum", ()))
        values = "[" + ", ".join(told) + "]"
        record = style.records.get(shape.member.name) if shape.type_name == "list" else None
        too_long = style.too_long.get(shape.name)

        def explain(value: Any, path: Path, text: str) -> str:
            written = _write_path(path)
            apart = style.apart.get(written) or style.apart.get(shape.name)
            if apart is not None:
                code, sentence, members = apart
                said = {"value": value, "path": written, "values": values}
                raise RejectedRequest(
                    code,
                    sentence.format(**said),
                    **{name: member.format(**said) for name, member in members.items()},
                )
            if too_long is not None and text.startswith(_TOO_LONG):
                raise RejectedRequest(style.code, too_long)
            if not repeats_value:
                return f"Value at '{written}' failed to satisfy constraint: {text}"
            shown = write_value(value) if record is None else write_records(shape.member.name, record, value)
            return f"Value '{shown}' at '{written}' failed to satisfy constraint: {text}"

        return explain


def _tests(shape: Shape, changed: Mapping[str, Any]) -> list[Test]:
    """`changed` is what AWS holds of a shape otherwise than its model says."""
    metadata = {**shape.metadata, **changed}
    match shape.type_name:
        case "string" | "character":
            return _length_tests(metadata) + _pattern_tests(metadata) + _enum_tests(metadata)
        case "blob":
            return _length_tests(metadata)
        case "integer" | "long" | "float" | "double":
            return _range_tests(metadata)
        case _:
            return []


def _length_tests(metadata: Mapping[str, Any]) -> list[Test]:
    tests: list[Test] = []
    if (most := metadata.get("max")) is not None:
        tests.append((lambda value: len(value) <= most, f"{_TOO_LONG} {most}"))
    if (least := metadata.get("min")) is not None:
        holds = (lambda value: len(value) >= least) if least else _always
        tests.append((holds, f"Member must have length greater than or equal to {least}"))
    return tests


def _always(value: Any) -> bool:
    """Of a constraint that is told beside others, and never violated."""
    return True


def _range_tests(metadata: Mapping[str, Any]) -> list[Test]:
    tests: list[Test] = []
    if (most := metadata.get("max")) is not None:
        tests.append((lambda value: value <= most, f"Member must have value less than or equal to {most}"))
    if (least := metadata.get("min")) is not None:
        tests.append(
            (lambda value: value >= least, f"Member must have value greater than or equal to {least}")
        )
    return tests


def _pattern_tests(metadata: Mapping[str, Any]) -> list[Test]:
    pattern = metadata.get("pattern")
    if not pattern or pattern in (".*", "[\\s\\S]*"):
        return []
    longest = max(metadata.get("max", _UNREADABLE_LENGTH), _UNREADABLE_LENGTH)
    try:
        fullmatch = compile_pattern(pattern).fullmatch
    except UnreadablePatternError:
        return []  # listed by tests/unit/wire/test_wire_patterns.py, for every service we offer
    text = f"{_PATTERN} {pattern}"
    accepted: set[str] = set()

    def holds(value: Any) -> bool:
        """The same few names come again and again, and some patterns are slow."""
        if value in accepted:
            return True
        if len(value) > longest:
            return True
        if fullmatch(value) is None:
            return False
        if len(value) <= _REMEMBERED_LENGTH_MOST:
            if len(accepted) >= _REMEMBERED_MOST:
                accepted.clear()
            accepted.add(value)
        return True

    return [(holds, text)]


def _enum_tests(metadata: Mapping[str, Any]) -> list[Test]:
    values = metadata.get("enum")
    if not values:
        return []
    return [(frozenset(values).__contains__, _enum_text(values))]


def _enum_text(values: Sequence[str]) -> str:
    return f"{_ENUM}: [{', '.join(values)}]"


def _join_texts(tests: list[Test]) -> str:
    return ", ".join(text for _, text in tests)


def _is_sensitive(shape: Shape) -> bool:
    if shape.metadata.get("sensitive"):
        return True
    if shape.type_name == "list":
        return _is_sensitive(shape.member)
    if shape.type_name == "map":
        return _is_sensitive(shape.key) or _is_sensitive(shape.value)
    return False


def _null_error(path: Path) -> str:
    return f"Value null at '{_write_path(path)}' failed to satisfy constraint: Member must not be null"


def _write_path(path: Path) -> str:
    names: list[str] = []
    while path is not None:
        path, name = path
        names.append(name if isinstance(name, str) else f"{name}.member")
    return ".".join(reversed(names))


def _lower_first(name: str) -> str:
    return name[0].lower() + name[1:]


def _path_of(error: str) -> str:
    return error.partition("at '")[2].partition("'")[0]
