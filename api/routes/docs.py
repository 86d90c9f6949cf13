"""The reference: OpenAPI, and a page that draws it without any network but this server's."""

from pathlib import Path
from typing import Final

import orjson
from fastapi import APIRouter, FastAPI, Response
from starlette.responses import RedirectResponse

from api.errors import Problem
from api.openapi import document

STATIC: Final = Path(__file__).resolve().parent.parent / "static"
POLICY: Final = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'"
FILES: Final = {"docs.js": "text/javascript", "docs.css": "text/css"}


def docs_router(app: FastAPI, version: str) -> APIRouter:
    """Return the routes of the reference of an app whose other routes are all there."""
    router = APIRouter(include_in_schema=False)
    openapi = orjson.dumps(document(app, version), option=orjson.OPT_INDENT_2)

    @router.get("/openapi.json")
    async def get_openapi() -> Response:
        """Return the OpenAPI document."""
        return Response(openapi, media_type="application/json")

    @router.get("/docs")
    async def get_docs() -> Response:
        """Return the page."""
        return page("docs.html", "text/html")

    @router.get("/")
    @router.get("/api/v1")
    @router.get("/api/v1/")
    async def to_docs() -> Response:
        """Lead whoever looks around to the page."""
        return RedirectResponse("/docs", status_code=307)

    @router.get("/docs/{name}")
    async def get_file(name: str) -> Response:
        """Return a file of the page."""
        if name not in FILES:
            raise Problem("not_found", "there is nothing at this address")
        return page(name, FILES[name])

    return router


def page(name: str, media: str) -> Response:
    """Return a file of the package; it may load from this server only."""
    headers = {"content-security-policy": POLICY}
    return Response((STATIC / name).read_bytes(), headers=headers, media_type=media)
