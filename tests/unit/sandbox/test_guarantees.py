import runpy
from itertools import pairwise
from pathlib import Path

import pytest

from lambent.sandbox.guarantees import ALL, ASPECTS, ONE_USER, WITHOUT_CGROUPS, Guarantee, weakened

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("name", ALL)
def test_every_backend_speaks_of_every_aspect_in_the_same_order(name: str) -> None:
    assert [guarantee.aspect for guarantee in ALL[name]] == list(ASPECTS)


def test_no_backend_holds_more_than_a_stronger_one() -> None:
    rank = {"no": 0, "partly": 1, "yes": 2}
    held = [[rank[guarantee.holds] for guarantee in guarantees] for guarantees in ALL.values()]
    for stronger, weaker in pairwise(held):
        assert all(a >= b for a, b in zip(stronger, weaker, strict=True))


def test_weakened_puts_others_in_their_place() -> None:
    kept = weakened(ALL["userns"], (*WITHOUT_CGROUPS, *ONE_USER))
    assert [guarantee.aspect for guarantee in kept] == list(ASPECTS)
    assert Guarantee("cpu", "no", WITHOUT_CGROUPS[1].says) in kept
    assert ALL["userns"] != kept


def test_the_page_is_what_the_tables_say() -> None:
    script = runpy.run_path(str(ROOT / "scripts/isolation_page.py"))
    assert script["PAGE"].read_text(encoding="utf-8") == script["page"](), "run scripts/isolation_page.py"
