"""The pages of one client: look up, read aloud, record; stop the messages; mark as a child."""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from dispatcher.errors import RefusedError
from dispatcher.flow.desk import PLACES, REPLIES
from dispatcher.rules.campaign import Channel, Language
from dispatcher.rules.consent import Reply
from dispatcher.rules.wording import wording_hash
from dispatcher.texts import text
from dispatcher.web.desk.confirming import confirm, reading, recorded
from dispatcher.web.desk.gate import Door, field, form, inside, need, read
from dispatcher.web.desk.session import Session


class Clients(Door):
    """Answers what is asked about clients of the register."""

    @inside
    async def search(self, request: Request, session: Session) -> Response:
        """Show who fits the words."""
        session.language = read(Language, request.query_params.get("lang")) or session.language
        words = request.query_params.get("q", "")[:100].strip()
        cards, has_more = await run_in_threadpool(self.desk.search, words, self.actor) if words else ((), False)
        return self.pages.answer("search", session, words=words, cards=cards, has_more=has_more)

    @inside
    async def client(self, request: Request, session: Session) -> Response:
        """Show a client, what their answers come to, and the words to read aloud."""
        card = await run_in_threadpool(self.desk.card, request.path_params["number"], self.actor)
        ask = read(Language, request.query_params.get("ask")) or card.language
        questions = {channel: await run_in_threadpool(self.desk.question, channel, ask) for channel in Channel}
        heading = card.name or str(card.number)
        return self.pages.answer("client", session, heading=heading, card=card, ask=ask.value, questions=questions)

    @inside
    async def ask(self, request: Request, session: Session) -> Response:
        """Show the words once more, before an answer to them is recorded."""
        query = request.query_params
        channel, reply, ask = need(Channel, query.get("channel")), need(Reply, query.get("reply")), query.get("ask")
        language = need(Language, ask)
        if reply not in REPLIES:
            raise RefusedError
        card = await run_in_threadpool(self.desk.card, request.path_params["number"], self.actor)
        question = await run_in_threadpool(self.desk.question, channel, language)
        standing = card.standings[channel]
        return confirm(
            self.pages,
            session,
            heading=text(f"desk_confirm_{reply}", session.language),
            name=card.name,
            address=standing.address,
            question=question,
            ask=language.value,
            places=PLACES,
            action=f"/client/{card.number}/answer",
            hidden={
                "channel": channel.value,
                "reply": reply.value,
                "ask": language.value,
                "wording": wording_hash(question),
            },
            back=f"/client/{card.number}?ask={language}",
        )

    @inside
    async def record(self, request: Request, session: Session) -> Response:
        """Put an answer on record."""
        number: int = request.path_params["number"]
        heard = reading(await form(request))
        await run_in_threadpool(self.desk.answer, number, heard, self.actor)
        session.said = recorded(heard, session.language)
        return RedirectResponse(f"/client/{number}", 303)

    @inside
    async def ask_withdraw(self, request: Request, session: Session) -> Response:
        """Ask whether the messages are to stop."""
        channel = read(Channel, request.query_params.get("channel"))
        card = await run_in_threadpool(self.desk.card, request.path_params["number"], self.actor)
        heading = text(f"desk_withdraw_{channel or 'all'}", session.language)
        return confirm(
            self.pages,
            session,
            heading=heading,
            name=card.name,
            note=text("desk_withdraw_sure", session.language),
            action=f"/client/{card.number}/withdraw",
            hidden={"channel": channel.value if channel else ""},
            button=heading,
            back=f"/client/{card.number}",
        )

    @inside
    async def withdraw(self, request: Request, session: Session) -> Response:
        """Put a no on record."""
        number, fields = request.path_params["number"], await form(request)
        # A channel that cannot be read closes everything: never less than was said.
        channel = read(Channel, field(fields, "channel"))
        await run_in_threadpool(self.desk.withdraw, number, channel, self.actor)
        session.said = text("desk_recorded_withdrawn", session.language)
        return RedirectResponse(f"/client/{number}", 303)

    @inside
    async def ask_child(self, request: Request, session: Session) -> Response:
        """Ask whether a client is a child, or is none."""
        card = await run_in_threadpool(self.desk.card, request.path_params["number"], self.actor)
        key = "not_child" if card.is_child else "child"
        heading = text(f"desk_{key}", session.language)
        return confirm(
            self.pages,
            session,
            heading=heading,
            name=card.name,
            note=text(f"desk_{key}_sure", session.language),
            action=f"/client/{card.number}/child",
            hidden={"value": "no" if card.is_child else "yes"},
            button=heading,
            back=f"/client/{card.number}",
        )

    @inside
    async def mark_child(self, request: Request, session: Session) -> Response:
        """Mark a client as a child, or lift the mark."""
        number, fields = request.path_params["number"], await form(request)
        value = field(fields, "value") != "no"
        await run_in_threadpool(lambda: self.desk.mark_child(number, self.actor, value=value))
        session.said = text("desk_recorded_child" if value else "desk_recorded_not_child", session.language)
        return RedirectResponse(f"/client/{number}", 303)
