"""What copies of one process have in common, no two accounts do, nor two tenants of a function."""

from typing import Any

from lambent_server import PYTHON, eventually, zip_of

OURS, THEIRS = "111111111111", "222222222222"
CODE = zip_of(
    {
        "index.py": "import sys\n"
        "copied = b'_LAMBDA_ZYGOTE_FD' in open('/proc/self/environ', 'rb').read()\n"
        "def handler(event, context):\n"
        "    return f'{copied} {hash(\"x\")} {id(sys)}'\n"
    }
)


def seen(tenants: Any, who: str, name: str, **parameters: Any) -> list[str]:
    """Whether it is a copy, the seed of hashes, a place in memory: of a new environment."""
    client = tenants.client("lambda", who)

    def settled() -> bool:
        found = client.get_function_configuration(FunctionName=name)
        return found["State"] == "Active" and found["LastUpdateStatus"] == "Successful"

    eventually(settled)
    client.update_function_configuration(FunctionName=name, Description=tenants.lambent.new_name())
    eventually(settled)
    answer = client.invoke(FunctionName=name, **parameters)
    told: bytes = answer["Payload"].read()
    return told.decode().strip('"').split()


def test_no_two_accounts_or_tenants_have_a_seed_or_a_layout_in_common(tenants: Any) -> None:
    made = {"Runtime": PYTHON, "Handler": "index.handler", "Code": {"ZipFile": CODE}}
    for who, role in ((OURS, tenants.guarded_role), (THEIRS, tenants.their_role)):
        tenants.client("lambda", who).create_function(FunctionName="look", Role=role, **made)
    tenants.client("lambda", OURS).create_function(
        FunctionName="apart",
        Role=tenants.guarded_role,
        TenancyConfig={"TenantIsolationMode": "PER_TENANT"},
        **made,
    )
    ours, theirs = [
        eventually(lambda: (told := seen(tenants, who, "look"))[0] == "True" and told, seconds=30)  # noqa: B023
        for who in (OURS, THEIRS)
    ]
    assert seen(tenants, OURS, "look") == ours
    both = [seen(tenants, OURS, "apart", TenantId=tenant) for tenant in ("red", "blue")]
    assert [told[0] for told in both] == ["False", "False"]
    assert len({told[1] for told in (ours, theirs, *both)}) == 4
    assert len({told[2] for told in (ours, theirs, *both)}) == 4
