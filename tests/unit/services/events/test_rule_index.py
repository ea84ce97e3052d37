import json

from hypothesis import given
from hypothesis import strategies as st

from lambent.model.event_pattern import parse_pattern, read_event
from lambent.services.events.rule_index import RuleIndex

words = st.sampled_from(["a", "b", "c", "d"])
tests = st.one_of(
    words,
    st.integers(0, 3),
    st.just(None),
    words.map(lambda word: {"prefix": word}),
    words.map(lambda word: {"anything-but": word}),
    st.booleans().map(lambda there: {"exists": there}),
)
fields = st.lists(tests, min_size=1, max_size=3)
plain = st.lists(words, min_size=1, max_size=2)
flat = st.dictionaries(st.sampled_from(["x", "y", "z"]), st.one_of(plain, fields), min_size=1, max_size=3)
patterns = st.one_of(
    st.fixed_dictionaries(
        {"source": st.one_of(plain, fields)}, optional={"detail": flat, "detail-type": plain}
    ),
    st.fixed_dictionaries({"detail": flat}),
    st.fixed_dictionaries({"$or": st.lists(flat, min_size=2, max_size=3)}, optional={"source": plain}),
)
leaves = st.one_of(words, st.integers(0, 3), st.just(None))
values = st.one_of(leaves, st.lists(leaves, max_size=3), st.lists(st.dictionaries(words, leaves), max_size=2))
details = st.one_of(
    st.dictionaries(st.sampled_from(["x", "y", "z"]), values),
    st.lists(st.dictionaries(st.sampled_from(["x", "y", "z"]), leaves), max_size=3),
)
events = st.fixed_dictionaries(
    {"source": leaves, "detail": details},
    optional={"detail-type": leaves, "x": values, "y": values, "detail.x": leaves},
)


@given(st.lists(patterns, max_size=25), events)
def test_the_index_finds_what_asking_every_pattern_finds(all_patterns, event):
    compiled = [parse_pattern(json.dumps(pattern)) for pattern in all_patterns]
    index = RuleIndex((pattern, number) for number, pattern in enumerate(compiled))
    expected = [number for number, pattern in enumerate(compiled) if pattern.matches(event)]
    assert index.matching(read_event(event)) == expected


def test_few_of_many_patterns_are_asked():
    asked = []

    class Counted:
        def __init__(self, number: int) -> None:
            text = {"source": [f"s{number % 3}"], "detail": {"kind": [f"k{number}"]}}
            self._pattern, self._number = parse_pattern(text), number
            self.branches = self._pattern.branches

        def matches_fields(self, fields) -> bool:
            asked.append(self._number)
            return self._pattern.matches_fields(fields)

    index = RuleIndex((Counted(number), number) for number in range(300))
    assert index.matching(read_event({"source": "s2", "detail": {"kind": "k77"}})) == [77]
    assert asked == [77]
    assert index.matching(read_event({"source": "s1", "detail": {"kind": "k77"}})) == []
