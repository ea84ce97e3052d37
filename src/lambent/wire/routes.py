"""Which operation a rest request is for: by method, path, and the parts of the query string that a model
fixes.

The most specific route wins: literal segments before labels before greedy labels, then the route with the
most fixed query parts. Where operations differ in nothing but a required query parameter or header (S3's
UploadPart and PutObject), the one whose requirements are all there wins.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote

from botocore.model import OperationModel, ServiceModel

from lambent.http.message import Request
from lambent.wire.exceptions import InvalidURI
from lambent.wire.query_names import may_name

Labels = dict[str, str]
_NO_PARTS: frozenset[tuple[str, str]] = frozenset()

_REMEMBERED_MOST = 4096
_REMEMBERED_LENGTH_MOST = 256
"""Characters of a path: what a stranger sends before it is authenticated may not fill the memory."""


@dataclass(slots=True)
class _Route:
    """One operation at the end of a path. `fixed` are the query parts that its URI spells out."""

    operation: str
    labels: tuple[str, ...]
    fixed: frozenset[tuple[str, str]]
    required_query: frozenset[str] = frozenset()
    required_headers: frozenset[str] = frozenset()
    deprecated: bool = False

    @property
    def rank(self) -> tuple[int, int, bool]:
        return -len(self.fixed), -len(self.required_query) - len(self.required_headers), self.deprecated

    @property
    def query_names(self) -> frozenset[str]:
        return self.required_query | {name for name, _ in self.fixed}


@dataclass(slots=True)
class _Node:
    literals: dict[str, "_Node"] = field(default_factory=dict)
    label: "_Node | None" = None
    greedy: "_Node | None" = None
    routes: list[_Route] = field(default_factory=list)
    query_names: frozenset[str] = frozenset()
    """Those that its routes are told apart by."""


class Router:
    """The routes of one rest service."""

    def __init__(self, service: ServiceModel) -> None:
        self._found: dict[tuple[str, str], tuple[_Node, tuple[str, ...]]] = {}
        self._told: dict[tuple[str, str], tuple[str, Labels]] = {}
        """Where nothing but method and path decides, the whole answer."""
        self._methods: dict[str, _Node] = {}
        for name in service.operation_names:
            self._add(service.operation_model(name))
        for root in self._methods.values():
            self._settle(root, service)

    def _add(self, operation: OperationModel) -> None:
        method, uri = operation.http["method"], operation.http["requestUri"]
        path, _, query = uri.partition("?")
        node = self._methods.setdefault(method, _Node())
        labels = []
        for segment in _segments(path):
            if not segment.startswith("{"):
                node = node.literals.setdefault(segment, _Node())
            elif segment.endswith("+}"):
                labels.append(segment[1:-2])
                node.greedy = node = node.greedy or _Node()
            else:
                labels.append(segment[1:-1])
                node.label = node = node.label or _Node()
        fixed = frozenset(parse_qsl(query, keep_blank_values=True))
        node.routes.append(
            _Route(operation.name, tuple(labels), fixed, deprecated=bool(operation.deprecated))
        )

    def _settle(self, node: _Node, service: ServiceModel) -> None:
        """Orders the routes of every node. Only rivals need a look at their requirements."""
        if len(node.routes) > 1:
            for route in node.routes:
                _read_requirements(route, service.operation_model(route.operation))
            node.routes.sort(key=lambda route: route.rank)
        node.query_names = frozenset(name for route in node.routes for name in route.query_names)
        children: Iterable[_Node | None] = (*node.literals.values(), node.label, node.greedy)
        for child in children:
            if child is not None:
                self._settle(child, service)

    def find(self, request: Request) -> tuple[str, Labels] | None:
        """The operation's name and the decoded labels (not to be changed), or None. Raises InvalidURI."""
        place = (request.method, request.path)
        told = self._told.get(place)
        if told is not None:
            return told
        found = self._found.get(place)
        if found is None:
            found = self._walk(request)
            if found is None:
                return None
            self._remember(place, found)
        node, values = found
        alone = len(node.routes) == 1 and not node.routes[0].fixed
        route = node.routes[0] if alone else _choose(node, request)
        if route is None:
            return None
        decoded = [_decode(value) if "%" in value else value for value in values]
        answer = route.operation, dict(zip(route.labels, decoded, strict=True))
        if alone and place in self._found:
            self._told[place] = answer
        return answer

    def _walk(self, request: Request) -> "tuple[_Node, tuple[str, ...]] | None":
        root = self._methods.get(request.method)
        if root is None:
            return None
        segments = request.path.split("/")
        del segments[0]
        return _walk(root, segments, 0, ())

    def _remember(self, place: tuple[str, str], found: "tuple[_Node, tuple[str, ...]]") -> None:
        """The same functions are invoked over and over. Forgets all when there is too much: finding again is cheap."""
        if len(place[1]) > _REMEMBERED_LENGTH_MOST:
            return
        if len(self._found) >= _REMEMBERED_MOST:
            self._found.clear()
            self._told.clear()
        self._found[place] = found


