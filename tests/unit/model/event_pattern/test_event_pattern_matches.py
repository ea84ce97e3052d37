import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.model.event_pattern import parse_pattern, read_event


def matches(said: object, value: object) -> bool:
    return parse_pattern({"a": [said]}).matches({"a": value})


@pytest.mark.parametrize(
    ("said", "matching", "other"),
    [
        ("x", ["x", ["y", "x"]], ["X", "", None, 1, [], {}, {"x": "x"}]),
        ("", [""], [None, "x", []]),
        (None, [None, [None]], ["", "null", False, [], 0]),
        (True, [True], [1, "true", False, None]),
        (1, [1, 1.0, [2, 1]], ["1", True, 2]),
        (0, [0, -0.0], [False, ""]),
        (3.018e2, [301.8], [301]),
        ({"prefix": "eu-"}, ["eu-west-1", "eu-"], ["us", "EU-", None, 1]),
        ({"prefix": {"equals-ignore-case": "EU-"}}, ["eu-west-1", "Eu-x"], ["us"]),
        ({"suffix": ".png"}, ["a.png"], [".png.gz", 5]),
        ({"suffix": {"equals-ignore-case": ".PNG"}}, ["a.png"], ["a.gif"]),
        ({"equals-ignore-case": "alice"}, ["Alice", "ALICE"], ["alic", None, 1]),
        ({"exactly": "x"}, ["x"], ["y"]),
        ({"wildcard": "dir/*.png"}, ["dir/a.png", "dir/.png", "dir/x/y.png"], ["dir/a.png2", "a.png", 1]),
        ({"wildcard": "\\*a\\\\*"}, ["*a\\", "*a\\b"], ["xa\\"]),
        ({"numeric": [">", 0, "<=", 5]}, [5, 0.5, [9, 1]], [0, 6, "3", None, True, 6e9]),
        ({"numeric": ["=", 5]}, [5, 5.0], [4.999]),
        ({"numeric": ["<", 10]}, [-5e9, 9.99], [10, -6e9]),
        ({"cidr": "10.0.0.0/24"}, ["10.0.0.255"], ["10.0.1.0", "x", 1, "::1"]),
        ({"cidr": "2001:db8::/32"}, ["2001:db8::1"], ["2001:db9::1"]),
        ("::1", ["::1", "0:0:0:0:0:0:0:1"], ["::2"]),
        ({"anything-but": "x"}, ["y", 1, None, True, ["x", "y"]], ["x", ["x"], []]),
        ({"anything-but": ["x", "y"]}, ["z"], ["x", "y"]),
        ({"anything-but": [1, 2]}, [3, "1"], [1, 2.0]),
        ({"anything-but": 5}, [6, True], [5]),
        ({"anything-but": {"prefix": "init"}}, ["x", None, 1], ["initial"]),
        ({"anything-but": {"prefix": ["a", "b"]}}, ["c"], ["ax", "bx"]),
        ({"anything-but": {"suffix": ".png"}}, ["a.gif"], ["a.png"]),
        ({"anything-but": {"wildcard": "*/lib/*"}}, ["/usr/bin/x"], ["/usr/lib/x"]),
        ({"anything-but": {"equals-ignore-case": ["x", "Y"]}}, ["z"], ["X", "y"]),
        ({"exists": True}, ["", None, 0, False, ["x"]], [[], {}]),
    ],
)
def test_operators(said, matching, other):
    for value in matching:
        assert matches(said, value), value
    for value in other:
        assert not matches(said, value), value
    assert not parse_pattern({"a": [said]}).matches({"b": "x"})


def test_absence():
    pattern = parse_pattern({"a": {"b": [{"exists": False}]}})
    for event in ({}, {"a": {}}, {"a": {"c": 1}}, {"a": {"b": []}}, {"a": {"b": {"c": 1}}}, {"a": 1}):
        assert pattern.matches(event)
    for event in ({"a": {"b": None}}, {"a": {"b": [1]}}, {"a": [{"b": 1}, {"c": 1}]}, {"a.b": 1}):
        assert not pattern.matches(event)
    either = parse_pattern({"a": [{"exists": False}, "x"]})
    assert either.matches({}) and either.matches({"a": "x"}) and not either.matches({"a": "y"})


def test_keys_are_joined_with_dots():
    assert parse_pattern({"a.b": ["x"]}).matches({"a": {"b": "x"}})
    assert parse_pattern({"a": {"b": ["x"]}}).matches({"a.b": "x"})
    assert not parse_pattern({"a": {"b": ["x"]}}).matches({"a.b": {"b": "x"}})


def test_all_fields_of_one_alternative():
    pattern = parse_pattern(
        {"s": ["x"], "$or": [{"a": [1], "b": [1]}, {"c": {"$or": [{"d": [1]}, {"e": [1]}]}}]}
    )
    assert pattern.matches({"s": "x", "a": 1, "b": 1})
    assert pattern.matches({"s": "x", "c": {"e": 1}})
    assert not pattern.matches({"s": "x", "a": 1})
    assert not pattern.matches({"s": "y", "c": {"d": 1}})


ANNA_LEFT = {"people": {"name": ["Anna"], "address": {"side": ["left"]}}}


