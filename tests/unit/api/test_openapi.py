"""The OpenAPI document is as a client uses it, and the page that draws it knows its names."""

import re

import pytest

from api.openapi import document, operations
from api.routes.docs import STATIC
from tests.support.api_world import World, running


@pytest.fixture
async def world():
    async with running() as one:
        yield one


def of_path(operation: dict) -> list[str]:
    """Return the names of the path parameters that an operation declares."""
    return [one["name"] for one in operation["parameters"] if one["in"] == "path"]


async def test_every_operation_declares_the_parameters_of_its_path_and_no_others(world: World):
    paths = document(world.app, "1")["paths"]
    for path, methods in paths.items():
        for method, operation in methods.items():
            assert re.findall(r"\{([^}]*)\}", path) == of_path(operation), (method, path)
            assert all(one["required"] for one in operation["parameters"] if one["in"] == "path")


async def test_no_path_shows_how_the_app_reads_its_parameters(world: World):
    paths = document(world.app, "1")["paths"]
    assert all(re.fullmatch(r"(/([\w-]+|\{\w+\}))+", path) for path in paths)
    assert of_path(paths["/api/v1/instruments/{symbol}"]["get"]) == ["symbol"]


async def test_no_operation_is_lost_where_paths_are_written_alike(world: World):
    paths = document(world.app, "1")["paths"]
    written = [one["operationId"] for methods in paths.values() for one in methods.values()]
    assert sorted(written) == sorted(one.name for one in operations(world.app))


async def test_every_method_has_a_badge_with_a_background(world: World):
    css = (STATIC / "docs.css").read_text()
    paths = document(world.app, "1")["paths"]
    for method in {one.upper() for methods in paths.values() for one in methods}:
        assert re.search(rf"\.{method} {{ background: var\(--{method.lower()}\); }}", css), method
        assert re.search(rf"--{method.lower()}: #[0-9a-f]{{6}};", css), method
    assert re.search(r"^\.m { background: var\(--other\); }", css, re.MULTILINE)


async def test_no_operation_has_the_id_of_a_part_of_the_page(world: World):
    own = set(re.findall(r'\bid="(\w+)"', (STATIC / "docs.html").read_text()))
    paths = document(world.app, "1")["paths"]
    assert own.isdisjoint(one["operationId"] for ways in paths.values() for one in ways.values())
