"""The compose file, against the image, the unit, the settings and the page that tells of it."""

from __future__ import annotations

import re
from typing import Any

import pytest

from settings import Settings
from tests.support.running_app import PROJECT

PAGE = (PROJECT / "docs/deploying_container.md").read_text("utf-8")
IMAGE = (PROJECT / "deploy/Containerfile").read_text("utf-8")


@pytest.fixture(scope="module")
def services() -> dict[str, dict[str, Any]]:
    """The services of the compose file, by name."""
    yaml = pytest.importorskip("yaml")
    found: dict[str, dict[str, Any]] = yaml.safe_load(
        (PROJECT / "deploy/compose.yaml").read_text("utf-8")
    )["services"]
    return found


def test_it_runs_the_image_that_the_page_builds(services: dict[str, dict[str, Any]]) -> None:
    """Docker takes no other name for it; podman adds the host to a name that has none."""
    [tag] = set(re.findall(r"--tag (\S+)", PAGE + IMAGE))
    assert {services["app"]["image"], services["worker"]["image"]} == {tag}


def test_what_both_share(services: dict[str, dict[str, Any]]) -> None:
    [volume] = re.findall(r"^VOLUME (.*)$", IMAGE, re.MULTILINE)
    [port] = re.findall(r"^EXPOSE (.*)$", IMAGE, re.MULTILINE)
    for service in (services["app"], services["worker"]):
        assert service["volumes"] == [f"state:{volume}"]
        assert {name.lower() for name in service["environment"]} <= set(Settings.model_fields)
        # The page makes the file before anything is started.
        assert f"touch {service['env_file']} " in PAGE
    # Only this machine, where a proxy is, can reach it.
    assert services["app"]["ports"] == [f"127.0.0.1:{port}:{port}"]


def test_the_worker_is_the_units(services: dict[str, dict[str, Any]]) -> None:
    unit = (PROJECT / "deploy/callboard-worker.service").read_text("utf-8")
    [command] = re.findall(r"^ExecStart=/opt/callboard/(.*)$", unit, re.MULTILINE)
    assert services["worker"]["command"] == command.split()


def test_they_log_in_to_the_database_that_is_made(services: dict[str, dict[str, Any]]) -> None:
    made = services["database"]["environment"]
    user, password = made["POSTGRES_USER"], made["POSTGRES_PASSWORD"]
    # Without POSTGRES_DB the database is called as the user: https://hub.docker.com/_/postgres
    url = f"postgresql://{user}:{password}@database/{user}"
    assert services["app"]["environment"]["DATABASE_URL"] == url
    # The page makes a password that needs no quoting in an address.
    assert 'echo "DATABASE_PASSWORD=$(openssl rand -hex 16)" > .env' in PAGE
