"""The pages for who is not in the register: a new client with an answer, and the no of an address nobody has."""

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from dispatcher.errors import RefusedError
from dispatcher.flow.desk import PLACES, Draft, Trouble
from dispatcher.rules.campaign import Language
from dispatcher.rules.wording import wording_hash
from dispatcher.texts import text
from dispatcher.web.desk.confirming import confirm, reading, recorded
from dispatcher.web.desk.gate import Door, field, form, inside, read
from dispatcher.web.desk.session import Session


class Newcomers(Door):
    """Answers what is asked about people whom the register does not know."""

    @inside
    async def new(self, _: Request, session: Session) -> Response:
        """Show the form for a client whom the register does not know."""
        typed = {"first_name": "", "last_name": "", "address": "", "language": Language.FI.value}
        return self.pages.answer("new", session, typed=typed, trouble=None, taken=())

    @inside
    async def show_back(self, request: Request, session: Session) -> Response:
        """Show a new client as they would be written down, with the words to read aloud; or what is wrong."""
        fields = await form(request)
        draft = self._draft(fields)
        taken = (
            await run_in_threadpool(self.desk.known, draft.channel, draft.address, self.actor)
            if isinstance(draft, Draft)
            else []
        )
        if not isinstance(draft, Draft) or taken:
            typed = {name: field(fields, name) for name in ("first_name", "last_name", "address", "language")}
            trouble = draft if isinstance(draft, Trouble) else None
            return self.pages.answer("new", session, typed=typed, trouble=trouble, taken=taken)
        question = await run_in_threadpool(self.desk.question, draft.channel, draft.language)
        return confirm(
            self.pages,
            session,
            heading=text("desk_new_sure", session.language),
            name=draft.name,
            address=draft.address,
            question=question,
            ask=draft.language.value,
            replies=True,
            places=PLACES,
            action="/new/answer",
            hidden={
                "first_name": draft.first_name,
                "last_name": draft.last_name,
                "language": draft.language.value,
                "address": draft.address,
                "channel": draft.channel.value,
                "ask": draft.language.value,
                "wording": wording_hash(question),
            },
            back="/new",
        )

    @inside
    async def enlist(self, request: Request, session: Session) -> Response:
        """Write a new client down with their answer."""
        fields = await form(request)
        draft, heard = self._draft(fields), reading(fields)
        if not isinstance(draft, Draft):
            raise RefusedError
        number = await run_in_threadpool(self.desk.enlist, draft, heard, self.actor)
        session.said = f"{recorded(heard, session.language)} {text('desk_recorded_new', session.language)}"
        return RedirectResponse(f"/client/{number}", 303)

    @inside
    async def address(self, _: Request, session: Session) -> Response:
        """Show the form for the no of somebody who is not in the register."""
        return self.pages.answer("address", session, typed={"address": ""}, trouble=None, taken=())

    @inside
    async def show_address(self, request: Request, session: Session) -> Response:
        """Show the address back before its no is recorded; one that somebody has leads to them."""
        typed = field(await form(request), "address")
        reached = self.desk.reached(typed)
        taken = await run_in_threadpool(self.desk.known, *reached, self.actor) if reached else []
        if reached is None or taken:
            trouble = None if reached else Trouble.ADDRESS
            return self.pages.answer("address", session, typed={"address": typed}, trouble=trouble, taken=taken)
        heading = text("desk_withdraw_all", session.language)
        return confirm(
            self.pages,
            session,
            heading=heading,
            address=reached[1],
            note=text("desk_address_explained", session.language),
            action="/address/withdraw",
            hidden={"address": reached[1]},
            button=heading,
            back="/address",
        )

    @inside
    async def withdraw_address(self, request: Request, session: Session) -> Response:
        """Put the no of an address on record."""
        address = field(await form(request), "address")
        await run_in_threadpool(self.desk.withdraw_address, address, self.actor)
        session.said = text("desk_recorded_withdrawn", session.language)
        return RedirectResponse("/", 303)

    def _draft(self, fields: FormData) -> Draft | Trouble:
        language = read(Language, field(fields, "language")) or Language.FI
        return self.desk.draft(
            field(fields, "first_name"), field(fields, "last_name"), language, field(fields, "address")
        )
