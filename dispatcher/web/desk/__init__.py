"""The desk: a page on this machine alone, for staff at the counter, behind a link that opens once.

GET shows and POST records. A POST has to come from a page of ours, in the browser that the link opened: its Origin,
what the browser says of its site, and the form's own secret all have to agree.
"""

from collections.abc import Callable

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from dispatcher.flow.desk import Desk
from dispatcher.rules.actor import Actor
from dispatcher.web.desk.clients import Clients
from dispatcher.web.desk.gate import Door, OwnName, cookie, inside
from dispatcher.web.desk.newcomers import Newcomers
from dispatcher.web.desk.page import DeskPages, stylesheets
from dispatcher.web.desk.session import Doorkeeper, Session
from dispatcher.web.guard import DESK_HEADERS, Guard

__all__ = ["DeskPages", "Doorkeeper", "create_desk"]


def create_desk(desk: Desk, pages: DeskPages, actor: Actor, doorkeeper: Doorkeeper) -> Starlette:
    """Return the application; every act in it is this actor's."""
    entrance = Entrance(desk, pages, actor, doorkeeper)
    clients = Clients(desk, pages, actor, doorkeeper)
    newcomers = Newcomers(desk, pages, actor, doorkeeper)
    routes = [
        Route("/in/{secret}", entrance.enter, methods=["GET"]),
        Route("/", clients.search, methods=["GET"]),
        Route("/client/{number:int}", clients.client, methods=["GET"]),
        Route("/client/{number:int}/answer", clients.ask, methods=["GET"]),
        Route("/client/{number:int}/answer", clients.record, methods=["POST"]),
        Route("/client/{number:int}/withdraw", clients.ask_withdraw, methods=["GET"]),
        Route("/client/{number:int}/withdraw", clients.withdraw, methods=["POST"]),
        Route("/client/{number:int}/child", clients.ask_child, methods=["GET"]),
        Route("/client/{number:int}/child", clients.mark_child, methods=["POST"]),
        Route("/new", newcomers.new, methods=["GET"]),
        Route("/new", newcomers.show_back, methods=["POST"]),
        Route("/new/answer", newcomers.enlist, methods=["POST"]),
        Route("/address", newcomers.address, methods=["GET"]),
        Route("/address", newcomers.show_address, methods=["POST"]),
        Route("/address/withdraw", newcomers.withdraw_address, methods=["POST"]),
        Route("/leave", entrance.leave, methods=["POST"]),
    ]
    routes += [Route(path, _sheet(css), methods=["GET"]) for path, css in stylesheets().items()]
    app = Starlette(routes=routes, exception_handlers={HTTPException: entrance.unrouted})
    app.add_middleware(OwnName)
    app.add_middleware(Guard, failed=lambda _: pages.answer("failed", None), headers=DESK_HEADERS)
    return app


class Entrance(Door):
    """Opens and closes the desk, and answers where there is no page."""

    async def enter(self, request: Request) -> Response:
        """Open the session that a link gives, once."""
        session = self.doorkeeper.enter(request.path_params["secret"])
        if session is None:
            return self.pages.answer("closed", None)
        answer = RedirectResponse("/", 303)
        answer.set_cookie(cookie(request), session.secret, httponly=True, samesite="strict", path="/")
        return answer

    @inside
    async def leave(self, request: Request, _: Session) -> Response:
        """End the session."""
        self.doorkeeper.leave()
        answer = self.pages.answer("closed", None)
        answer.delete_cookie(cookie(request), path="/", httponly=True, samesite="strict")
        return answer

    async def unrouted(self, request: Request, error: Exception) -> Response:
        """Answer where there is no page; to nobody without a session does it differ from the closed desk."""
        session = self.doorkeeper.session(request.cookies.get(cookie(request), ""))
        if session is None:
            return self.pages.answer("closed", None)
        if isinstance(error, HTTPException) and error.status_code != 404:
            return Response(status_code=error.status_code, headers=error.headers)
        return self.pages.answer("missing", session)


def _sheet(css: str) -> Callable[[Request], Response]:
    return lambda _: Response(css, media_type="text/css")
