"""The grammar of queries: commands between bars. `expressions.py` has that of what is inside them."""

from collections.abc import Callable

from lambent.services.logs.insights.errors import MalformedQueryError
from lambent.services.logs.insights.expressions import ExpressionParser
from lambent.services.logs.insights.scanner import Kind, Scanner
from lambent.services.logs.insights.syntax import (
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
    Parse,
    Sort,
    Stats,
)

ROWS_MOST = 100_000
_NOT_OFFERED = frozenset(
    {
        *("pattern", "diff", "anomaly", "unnest", "expand", "join", "lookup", "source", "addtotals"),
        *("estimate", "relevantfields"),
    }
)


def parse(query: str) -> tuple[Command, ...]:
    """Raises MalformedQueryError."""
    try:
        return _Parser(query).commands()
    except RecursionError:
        raise MalformedQueryError("the query is nested too deeply", 0, len(query)) from None


class _Parser(ExpressionParser):
    def __init__(self, query: str) -> None:
        super().__init__(Scanner(query))
        self._commands: dict[str, Callable[[], Command]] = {
            "fields": lambda: Fields(self._columns()),
            "display": lambda: Display(self._columns()),
            "filter": lambda: Filter(self.expression()),
            "filterindex": lambda: Filter(self.expression()),
            "where": lambda: Filter(self.expression()),
            "parse": self._parse,
            "stats": self._stats,
            "sort": self._sort,
            "order": self._sort,
            "limit": self._limit,
            "head": self._limit,
            "dedup": lambda: Dedup(self._names()),
        }

    def commands(self) -> tuple[Command, ...]:
        self.accept("|")
        found = [self._command(None)]
        while self.accept("|"):
            found.append(self._command(found[-1]))
        if self.scanner.peek().kind is not Kind.END:
            raise self.unexpected()
        return tuple(found)

    def _command(self, previous: Command | None) -> Command:
        token = self.scanner.peek()
        name = token.text.lower() if token.kind is Kind.NAME and not token.quoted else ""
        if name in _NOT_OFFERED:
            raise MalformedQueryError(f"Lambent does not offer the command {name}", token.start, token.end)
        if name not in self._commands:
            raise self.unexpected()
        if isinstance(previous, Dedup) and name not in ("limit", "head"):
            raise self.unexpected()
        self.scanner.take()
        return self._commands[name]()

    def _columns(self) -> tuple[Column, ...]:
        columns = [self._column()]
        while self.accept(","):
            columns.append(self._column())
        return tuple(columns)

    def _column(self) -> Column:
        expression = self.expression()
        if self.accept_word("as"):
            return Column(self.name(), expression)
        return Column(self._written(expression), expression)

    def _written(self, expression: Expression) -> str:
        """A column without an alias is named by its text."""
        if isinstance(expression, Field):
            return expression.name
        return self.scanner.query[expression.start : expression.end]

    def _names(self) -> tuple[str, ...]:
        names = [self.name()]
        while self.accept(","):
            names.append(self.name())
        return tuple(names)

    def _parse(self) -> Parse:
        """parse [FIELD] "glob" as NAME, … | parse [FIELD] /expression/ [as NAME, …]"""
        subject: Expression = Field(name="@message")
        if self.scanner.peek().kind is Kind.NAME:
            subject = self.primary()
        pattern = self.pattern()
        names = self._names() if self.accept_word("as") else ()
        if isinstance(pattern, Constant):
            stars = str(pattern.value).count("*")
            if stars != len(names) or not stars:
                message = f"the glob has {stars} wildcards for {len(names)} names"
                raise MalformedQueryError(message, pattern.start, pattern.end)
        return Parse(subject, pattern, names)

    def _stats(self) -> Stats:
        aggregates = self._columns()
        by: tuple[Column, ...] = ()
        if self.accept_word("by"):
            by = self._columns()
        return Stats(aggregates, by)

    def _sort(self) -> Sort:
        self.accept_word("by")
        keys = [self._key()]
        while self.accept(","):
            keys.append(self._key())
        return Sort(tuple(keys))

    def _key(self) -> tuple[str, bool]:
        token = self.scanner.peek()
        if token.kind is not Kind.NAME:
            raise self.unexpected()
        name = self.scanner.take().text
        if self.accept_word("desc"):
            return name, True
        self.accept_word("asc")
        return name, False

    def _limit(self) -> Limit:
        any_ = self.accept_word("any")
        token = self.scanner.peek()
        if token.kind is not Kind.NUMBER or not token.text.isdecimal():
            raise self.unexpected()
        self.scanner.take()
        count = int(token.text)
        if not 1 <= count <= ROWS_MOST:
            message = f"the limit must be between 1 and {ROWS_MOST}"
            raise MalformedQueryError(message, token.start, token.end)
        return Limit(count, any_)
