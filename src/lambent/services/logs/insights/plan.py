"""Makes of a query the chain of stages that answers it."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields, replace
from typing import assert_never

from lambent.services.logs.insights.aggregates import AGGREGATES, PERCENTILE, Accumulator, Percentile
from lambent.services.logs.insights.errors import MalformedQueryError
from lambent.services.logs.insights.evaluation import Evaluate, Evaluation, compiled
from lambent.services.logs.insights.glob import Glob
from lambent.services.logs.insights.parser import parse
from lambent.services.logs.insights.record import Record
from lambent.services.logs.insights.stages import (
    Counting,
    Filtering,
    Grouping,
    Limiting,
    Measure,
    Naming,
    Showing,
    Sorting,
    Stage,
    Unlike,
)
from lambent.services.logs.insights.syntax import (
    Call,
    Column,
    Command,
    Constant,
    Dedup,
    Display,
    Expression,
    Field,
    Fields,
    Filter,
    Limit,
    Node,
    Parse,
    Sort,
    Stats,
)
from lambent.services.logs.insights.values import Value, text

ROWS_DEFAULT = 10_000
_SHOWN_DEFAULT = ("@timestamp", "@message")


@dataclass(frozen=True, slots=True)
class Plan:
    first: Stage
    matched: Counting
    rows: list[list[tuple[str, str]]]


def check(query: str) -> None:
    """Raises MalformedQueryError where a query has no plan."""
    plan(query, limit=None, now=0)


def plan(query: str, *, limit: int | None, now: float) -> Plan:
    """`limit` is the API's, which comes after the query's own. Raises MalformedQueryError."""
    commands = parse(query)
    try:
        return _Planner(commands, limit, now).plan()
    except RecursionError:
        raise MalformedQueryError("the query is nested too deeply", 0, len(query)) from None


class _Planner:
    def __init__(self, commands: Sequence[Command], limit: int | None, now: float) -> None:
        self._commands = commands
        self._limit = limit
        self._evaluation = Evaluation(now)

    def plan(self) -> Plan:
        limited = any(isinstance(command, Limit) for command in self._commands)
        most = self._limit or (None if limited else ROWS_DEFAULT)
        showing = Showing(*self._shown(), [])
        stage: Stage = showing if most is None else Limiting(most, showing)
        gathers = self._first_gathering()
        matched: Counting | None = None
        for at in range(len(self._commands), -1, -1):
            if at < len(self._commands):
                stage = self._stage(at, stage)
            if at == gathers:
                stage = matched = Counting(stage)
        assert matched is not None
        return Plan(stage, matched, showing.rows)

    def _first_gathering(self) -> int:
        """The first command that is no longer about single records."""
        gathering = (isinstance(command, Stats | Sort | Limit | Dedup) for command in self._commands)
        return next((at for at, gathers in enumerate(gathering) if gathers), len(self._commands))

    def _stage(self, at: int, next: Stage) -> Stage:
        command = self._commands[at]
        match command:
            case Fields() | Display():
                return Naming(self._columns(command.columns), next)
            case Filter():
                return Filtering(self._evaluation.of(command.condition), next)
            case Parse():
                return Naming(self._parsed(command), next)
            case Stats() | Sort() | Limit() | Dedup():
                return self._gathering(command, self._kept(at), next)
        assert_never(command)

    def _gathering(self, command: Stats | Sort | Limit | Dedup, kept: int, next: Stage) -> Stage:
        match command:
            case Stats():
                return self._grouping(command, next)
            case Sort():
                return Sorting(command.keys, kept, next)
            case Limit():
                return Limiting(command.count, next, early=command.any)
            case Dedup():
                return Unlike(command.fields, next)
        assert_never(command)

    def _kept(self, at: int) -> int:
        """How many a sort must keep: what follows it may leave out some."""
        rest = self._commands[at + 1 :]
        if rest and isinstance(rest[0], Limit):
            return rest[0].count
        if all(isinstance(command, Display | Fields) for command in rest):
            return self._limit or ROWS_DEFAULT
        return 100_000

    def _columns(self, columns: Sequence[Column]) -> Callable[[Record], Iterable[tuple[str, Value]]]:
        """Only what is computed gets a name: a field has its own. Later ones may use the names of earlier ones."""
        computed = [
            (column.name, self._evaluation.of(column.expression))
            for column in columns
            if not (isinstance(column.expression, Field) and column.expression.name == column.name)
        ]

        def named(record: Record) -> Iterable[tuple[str, Value]]:
            for name, of in computed:
                yield name, of(record)

        return named

    def _parsed(self, command: Parse) -> Callable[[Record], Iterable[tuple[str, Value]]]:
        subject = self._evaluation.of(command.subject)
        if isinstance(command.pattern, Constant):
            glob = Glob(str(command.pattern.value))
            return lambda record: zip(command.names, glob.taken(text(subject(record)) or ""), strict=False)
        pattern = compiled(command.pattern)
        names = command.names or tuple(pattern.groupindex)
        if not names or len(names) > pattern.groups:
            raise MalformedQueryError(
                f"the regular expression has {pattern.groups} groups for {len(names)} names",
                command.pattern.start,
                command.pattern.end,
            )
        groups = [pattern.groupindex.get(name, at + 1) for at, name in enumerate(names)]

        def found(record: Record) -> Iterable[tuple[str, Value]]:
            match = pattern.search(text(subject(record)) or "")
            return (
                ()
                if match is None
                else [(name, match[group]) for name, group in zip(names, groups, strict=True)]
            )

        return found

    def _grouping(self, command: Stats, next: Stage) -> Grouping:
        measures: list[Measure] = []
        columns = [
            (column.name, self._evaluation.of(self._measured(column.expression, measures)))
            for column in command.aggregates
        ]
        by = [(column.name, self._evaluation.of(column.expression)) for column in command.by]
        in_order = any(_is_time(column.expression) for column in command.by)
        return Grouping(by, measures, columns, next, in_order)

    def _measured(self, expression: Expression, measures: list[Measure]) -> Expression:
        """The expression with a field in place of each aggregate function, which becomes a measure."""
        if isinstance(expression, Call) and (made := self._measure(expression)) is not None:
            name = f"\0{len(measures)}"
            measures.append(Measure(name, *made))
            return Field(name=name, start=expression.start, end=expression.end)
        changed: dict[str, object] = {}
        for member in fields(expression):
            value = getattr(expression, member.name)
            if isinstance(value, Node):
                changed[member.name] = self._measured(value, measures)  # type: ignore[arg-type]
            elif isinstance(value, tuple):
                changed[member.name] = tuple(self._measured(one, measures) for one in value)
        return replace(expression, **changed) if changed else expression  # type: ignore[arg-type]

    def _measure(self, call: Call) -> tuple[Evaluate, Callable[[], Accumulator]] | None:
        arguments = call.arguments
        if call.name in PERCENTILE:
            if len(arguments) != 2 or not isinstance(arguments[1], Constant):
                raise MalformedQueryError(f"{call.name} is given no percentage", call.start, call.end)
            percent = arguments[1].value
            if isinstance(percent, str) or not 0 <= percent <= 100:
                raise MalformedQueryError(f"{call.name} is given no percentage", call.start, call.end)
            return self._evaluation.of(arguments[0]), lambda: Percentile(float(percent))
        make = AGGREGATES.get(call.name)
        if make is None:
            return None
        if not arguments and call.name in ("count", "count_over_time"):
            return (lambda record: 1), make
        if len(arguments) != 1:
            raise MalformedQueryError(f"{call.name} takes one argument", call.start, call.end)
        return self._evaluation.of(arguments[0]), make

    def _shown(self) -> tuple[Sequence[str], bool]:
        """The columns of results, and whether they are events."""
        shown: list[str] = []
        events, named = True, False
        for command in self._commands:
            match command:
                case Fields() if not named:
                    shown += [column.name for column in command.columns if column.name not in shown]
                case Display():
                    shown, named = [column.name for column in command.columns], True
                case Stats():
                    shown = [column.name for column in (*command.by, *command.aggregates)]
                    events, named = False, False
        return (tuple(dict.fromkeys(shown)) or _SHOWN_DEFAULT), events


def _is_time(expression: Expression) -> bool:
    return isinstance(expression, Call) and expression.name in ("bin", "datefloor", "dateceil")
