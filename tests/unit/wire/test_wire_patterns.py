"""Java's regular expressions in Python."""

import pytest

from lambent.wire.patterns import UnreadablePatternError, compile_pattern
from lambent.wire.service import load_service

OFFERED = [
    *(
        "lambda",
        "lambda-core",
        "lambda-microvms",
        "lambda-web",
        "logs",
        "iam",
        "sts",
        "sqs",
        "sns",
        "s3",
        "events",
    ),
    *("scheduler", "cloudwatch", "dynamodb", "dynamodbstreams", "kinesis", "stepfunctions", "apigateway"),
    *("apigatewayv2", "cloudformation", "ssm", "ecr"),
]
UNREADABLE: dict[str, list[str]] = {}
"""Patterns that stay unchecked, by service. There is none today."""


@pytest.mark.parametrize("name", OFFERED)
def test_every_pattern_of_the_services_we_offer_is_checked(name: str) -> None:
    model = load_service(name).model
    unreadable = []
    for shape in model.shape_names:
        pattern = model.shape_for(shape).metadata.get("pattern")
        try:
            compile_pattern(pattern or "")
        except UnreadablePatternError:
            unreadable.append(shape)
    assert unreadable == UNREADABLE.get(name, [])


@pytest.mark.parametrize(
    ("pattern", "accepted", "refused"),
    [
        (
            r"[\p{L}\p{Z}\p{N}_.:/=+\-@]+",
            ["Größe 7", "名前", "a:b/c=d", "Ⅷ", "\u3000"],
            ["", "a*b", "a\tb", "\u0301"],
        ),
        (r"\p{Lu}\p{Ll}+", ["Ärger"], ["ärger", "AB"]),
        (r"[^\p{C}]*", ["plain", ""], ["a\x00", "\ue000", "\U000f0000"]),
        (r"\P{L}+", ["123 -"], ["a1"]),
        (r"\p{Print}+", ["a ~"], ["é", "\n"]),
        (r"\p{ASCII}*", ["a\x00"], ["é"]),
        (r"[\w-_]*", ["a-b_c"], ["a b", "é"]),
        (r"[\w-\/.@]+", ["a-/b.@"], ["a,b"]),
        (r"[\u0020-\uD7FF\uD800\uDC00-\uDBFF\uDFFF]*", ["a\U0001f600"], ["\n"]),
        (r"\d{2}", ["12"], ["1", "١٢"]),
        (r"(?<name>a)b", ["ab"], ["a"]),
        (r"(?<!x)a(?<=a)", ["a"], ["xa"]),
        (r"^a$", ["a"], ["a\n"]),
        (r"[[a]+", ["[a"], ["b"]),
        (r"[^[\]]*", ["ab"], ["a]", "["]),
        (r"a++b", ["aab"], ["b"]),
        (r"\ha\z", ["\ta"], ["a"]),
    ],
)
def test_java_pattern(pattern: str, accepted: list[str], refused: list[str]) -> None:
    fullmatch = compile_pattern(pattern).fullmatch
    assert [text for text in accepted if not fullmatch(text)] == []
    assert [text for text in refused if fullmatch(text)] == []


@pytest.mark.parametrize("pattern", ["(", "[a", r"\p{NoSuchScript}", r"a\p", "(?<=a+)b", "\\"])
def test_what_cannot_be_read_says_so(pattern: str) -> None:
    with pytest.raises(UnreadablePatternError):
        compile_pattern(pattern)