def test_members_are_looked_for_in_one_element():
    pattern = parse_pattern(ANNA_LEFT)
    right, left = {"side": "right"}, {"side": "left"}
    assert pattern.matches(
        {"people": [{"name": "Bea", "address": right}, {"name": "Anna", "address": [right, left]}]}
    )
    assert not pattern.matches(
        {"people": [{"name": "Anna", "address": right}, {"name": "Bea", "address": left}]}
    )


def test_absence_in_an_element():
    pattern = parse_pattern({"a": {"b": [1], "c": [{"exists": False}]}})
    assert pattern.matches({"a": [{"b": 1}, {"c": 2}]})
    assert not pattern.matches({"a": [{"b": 1, "c": 1}, {"b": 2}]})


def test_fields_are_read_once_for_many_patterns():
    fields = read_event({"a": [{"b": 1}, {"b": 2}], "c": "x"})
    assert parse_pattern({"a": {"b": [2]}, "c": ["x"]}).matches_fields(fields)
    assert not parse_pattern({"a": {"b": [3]}}).matches_fields(fields)


def test_attributes_of_messages():
    pattern = parse_pattern(
        {"store": ["here"], "interests": [{"prefix": "rug"}], "price": [{"numeric": [">=", 10]}]}
    )
    assert pattern.matches({"store": "here", "interests": ["tennis", "rugby"], "price": 10})


def test_no_depth_of_an_event_breaks_the_matcher():
    objects: dict = {"x": 1}
    arrays: list = [1]
    for _ in range(5_000):
        objects = {"a": [objects]}
        arrays = [arrays, 1]
    assert not parse_pattern({"a": {"b": [1]}}).matches(objects)
    assert parse_pattern({"a": [1], "b": [1]}).matches({"a": arrays, "b": arrays})
    assert not parse_pattern({"a": [2], "b": [1]}).matches({"a": arrays, "b": arrays})


@pytest.mark.timeout(20)
def test_no_wildcard_is_slow():
    """Were this matched with backtracking, the test would not end."""
    assert not matches({"wildcard": "*a*a*a*ab"}, "a" * 50_000)


NAMES = st.sampled_from(["a", "b", "c"])
SCALARS = st.sampled_from([None, True, False, 0, 1, 2.5, "", "x", "xy", "X"])
EVENTS = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=12,
)
OBJECTS = st.dictionaries(NAMES, EVENTS, max_size=3)


def flat(value, path="", membership=()):
    """By the book: every leaf with the elements of arrays that it is in."""
    if isinstance(value, dict):
        return [
            leaf
            for name, member in value.items()
            for leaf in flat(member, f"{path}.{name}".strip("."), membership)
        ]
    if isinstance(value, list):
        return [
            leaf
            for n, element in enumerate(value)
            for leaf in flat(element, path, (*membership, (id(value), n)))
        ]
    return [(path, value, membership)]


def consistent(chosen):
    places = {}
    return all(places.setdefault(array, n) == n for membership in chosen for array, n in membership)


def same(said, value):
    return type(said) is type(value) and said == value


def matches_by_the_book(wanted, leaves, chosen=()):
    if not wanted:
        return consistent(chosen)
    (path, said), *rest = wanted
    return any(
        matches_by_the_book(rest, leaves, (*chosen, membership))
        for at, value, membership in leaves
        if at == path and same(said, value)
    )


def walk(event, path=()):
    """A pattern made of an event's own leaves."""
    if isinstance(event, dict):
        return [leaf for name, member in event.items() for leaf in walk(member, (*path, name))]
    if isinstance(event, list):
        return [leaf for element in event for leaf in walk(element, path)]
    return [(".".join(path), event)]


@given(OBJECTS, st.data())
def test_conjunctions_match_as_the_definition_says(event, data):
    leaves = walk(event)
    others = st.tuples(st.sampled_from(["a", "b", "a.b", "a.c", "b.a"]), SCALARS)
    picks = data.draw(
        st.lists(st.sampled_from(leaves) | others if leaves else others, min_size=1, max_size=3)
    )
    wanted = list(dict(picks).items())
    pattern = parse_pattern({path: [said] for path, said in wanted})
    assert pattern.matches(event) is matches_by_the_book(wanted, flat(event))


@given(OBJECTS)
def test_a_leaf_exists_or_does_not(event):
    leaves = {path for path, _, _ in flat(event)}
    for path in ("a", "b", "a.b"):
        assert parse_pattern({path: [{"exists": True}]}).matches(event) is (path in leaves)
        assert parse_pattern({path: [{"exists": False}]}).matches(event) is (path not in leaves)


@given(st.text(alphabet="ab*\\", max_size=8), st.text(alphabet="ab*\\", max_size=8))
def test_a_wildcard_pattern_of_a_text_matches_it(text, other):
    escaped = text.replace("\\", "\\\\").replace("*", "\\*")
    assert matches({"wildcard": escaped}, text)
    assert matches({"wildcard": escaped + "*"}, text + other)
    assert matches({"wildcard": "*" + escaped}, other + text)
    assert matches({"wildcard": escaped}, other) is (text == other)
