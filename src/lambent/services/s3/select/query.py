"""A query over records: which rows a record has, which of them are wanted, and what is answered of each."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from lambent.services.s3.select.functions import Aggregate, Evaluate
from lambent.services.s3.select.values import MISSING, CsvRecord, element, member


@dataclass(frozen=True, slots=True)
class Step:
    """One of a path: a member by its `name`, an element by its `index`, or all elements."""

    name: str | None = None
    exact: bool = False
    index: int | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """`members` is the value itself where it has names; what has none is _1."""

    value: Any
    members: Any


@dataclass(frozen=True, slots=True)
class Column:
    """`evaluate` is None for all that the row has."""

    name: str
    evaluate: Evaluate | None


def row_of(value: Any) -> Row:
    if isinstance(value, dict) or value is MISSING:
        return Row(value, value)
    return Row(value, {"_1": value})


def follow(value: Any, path: Sequence[Step]) -> Any:
    for step in path:
        if step.name is not None:
            value = member(value, step.name, step.exact)
        elif step.index is not None:
            value = element(value, step.index)
        else:
            return MISSING
    return value


@dataclass(slots=True, kw_only=True)
class Query:
    """`source` is FROM's path behind the record itself. Used for one object."""

    columns: Sequence[Column]
    source: Sequence[Step]
    where: Evaluate | None
    limit: int | None
    aggregates: Sequence[Aggregate]
    answered: int = 0

    @property
    def is_done(self) -> bool:
        return self.limit is not None and not self.aggregates and self.answered >= self.limit

    def answers(self, record: Any) -> Iterator[dict[str, Any]]:
        for value in _rows(record, self.source):
            row = row_of(value)
            if self.is_done:
                return
            if self.where is not None and self.where(row) is not True:
                continue
            if self.aggregates:
                for aggregate in self.aggregates:
                    aggregate.take(row)
            else:
                self.answered += 1
                yield self._answer(row)

    def last_answers(self) -> Iterator[dict[str, Any]]:
        """Of all records together, where that was asked for."""
        if self.aggregates and self.limit != 0:
            yield self._answer(Row(MISSING, MISSING))

    def _answer(self, row: Row) -> dict[str, Any]:
        answer: dict[str, Any] = CsvRecord()
        for column in self.columns:
            if column.evaluate is None:
                answer.update(row.members if row.members is not MISSING else {})
            else:
                value = column.evaluate(row)
                if value is not MISSING:
                    answer[column.name] = value
        return answer


def _rows(value: Any, path: Sequence[Step]) -> Iterator[Any]:
    """What is not there is one row that has nothing."""
    for at, step in enumerate(path):
        if step.name is None and step.index is None:
            if isinstance(value, list):
                for one in value:
                    yield from _rows(one, path[at + 1 :])
                return
            value = MISSING
        else:
            value = follow(value, (step,))
    yield value
