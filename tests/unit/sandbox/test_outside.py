from pathlib import Path

import pytest

from lambent.sandbox.outside import Outside, find_resolvers, rules

INSTANCE = "0123456789ab"


def test_every_sandbox_has_its_own_address_and_a_name_that_fits() -> None:
    outside = Outside(private=False, resolvers=())
    links = [outside.link(INSTANCE, index) for index in range(1, 65_534)]
    addresses = {link["address"] for link in links}
    assert len(addresses) == len(links) == len({link["peer"] for link in links})
    assert not addresses & {"100.127.0.0", "100.127.0.1", "100.127.255.255"}
    assert max(len(link["peer"]) for link in links) <= 15


def test_the_rules_of_two_servers_are_apart_but_neither_lets_its_own_to_the_others() -> None:
    outside = Outside(private=False, resolvers=())
    one, two = (rules(outside, instance) for instance in (INSTANCE, "fedcba987654"))
    assert "table inet lambent_0123456789ab" in one
    assert 'iifname "lmb01234_*"' in one
    assert 'iifname "lmbfedcb_*"' in two
    assert 'oifname "lmb*" jump refused' in one
    assert 'oifname "lmb*" jump refused' in two


@pytest.mark.parametrize("private", [True, False])
def test_private_networks_are_refused_unless_they_are_allowed(private: bool) -> None:
    text = rules(Outside(private=private, resolvers=()), INSTANCE)
    assert ("192.168.0.0/16" in text) is not private
    assert "169.254.0.0/16" in text


def test_name_servers_are_let_through_before_anything_is_refused() -> None:
    text = rules(Outside(private=False, resolvers=("10.0.0.2", "9.9.9.9")), INSTANCE)
    assert text.index("10.0.0.2, 9.9.9.9 }") < text.index("10.0.0.0/8")
    assert Outside(private=False, resolvers=("10.0.0.2",)).resolv_conf().startswith("nameserver 10.0.0.2\n")


def test_name_servers_on_the_hosts_loopback_are_not_there_for_functions(tmp_path: Path) -> None:
    stub, real = tmp_path / "resolv.conf", tmp_path / "resolved.conf"
    stub.write_text("# local\nnameserver 127.0.0.53\nnameserver ::1\nnameserver\nnameserver x\n")
    real.write_text("search lan\n" + "".join(f"nameserver 10.0.0.{n}\n" for n in range(2, 7)))
    assert find_resolvers((tmp_path / "missing", stub, real)) == ("10.0.0.2", "10.0.0.3", "10.0.0.4")
    assert find_resolvers((stub,)) == ()