def _decode(text: str) -> str:
    """Never with a substitute for what is no UTF-8: two keys of S3 would become one. Raises InvalidURI."""
    try:
        return unquote(text, errors="strict")
    except UnicodeDecodeError:
        raise InvalidURI("Couldn't parse the specified URI.") from None


def _segments(path: str) -> list[str]:
    return [segment for segment in path.split("/") if segment]


def _walk(
    node: _Node, segments: list[str], at: int, values: tuple[str, ...]
) -> tuple[_Node, tuple[str, ...]] | None:
    """The node where the path ends, with the labels' values. A slash at the end makes no difference to
    AWS."""
    left = len(segments) - at
    if (left == 0 or (left == 1 and not segments[at])) and node.routes:
        return node, values
    if left == 0:
        return None
    segment = segments[at]
    child = node.literals.get(segment)
    if child is not None and (found := _walk(child, segments, at + 1, values)) is not None:
        return found
    if node.label is not None and segment:
        found = _walk(node.label, segments, at + 1, (*values, segment))
        if found is not None:
            return found
    if node.greedy is not None:
        return _walk_greedy(node.greedy, segments, at, values)
    return None


def _walk_greedy(
    node: _Node, segments: list[str], at: int, values: tuple[str, ...]
) -> tuple[_Node, tuple[str, ...]] | None:
    """A greedy label takes all it can and leaves what the rest of the route needs."""
    if node.routes and (rest := "/".join(segments[at:])):
        return node, (*values, rest)
    if not node.literals and node.label is None:
        return None
    for end in range(len(segments) - 1, at, -1):
        found = _walk(node, segments, end, (*values, "/".join(segments[at:end])))
        if found is not None:
            return found
    return None


def _choose(node: _Node, request: Request) -> _Route | None:
    """The best of the routes with the most fixed parts that are there. If the requirements of none are met, the one
    that asks least: its operation then says what is missing."""
    query = request.query
    told = query and may_name(query, node.query_names)
    parts = frozenset(parse_qsl(query, keep_blank_values=True)) if told else _NO_PARTS
    names = {name for name, _ in parts}
    possible = [route for route in node.routes if route.fixed <= parts]
    most = max((len(route.fixed) for route in possible), default=0)
    closest = [route for route in possible if len(route.fixed) == most]
    for route in closest:
        if route.required_query <= names and route.required_headers <= request.headers.keys():
            return route
    return max(closest, key=lambda route: route.rank[1], default=None)


def _read_requirements(route: _Route, operation: OperationModel) -> None:
    shape = operation.input_shape
    if shape is None:
        return
    where: Mapping[str, set[str]] = {"querystring": set(), "header": set()}
    for name in shape.required_members:
        member = shape.members[name]
        location = member.serialization.get("location", "")
        if location in where:
            where[location].add(member.serialization.get("name", name))
    route.required_query = frozenset(where["querystring"])
    route.required_headers = frozenset(name.lower() for name in where["header"])
