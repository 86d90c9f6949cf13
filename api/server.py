"""The HTTP server of a gateway: uvicorn, with websockets by picows unless told otherwise."""

import logging
from collections import Counter
from functools import partial
from typing import Any, Final

import uvicorn
from fastapi import FastAPI

from api.http import HttpProtocol
from api.ws.hub import Hub
from api.ws.protocol import PicowsProtocol

PICOWS: Final = "picows"
KEEP_ALIVE_S: Final = 65


def make_server(
    app: FastAPI, hub: Hub, *, host: str, port: int, ws: str = PICOWS
) -> uvicorn.Server:
    """Return a server to be run with `serve`; `should_exit = True` stops it.

    Args:
        ws: `picows`, or the name of one of uvicorn's own, as `websockets-sansio`.
    """
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)  # what peers break is no news
    limits, edge = hub.services.limits.settings, hub.services.edge
    most = None if edge.trust_proxy_headers else limits.connections_per_address_max
    open_here: Counter[str] = Counter()
    http_class: Any = partial(HttpProtocol, open_here, most)
    ws_class: Any = partial(PicowsProtocol, hub) if ws == PICOWS else ws
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        ws=ws_class,
        http=http_class,
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=3,
        ws_max_size=1 << 20,
        backlog=1024,
    )
    return uvicorn.Server(config)
