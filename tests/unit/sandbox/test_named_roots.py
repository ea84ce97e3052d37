from dataclasses import replace
from pathlib import Path

from lambent.sandbox.named_roots import NamedRoots
from lambent.sandbox.outside import Outside
from lambent.sandbox.port import Bind, Root

ROOT = Root(
    binds=(Bind(Path("/usr"), "/usr"),),
    links={"/bin": "usr/bin"},
    files={"/etc/resolv.conf": "", "/etc/passwd": "root"},
)


def test_roots_have_one_name_if_they_show_the_same():
    roots = NamedRoots(None)
    name, message = roots.named(ROOT)
    assert roots.named(replace(ROOT)) == (name, message)
    assert NamedRoots(None).named(ROOT) == (name, message)
    assert roots.named(replace(ROOT, links={}))[0] != name
    assert message["binds"] == [["/usr", "/usr"]]
    assert message["files"] == ROOT.files


def test_with_a_way_outside_the_name_servers_there_are_asked():
    outside = Outside(private=False, resolvers=("192.0.2.53",))
    _, message = NamedRoots(outside).named(ROOT)
    assert message["files"] == {**ROOT.files, "/etc/resolv.conf": outside.resolv_conf()}
    _, message = NamedRoots(outside).named(replace(ROOT, files={}))
    assert message["files"] == {}
