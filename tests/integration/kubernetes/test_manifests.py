"""The manifests that the guide tells to apply: what their schemas and their references to each other can tell. Nobody
here has a cluster to apply them to."""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from lambent.api.health import HEALTH_PATH
from lambent.config import table

_MANIFESTS = Path(__file__).parents[3] / "examples" / "kubernetes" / "lambent.yaml"
_VERSIONS = ("1.30", "1.37")


@pytest.fixture(scope="module")
def resources() -> dict[str, dict[str, Any]]:
    """By kind/name."""
    found = list(yaml.safe_load_all(_MANIFESTS.read_text()))
    return {f"{resource['kind']}/{resource['metadata']['name']}": resource for resource in found}


@pytest.mark.parametrize("version", _VERSIONS)
def test_every_resource_is_of_its_schema(resources: dict[str, dict[str, Any]], version: str) -> None:
    assert len(resources) == 8
    for resource in resources.values():
        kubernetes_validate.validate(resource, version, strict=True)


def test_what_refers_to_something_finds_it(resources: dict[str, dict[str, Any]]) -> None:
    stateful_set = resources["StatefulSet/lambent"]["spec"]
    pod = stateful_set["template"]
    labels = pod["metadata"]["labels"]
    assert f"Service/{stateful_set['serviceName']}" in resources
    selectors = [
        stateful_set["selector"]["matchLabels"],
        resources["PodDisruptionBudget/lambent"]["spec"]["selector"]["matchLabels"],
        *(resources[name]["spec"]["selector"] for name in ("Service/lambent", "Service/lambent-nodes")),
    ]
    assert all(selector.items() <= labels.items() for selector in selectors)
    volumes = {volume["name"]: volume for volume in pod["spec"]["volumes"]}
    containers = [*pod["spec"]["initContainers"], *pod["spec"]["containers"]]
    assert {mount["name"] for each in containers for mount in each["volumeMounts"]} == set(volumes)
    assert f"PersistentVolumeClaim/{volumes['shared']['persistentVolumeClaim']['claimName']}" in resources
    assert f"ConfigMap/{volumes['config']['configMap']['name']}" in resources
    keys = resources[f"Secret/{volumes['secret']['secret']['secretName']}"]["stringData"]
    assert {reference["key"] for reference in _secrets(containers)} | {"master-key"} == set(keys)
    assert {resource["metadata"].get("namespace", "lambent") for resource in resources.values()} == {
        "lambent"
    }


def test_settings_ports_and_probes_are_lambents(resources: dict[str, dict[str, Any]]) -> None:
    settings = {setting.name: setting for setting in table()}
    configured = tomllib.loads(resources["ConfigMap/lambent"]["data"]["lambent.toml"])
    for name, value in configured.items():
        settings[name].read(value, name)
    (container,) = resources["StatefulSet/lambent"]["spec"]["template"]["spec"]["containers"]
    variables = {variable["name"] for variable in container["env"]} - {"PGPASSWORD"}
    assert variables <= {setting.variable for setting in settings.values()}
    assert container["ports"][0]["containerPort"] == configured["port"]
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert container[probe]["httpGet"] == {"path": HEALTH_PATH, "port": "http"}


def _secrets(containers: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for container in containers:
        for variable in container.get("env", ()):
            if "secretKeyRef" in variable["valueFrom"]:
                yield variable["valueFrom"]["secretKeyRef"]
