"""Functions that keep their tenants apart (TenancyConfig), as their callers and their code see it."""

import json

import pytest
from lambent_server import Lambent, eventually

PYTHON_SOURCE = """
import os
seen = []
def handler(event, context):
    seen.append(context.tenant_id)
    try:
        open("/tmp/tenant", "x").write(context.tenant_id)
    except FileExistsError:
        pass
    print("working for", context.tenant_id)
    return {"seen": seen, "tmp": open("/tmp/tenant").read(), "pid": os.getpid()}
"""
NODE_SOURCE = "export const handler = async (event, context) => context.tenantId"
ISOLATED = {"TenancyConfig": {"TenantIsolationMode": "PER_TENANT"}}


def test_no_environment_is_ever_two_tenants(lambent: Lambent) -> None:
    name = lambent.python(PYTHON_SOURCE, LoggingConfig={"LogFormat": "JSON"}, **ISOLATED)
    found = {tenant: [] for tenant in ("blue", "green")}
    for tenant in ("blue", "green", "blue", "green"):
        found[tenant].append(lambent.call(name, TenantId=tenant))
    for tenant, (first, second) in found.items():
        assert second["seen"] == [tenant, tenant]  # warm, and its own
        assert first["tmp"] == second["tmp"] == tenant
    lambent.lambda_.invoke(FunctionName=name, InvocationType="Event", TenantId="red")
    lines = eventually(
        lambda: [line for line in lambent.log_lines(f"/aws/lambda/{name}") if '"tenantId":"red"' in line]
    )
    assert "platform.start" in {json.loads(line).get("type") for line in lines}


def test_node_functions_know_their_tenant_too(lambent: Lambent) -> None:
    name = lambent.node(NODE_SOURCE, **ISOLATED)
    assert lambent.call(name, TenantId="a b/c") == "a b/c"


def test_a_tenant_is_required_or_refused(lambent: Lambent) -> None:
    client = lambent.lambda_
    isolated = lambent.python(PYTHON_SOURCE, **ISOLATED)
    assert (
        client.get_function_configuration(FunctionName=isolated)["TenancyConfig"] == ISOLATED["TenancyConfig"]
    )
    with pytest.raises(
        client.exceptions.InvalidParameterValueException, match="Add a valid tenant ID in your request"
    ):
        client.invoke(FunctionName=isolated)
    shared = lambent.python(PYTHON_SOURCE)
    with pytest.raises(
        client.exceptions.InvalidParameterValueException, match="Remove the tenant ID from your"
    ):
        client.invoke(FunctionName=shared, TenantId="blue")
