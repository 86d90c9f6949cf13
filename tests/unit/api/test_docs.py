"""The page of the reference, as a browser draws it: links, finding, phones, failures."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, Route, async_playwright

from tests.support.api_world import World, running

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.slow]  # together
ORIGIN = "http://exchange"
WIDE, PHONE = (1280, 800), (375, 800)
SHOWN = "Array.from(document.querySelectorAll('{}')).filter((one) => one.offsetParent).map({})"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world():
    async with running() as one:
        yield one


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser(chromium: str):
    async with async_playwright() as playwright:
        one = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield one
        await one.close()


@asynccontextmanager
async def opened(
    world: World,
    browser: Browser,
    target: str = "/docs",
    *,
    size: tuple[int, int] = WIDE,
    scripts: bool = True,
    broken: dict | None = None,
) -> AsyncIterator[Page]:
    """Open a page that the app answers; `broken` is what it says instead of the document."""

    async def answer(route: Route) -> None:
        path = route.request.url.removeprefix(ORIGIN)
        if broken and path == "/openapi.json":
            await (route.abort() if broken.get("abort") else route.fulfill(**broken))
            return
        found = await world.http.get(path)
        await route.fulfill(
            status=found.status_code, headers=dict(found.headers), body=found.content
        )

    viewport = {"width": size[0], "height": size[1]}
    page = await browser.new_page(viewport=viewport, java_script_enabled=scripts)
    said: list[str] = []
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("console", lambda one: said.append(one.text) if one.type == "error" else None)
    await page.route("**/*", answer)
    await page.goto(ORIGIN + target)
    if scripts:
        await page.wait_for_selector("section, main button")
    yield page
    assert broken is not None or said == []
    await page.close()


async def shown(page: Page, selector: str, of_one: str = "(one) => one.textContent") -> list[str]:
    """Return the texts, or what is asked, of what is visible."""
    return await page.evaluate(SHOWN.format(selector, of_one))


async def top_of(page: Page, name: str) -> float:
    """Return how far below the top of the window something is."""
    return await page.evaluate("(id) => document.getElementById(id).getClientRects()[0].top", name)


@pytest.mark.parametrize("name", ["resume", "schema-Problem", "schema%2DProblem"])
@pytest.mark.parametrize("size", [WIDE, PHONE])
async def test_a_link_into_the_page_lands(
    world: World, browser: Browser, name: str, size: tuple[int, int]
):
    async with opened(world, browser, "/docs#" + name, size=size) as page:
        assert 0 <= await top_of(page, name.replace("%2D", "-")) < 100


@pytest.mark.parametrize("name", ["", "nobody", "%", "%E0%A4%A", "a b'\"]"])
async def test_a_hash_that_names_nothing_leaves_the_page_at_its_top(
    world: World, browser: Browser, name: str
):
    async with opened(world, browser, "/docs#" + name) as page:
        assert await page.evaluate("scrollY") == 0


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("  set_mmp ", "set_mmp"),  # by its name
        ("PUT /api/v1/admin/capacity", "set_capacity"),  # by method and path
        ("withdrawal-addresses", "add_address"),
        ("candles of a contract", "list_klines"),  # by its summary
        ("client_order_id", "place_order"),  # by a field of its body
        ("client_order_id", "get_by_client_id"),  # by a parameter
        ("retry_after", "schema-Problem"),  # by a field of a shape
    ],
)
async def test_find_shows_what_has_the_words(world: World, browser: Browser, query: str, name: str):
    async with opened(world, browser) as page:
        every = len(await shown(page, "section"))
        await page.fill("#find", query)
        found = await shown(page, "section", "(one) => one.id")
        assert name in found
        assert len(found) < every / 4
        links = await shown(page, "#list a", "(one) => one.hash.slice(1)")
        assert links == [one for one in found if not one.startswith("schema-")]
        assert not await page.is_visible("text=Nothing found")
        await page.fill("#find", "   ")
        assert len(await shown(page, "section")) == every


async def test_groups_without_a_find_lose_their_headings(world: World, browser: Browser):
    async with opened(world, browser) as page:
        await page.fill("#find", "list_klines")
        assert await shown(page, "#list h2") == (await shown(page, "main h2"))[1:]
        assert len(await shown(page, "#list h2")) == 1


async def test_nothing_found_is_said(world: World, browser: Browser):
    async with opened(world, browser) as page:
        await page.fill("#find", "zebra")
        assert await page.is_visible("text=Nothing found")
        assert await shown(page, "section, #list a, #list h2") == []


@pytest.mark.parametrize("size", [WIDE, PHONE])
async def test_a_link_to_what_is_hidden_clears_the_query(
    world: World, browser: Browser, size: tuple[int, int]
):
    async with opened(world, browser, size=size) as page:
        await page.fill("#find", "list_klines")
        await page.click("#list_klines a >> text=Problem >> nth=0")
        assert await page.input_value("#find") == ""
        assert 0 <= await top_of(page, "schema-Problem") < 100
        await page.fill("#find", "list_klines")
        await page.evaluate("location.hash = 'place_order'")
        await page.wait_for_function("document.getElementById('find').value === ''")
        assert 0 <= await top_of(page, "place_order") < 100


async def test_the_list_is_open_on_wide_windows_and_closed_on_phones(
    world: World, browser: Browser
):
    async with opened(world, browser) as page:
        assert len(await shown(page, "#list a")) > 100
        assert not await page.is_visible("nav summary")
        await page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
        await page.wait_for_function("!document.getElementById('menu').open")
        assert await page.evaluate("document.querySelector('section').offsetTop") < PHONE[1]
        await page.click("nav summary")
        await page.click("#list a[href='#place_order']")
        assert not await page.is_visible("#list")
        assert 0 <= await top_of(page, "place_order") < 100


@pytest.mark.parametrize("size", [WIDE, PHONE, (320, 640), (701, 800)])
async def test_the_page_is_never_wider_than_its_window(
    world: World, browser: Browser, size: tuple[int, int]
):
    async with opened(world, browser, size=size) as page:
        assert await page.evaluate("document.documentElement.scrollWidth") <= size[0]


async def test_no_name_is_squeezed_to_letters_on_a_phone(world: World, browser: Browser):
    async with opened(world, browser, size=PHONE) as page:
        heights = await shown(page, "td:first-child code", "(one) => one.offsetHeight")
        assert max(heights) < 30


async def test_without_scripts_the_page_says_where_to_read_and_does_not_load(
    world: World, browser: Browser
):
    async with opened(world, browser, scripts=False) as page:
        text = (await page.inner_text("main")).strip()
        assert text.startswith("This page is drawn by JavaScript")
        assert "Loading" not in text


@pytest.mark.parametrize(
    ("broken", "why"),
    [
        ({"status": 503, "body": "{}"}, "The server answered with status 503."),
        ({"body": '{"openapi": "3.1'}, "What the server sent cannot be read as such a document."),
        ({"body": "null"}, "What the server sent cannot be read as such a document."),
        ({"abort": True}, "The server cannot be reached."),
    ],
)
async def test_a_failed_load_is_said_in_plain_words_and_can_be_tried_again(
    world: World, browser: Browser, broken: dict, why: str
):
    async with opened(world, browser, "/docs#resume", broken=broken) as page:
        text = await page.inner_text("main")
        assert "The document of the API, /openapi.json, could not be loaded. " + why in text
        assert not re.search(r"Error|JSON\b|undefined", text)
        broken.clear()
        await page.click("main button")
        await page.wait_for_selector("section")
        assert 0 <= await top_of(page, "resume") < 100


async def test_code_in_a_description_is_drawn_as_code_and_paragraphs_apart(
    world: World, browser: Browser
):
    async with opened(world, browser) as page:
        assert not [text for text in await shown(page, "main p") if "`" in text]
        assert "transfer_id" in await shown(page, "section > p > code")
        said = await page.locator("#get_risk > p").all_text_contents()
        assert said[1].startswith("ledger") and "ledger" not in said[0]
