"""The app: routes on services."""

from fastapi import FastAPI, WebSocket

from api import edge
from api.auth import WS_TARGET
from api.deps import Services
from api.hot import HotRoutes
from api.routes import (
    account,
    admin,
    auctions,
    blocks,
    calendar,
    clients,
    collateral,
    collateral_admin,
    curves,
    default_auctions,
    defaults,
    delivery,
    delivery_admin,
    desk,
    efd,
    fees,
    fund,
    giveups,
    health,
    hedge,
    history,
    indices,
    kill,
    margin,
    members,
    observations,
    orders,
    proofs,
    protect,
    public,
    restraints,
    scenarios,
    statements,
    surveillance,
    webhooks,
)
from api.routes.docs import docs_router
from api.routes.public import VERSION
from api.ws.asgi import serve
from api.ws.hub import Hub

PREFIX = "/api/v1"
ROUTERS = (
    public.router,
    history.public,
    proofs.router,
    curves.public,
    calendar.public,
    protect.router,
    orders.router,
    account.router,
    margin.private,
    hedge.router,
    margin.admin,
    history.private,
    collateral.router,
    admin.router,
    collateral_admin.router,
    blocks.public,
    blocks.private,
    auctions.router,
    kill.router,
    scenarios.public,
    scenarios.private,
    defaults.public,
    defaults.private,
    defaults.admin,
    *default_auctions.ROUTERS,
    fund.public,
    fund.private,
    fund.admin,
    surveillance.admin,
    statements.private,
    delivery.public,
    delivery.private,
    delivery_admin.admin,
    *efd.ROUTERS,
    observations.public,
    observations.admin,
    desk.public,
    desk.admin,
    fees.public,
    fees.private,
    indices.public,
    indices.admin,
    giveups.router,
    members.private,
    members.admin,
    clients.router,
    restraints.public,
    restraints.private,
    restraints.member,
    restraints.admin,
    webhooks.router,
)
TITLE = "Wellhead"


def create_app(services: Services, hub: Hub) -> FastAPI:
    """Return the ASGI app of a gateway."""
    app = FastAPI(
        title=TITLE,
        version=VERSION,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
    )
    app.state.services = services
    app.add_middleware(HotRoutes)
    edge.install(app)  # the last one added is the outermost
    app.include_router(health.router)
    for router in ROUTERS:
        app.include_router(router, prefix=PREFIX)

    app.include_router(docs_router(app, VERSION))

    @app.websocket(WS_TARGET)
    async def websocket(websocket: WebSocket) -> None:
        """Serve a websocket when uvicorn, not picows, carries it."""
        await serve(websocket, hub)

    return app
