"""The list of whom to ask, on paper: the same lines as text, as a page to print, and as a PDF."""

from datetime import date
from zoneinfo import ZoneInfo

from dispatcher.flow.questioning import AskList, ToAsk
from dispatcher.rendering.paper import pdf
from dispatcher.rendering.sheets import sheet
from dispatcher.rules.campaign import Channel, Language
from dispatcher.rules.studio import Studio
from dispatcher.texts import format_date, text


class AskPaper:
    """One list in one language, as it is printed on a local day."""

    def __init__(self, found: AskList, studio: Studio, language: Language, today: date, zone: ZoneInfo) -> None:
        self._found = found
        self._studio = studio
        self._language = language
        self._today = today
        self._zone = zone

    def to_text(self) -> str:
        """Return the list as plain text with boxes to tick."""
        data = self._data()
        lines = [f"{data['title']} · {data['studio']} · {data['printed']}", ""]
        if not self._found.people:
            return "\n".join([*lines, self._said("paper_ask_nobody")])
        lines += [self._said("paper_ask_read"), ""]
        for words in self._words():
            lines += [f"{words['label']}:", f"  {words['text']}", ""]
        for each in self._found.people:
            lines.append(f"{each.card.name} ({self._about(each)})")
            lines += [
                f"  [ ] {data['yes']}  [ ] {data['no']}  {ask['channel']} {ask['address']}: {ask['why']}"
                for ask in self._asks(each)
            ]
        return "\n".join([*lines, "", *filter(None, [str(data["more"]), self._said("paper_secret")])])

    def to_html(self) -> str:
        """Return the list as a page for a browser's printer: A4, nothing loaded from anywhere."""
        return sheet("ask_list.html", self._data())

    def to_pdf(self) -> bytes:
        """Return the list as a tagged PDF. Raises RenderingError without typst."""
        return pdf("ask_list", self._data())

    def _data(self) -> dict[str, object]:
        beyond = self._found.total - len(self._found.people)
        return {
            "language": self._language.value,
            "title": self._said("paper_ask_title"),
            "studio": self._studio.name,
            "printed": self._said("paper_printed", date=format_date(self._today, self._language)),
            "printed_on": {"year": self._today.year, "month": self._today.month, "day": self._today.day},
            "read": self._said("paper_ask_read"),
            "nobody": self._said("paper_ask_nobody"),
            "more": self._said("paper_ask_more", number=beyond) if beyond else "",
            "secret": self._said("paper_secret"),
            "yes": self._said("desk_yes"),
            "no": self._said("desk_no"),
            "words": self._words(),
            "people": [
                {"name": each.card.name, "about": self._about(each), "asks": self._asks(each)}
                for each in self._found.people
            ],
        }

    def _words(self) -> list[dict[str, str]]:
        """Return the questions that somebody on the list is to be asked."""
        return [
            {
                "language": language.value,
                "label": f"{self._said(f'page_language_{language}')}, {self._channel(channel)}",
                "text": self._found.words[language][channel],
            }
            for language in Language
            for channel in Channel
            if any(each.card.language is language and channel in each.occasions for each in self._found.people)
        ]

    def _about(self, each: ToAsk) -> str:
        visit = each.card.last_visit
        language = self._said(f"page_language_{each.card.language}")
        if visit is None:
            return language
        return f"{language} · {self._said('desk_last_visit', date=format_date(visit, self._language))}"

    def _asks(self, each: ToAsk) -> list[dict[str, str]]:
        found = []
        for channel, why in each.occasions.items():
            standing = each.card.standings[channel]
            ends_on = standing.ends_on(self._zone)
            said = self._said(f"paper_ask_{why}", date=format_date(ends_on, self._language) if ends_on else "")
            found.append({"channel": self._channel(channel), "address": standing.address or "", "why": said})
        return found

    def _channel(self, channel: Channel) -> str:
        return self._said(f"desk_{channel}")

    def _said(self, key: str, **values: object) -> str:
        return text(key, self._language, **values)
