"""The findings of an audit in the languages of its paper; their English stands in rules.sayings."""

from dispatcher.rules.sayings import SAYINGS


def _same(name: str, words: str) -> dict[str, str]:
    """Return both forms of a sentence that says a number without a noun beside it."""
    return {f"{name}_one": words.replace("{count}", "1"), f"{name}_other": words}


_FI = {
    "unread": "Merkintää {entry} ({what}) ei voi lukea.",
    "wrong": "Merkintä {entry} ({what}) {wrong}.",
    "client_too_many": "Asiakas {who} sai 365 päivän aikana alkaen {first} viestejä {count}; luvattu on enintään {ceiling} (merkinnät {entries}).",  # noqa: E501
    "address_too_many": "Osoite {who} sai 365 päivän aikana alkaen {first} viestejä {count}; luvattu on enintään {ceiling} (merkinnät {entries}).",  # noqa: E501
    "client_again": "Merkintä {entry} lähettää kampanjan {campaign} asiakkaalle {who} uudelleen merkinnän {twin} jälkeen.",  # noqa: E501
    "address_again": "Merkintä {entry} lähettää kampanjan {campaign} osoitteeseen {who} uudelleen merkinnän {twin} jälkeen.",  # noqa: E501
    **_same("unnamed", "Muita samanlaisia havaintoja, joita ei nimetä: {count}."),
    "too_many": "Vuonna {year} lähti kampanjoita {count}; luvattu on enintään {ceiling}.",
    "too_close": "Vuotta {year} koskettavien 365 päivän aikana lähti kampanjoita {count}; luvattu on enintään {ceiling}.",  # noqa: E501
    "not_begun": "Vuosi {year} ei ole alkanut.",
    **_same("running", "Vuosi {year} on kesken: kampanjoita on lähtenyt {count}, luvattu on {floor}–{ceiling}."),  # noqa: RUF001
    **_same(
        "too_few",
        "Vuonna {year} lähti kampanjoita {count}, vähemmän kuin ne {floor}, joita asiakkaiden annettiin odottaa.",
    ),
    **_same(
        "miscounted",
        "Palvelu laski joidenkin tekstiviestien osat toisin kuin oli ennakoitu ({count}); hinnassa on sen luku.",
    ),
    "restored": "Merkintä {entry} kertoo varmuuskopion palautuksesta.",
    "unanswered": "Pyyntö ({kind}, asiakas {client}, merkintä {entry}) on vailla vastausta; määräpäivä oli {due}.",
    "answered_late": "Pyynnön ({kind}, asiakas {client}, merkintä {entry}) määräpäivä oli {due}, ja vastaus tuli {day} (merkintä {closed}).",  # noqa: E501
    "no_campaign": "ei nimeä kampanjaa",
    "slot_was_spent": "muuttaa kampanjan {campaign} paikkaa, joka oli jo käytetty",
    "declaration": "kertoo ilmoituksesta {declaration} jotain, mikä ei ole mahdollista",
    "planned_twice": "ottaa viestin jonoon toisen kerran",
    "withheld_unasked": "pidättää viestin, joka ei odottanut lähtöä",
    "sent_unasked": "luovuttaa viestin, joka ei odottanut lähtöä",
    "sent_unspent": "lähettää kampanjaa {campaign}, jonka paikkaa ei ollut käytetty",
    "outcome_unasked": "kertoo, miten kävi viestille, jota ei oltu luovuttamassa",
    "given_up_unasked": "luopuu selvittämästä viestiä, joka ei ollut epäselvä",
    "of_another": "koskee toisen asiakkaan tai kampanjan viestiä",
    "no_answer": "nojasi merkintään {relied}, joka ei ole asiakkaan {client} siihen mennessä antama vastaus",
    "no_yes": "nojasi merkintään {relied}, joka ei ole lupa vaan: {said}",
    "other_channel": "nojasi merkintään {relied}, jonka lupa koskee muuta (viestin kanava: {channel}, luvan kanava: {agreed})",  # noqa: E501
    "void": "nojasi merkintään {relied}, lähteen {source} lupaan, joka oli silloin jo mitätön",
    "replaced": "nojasi merkintään {relied}, lupaan osoitteelle, jonka tilalle oli tullut toinen",
    "not_standing": "nojasi merkintään {relied}, mutta asiakkaan {client} vastausten summa oli sillä hetkellä: {consent} ({channel})",  # noqa: E501
    "not_standing_for": "nojasi merkintään {relied}, mutta asiakkaan {client} vastausten summa oli sillä hetkellä: {consent} ({channel}; merkintä {because})",  # noqa: E501
    "other_yes": "nojasi merkintään {relied}, mutta sillä hetkellä voimassa ollut lupa on merkintä {other}",
    "to_gone": "lähti asiakkaalle {client}, jota rekisteri ei enää nimennyt (merkintä {because})",
    "to_child": "lähti asiakkaalle {client}, joka oli merkitty lapseksi (merkintä {because})",
    "to_restricted": "lähti asiakkaalle {client}, jonka tietojen käyttöä oli rajoitettu (merkintä {because})",
    "to_suspended": "lähti asiakkaalle {client}, jonka kirje tai tekstiviesti odotti ihmistä (merkintä {because})",
    "to_request": "lähti asiakkaalle {client}, jonka pyyntö oli avoinna (merkintä {because})",
    "to_erased": "lähti asiakkaalle {client}, jonka tiedot oli poistettu (merkintä {because})",
    "no_terms": "Merkintä {entry} ei nimeä kampanjansa ehtoja: sitä ei voi ratkaista uudelleen.",
    "other_day": "Merkintä {entry} on laskettu päivälle {day}, joka ei ollut sen paikallinen päivä.",
    "not_following": "Merkintä {entry} asiakkaalle {client} ei seuraa tapahtumakirjasta: {wrong}.",
    "other_verdict": "päätös sillä hetkellä: {verdict} ({reason})",
    "other_way": "oikea kanava oli {channel}, ja viestin kanava oli {went}",
    "other_answer": "silloin voimassa ollut lupa on merkintä {stood}, ja tässä nimetään merkintä {named}",
    "other_address": "asiakkaan osoite oli {kept}, ja viesti lähti osoitteeseen {used}",
    **_same("few_to_client", "asiakkaan viestejä oli sen mukaan {count} ja tapahtumakirjan mukaan {counted}"),
    **_same("few_to_address", "osoitteen viestejä oli sen mukaan {count} ja tapahtumakirjan mukaan {counted}"),
    **_same("unnamed_again", "Muita samanlaisia viestejä, joita ei nimetä: {count}."),
    "seal": "Sinetti {number} ({at})",
    "seal_line": "Sinettien tiedoston rivillä {number} ei ole sinettiä: riviä on muutettu.",
    "forged": "{seal} on väärennetty: siinä ei ole avaimensa allekirjoitusta.",
    "forged_key": "{seal} on väärennetty: sen allekirjoittanut avain ei ole tämän ohjelman.",
    "seal_cut": "{seal} kattoi ketjun {chain} kohtaan {position} asti, eikä kohtaa ole: tapahtumakirja on katkaistu tai sen tilalle on pantu vanhempi kopio. Paperilla sinetti on {words}.",  # noqa: E501
    "seal_rewritten": "{seal} kattoi ketjun {chain} toisenlaisena kohtaan {position} asti: tapahtumakirja on kirjoitettu sen jälkeen uudelleen. Paperilla sinetti on {words}.",  # noqa: E501
    "seal_taken_back": "{seal} kattoi sen, minkä palautus (merkintä {entry}) kumosi: {words}.",
    "seal_row": "{seal} ei jatku edellisestä sinetistä: jokin sinetti on poistettu tai lisätty.",
    "seal_unkept": "{seal} puuttuu sinettien tiedostosta.",
    "seal_untold": "{seal} on sinettien tiedostossa, eikä tapahtumakirja kerro siitä: sen merkintä on poistettu.",
    "no_seal_file": "Sinettien tiedostoa ei ole: tarkistettiin vain ne sinetit, joista tapahtumakirja kertoo.",
    **_same(
        "older_copy",
        "Tietokanta on vanhempi kopio: siitä puuttuu erillisen päiväkirjan merkintöjä {count}. Komento `{command}` palauttaa ne; siihen asti mitään ei lähde.",  # noqa: E501
    ),
    "restore_put_in": "Merkintä {entry} kertoo palautuksesta, josta erillinen päiväkirja ei tiedä mitään: merkintä on lisätty jälkikäteen.",  # noqa: E501
    "wording_altered": "Kysymyksen tekstiä {digest} on muutettu: sillä ei ole omaa tiivistettään.",
    "wording_missing": "Kysymyksen teksti {digest} puuttuu, vaikka siihen on vastattu.",
    "frozen_altered": "Kampanja {name} ({number}): sen talletettuja tiedostoja on muutettu ajastamisen jälkeen.",
    "notice_altered": "Tietosuojaselosteen versio {version} ei ole se, joka julkaistiin: sitä on muutettu.",
    "only_table": "Kampanja {name} ({number}) on taulussaan; tapahtumakirja ei tiedä siitä mitään.",
    "only_ledger": "Kampanja {name} ({number}) on tapahtumakirjassa; sen taulu ei tiedä siitä mitään.",
    "told_otherwise": "Kampanja {name} ({number}): {field} on tapahtumakirjassa {told} ja taulussa {held}.",
    "slot_only_ledger": "Tapahtumakirjan mukaan päivällä {day} on paikka ({state}); paikkojen taulussa sitä ei ole.",
    "slot_only_ledger_of": "Tapahtumakirjan mukaan päivällä {day} on paikka ({state}, kampanja {campaign}); paikkojen taulussa sitä ei ole.",  # noqa: E501
    "slot_only_table": "Paikkojen taulussa on päivällä {day} paikka ({state}); tapahtumakirja ei kerro siitä.",
    "slot_only_table_of": "Paikkojen taulussa on päivällä {day} paikka ({state}, kampanja {campaign}); tapahtumakirja ei kerro siitä.",  # noqa: E501
    "counted_otherwise": "Kampanja {name} ({number}): {line}: tapahtumakirjassa {told}, lähtevissä {held}.",
    "line": "{state}",
    "line_by": "{state} ({channel})",
    "line_withheld": "jäi lähtemättä ({reason})",
    "outbox_only": "Lähtevissä on kampanjan {campaign} viesti asiakkaalle {client}, eikä mikään merkintä kerro siitä.",
    "outbox_lacks": "Tapahtumakirja kertoo kampanjan {campaign} viestistä asiakkaalle {client}; lähtevissä sitä ei ole.",  # noqa: E501
    "fate_differs": "Kampanjan {campaign} viesti asiakkaalle {client}: {differences}.",
    "fate_part": "{field} on tapahtumakirjassa {told} ja lähtevissä {held}",
    "ends_differ": "Kampanja {campaign}: viestejä, joiden lopputuloksen palvelu kertoi jälkikäteen, on tapahtumakirjassa {told} ja lähtevissä {held}, eivätkä ne ole samat.",  # noqa: E501
    "places_more_one": "Tapahtumakirjassa on 1 muu kohta, joka ei pidä.",
    "places_more_other": "Tapahtumakirjassa on muita kohtia, jotka eivät pidä: {count}.",
    "not_opened": "Kaikkein ensimmäinen merkintä, joka kertoo ohjelman käyttöönotosta, puuttuu.",
    "link_begins": "Ryhmä {group} ei jatku siitä alusta, joka on ennen sitä: jompikumpi on pantu toisen tilalle.",
    "link": "Ryhmä {group} ei jatku ryhmästä {before}, joka on ennen sitä: jompikumpi on pantu toisen tilalle.",
    "extra": "Ryhmän {group} ketjuun liitettyjen merkintöjen määrä oli {entries}, ja nyt siinä on {held}: ainakin yksi on lisätty jälkikäteen.",  # noqa: E501
    "extra_named": "Ryhmän {group} ketjuun liitettyjen merkintöjen määrä oli {entries}, ja nyt siinä on {held}: merkintä {entry} on lisätty jälkikäteen.",  # noqa: E501
    "altered_entry": "Merkintää {entry} ({what}, ryhmä {group}) on muutettu: sillä ei ole omaa tiivistettään.",
    "altered_group": "Ryhmällä {group} (merkinnät {first}–{last}) ei ole omaa tiivistettään: on muutettu joko sitä tai sen merkintää yhdessä tiivisteensä kanssa.",  # noqa: E501, RUF001
    "missing": "Ryhmän {group} ketjuun liitettyjen merkintöjen määrä oli {entries}, ja nyt siinä on {held}: puuttuu {lacks}.",  # noqa: E501
    "missing_named": "Ryhmän {group} ketjuun liitettyjen merkintöjen määrä oli {entries}, ja nyt siinä on {held}: puuttuu {lacks}. Poissa: merkintä {holes}.",  # noqa: E501
    **_same("entries", "{count}"),
    "gap": "Ketjussa {chain} ei ole mitään kohdassa {first}: 1 ryhmä puuttuu.",
    "gaps": "Ketjussa {chain} ei ole mitään kohdissa {first}–{last}: puuttuvia ryhmiä on {lacks}.",  # noqa: RUF001
    "no_head": "Ketjulla {chain} ei ole päätä: ei voi sanoa, mihin se loppuu.",
    "beyond_head": "Ketju {chain} jatkuu kohtaan {position}, pidemmälle kuin sen pää ({head}).",
    "other_head": "Ketjun {chain} päässä ei ole ketjun lopun tiivistettä (kohta {position}).",
    "stray": "Merkintä {first} kuuluu ryhmään {group}, jota ei ole.",
    "strays": "Merkinnät {first}–{last} kuuluvat ryhmään {group}, jota ei ole.",  # noqa: RUF001
    "entries_swapped": "Merkinnät {one} ja {other} ovat vaihtaneet paikkaa.",
    "groups_swapped": "Ryhmät {one} ja {other} ovat vaihtaneet paikkaa.",
    "stub_forged": "Merkinnän {entry} jäljelle jääneessä tyngässä ei ole merkinnän tiivistettä: se on lisätty tai sitä on muutettu.",  # noqa: E501
    "stub_of_another": "Merkinnän {entry} ({what}) rinnalla on tynkä, vaikka merkintä ei koske viestiä eikä häviä minkään vuoden mukana: se on lisätty.",  # noqa: E501
    "stub_alone": "Vuodelta {year} puuttuu merkintöjä ({count}, ensimmäinen niistä merkintä {entry}): niiden paikalla on tynkiä, eikä mikään merkintä kerro, että vuosi hävitettiin.",  # noqa: E501
    "destroyed_otherwise": "Merkintä {entry} kertoo vuoden {year} hävitettävien merkintöjen määräksi {count}; niiden paikalla olevia tynkiä on {held}, eivätkä ne ole samat.",  # noqa: E501
    "destroyed_early": "Merkintä {entry} hävitti vuoden {year} jo {day}, kun se piti vielä säilyttää.",
    "destroyed_unclosed": "Merkintä {entry} hävitti vuoden {year} sinetillä {seal} päätettynä; sen edellä ei ole sellaista päätöstä.",  # noqa: E501
    "destroyed_uncovered": "Merkintä {entry} hävitti vuoden {year} sinetillä {seal} päätettynä; mikään sellainen sinetti ei kata kaikkea hävitettyä.",  # noqa: E501
    "destroyed_of_another": "Merkintä {entry} hävitti vuoden {year}, ja samalla on hävinnyt myöhemmän vuoden merkintöjä.",  # noqa: E501
    "destroyed_unsealed": "Merkintä {entry} hävitti vuoden {year}, eikä sen jälkeen asetettu sinettiä ennen kuin merkinnät hävisivät.",  # noqa: E501
    "destroyed_twice": "Merkintä {entry} hävitti vuoden {year}, jonka aiempi merkintä jo kertoo hävitetyksi.",
    "destroyed_left": "Merkintä {entry} on jäljellä ilman tynkää, vaikka sen kampanjan {campaign} viestit hävitettiin vuoden {year} mukana.",  # noqa: E501
    "destroyed_in_part": "Kampanjan {campaign} viestit ovat jäljellä, vaikka merkintä {entry} kertoo vuoden {year} viestit hävitetyiksi.",  # noqa: E501
    "destroyed": "Vuoden {year} viestit hävitettiin {day} lupauksen mukaisesti, tarkastettuina sinetillä {seal}.",
    "destroyed_despite": "Kun vuosi {year} päätettiin, sen tarkastuksessa oli havaintoja ({count}); henkilö antoi hävittää vuoden siitä huolimatta.",  # noqa: E501
    "destroyed_before": "Vuoden {year} viestit on hävitetty: mitä kukin sai 365 päivän aikana, jotka ulottuvat siihen vuoteen, laskettiin aiemmin, ja tässä lasketaan vain myöhempi osa.",  # noqa: E501
    "destroyed_unfinished": "Osa vuoden {year} viesteistä on vielä tietokannassa: ohjelma jatkaa niiden hävittämistä itse.",  # noqa: E501
    "destruction_begun": "Vuoden {year} hävittäminen aloitettiin ja keskeytyi; mitään siitä ei ole vielä hävitetty.",
    "transfer": "Tekstiviestit välittää {company}, jonka henkilöstö voi päästä tietoihin EU:n ulkopuolelta. Miksi se on hyväksytty: {note}",  # noqa: E501
}
_SV = {
    "unread": "Anteckning {entry} ({what}) går inte att läsa.",
    "wrong": "Anteckning {entry} ({what}) {wrong}.",
    "client_too_many": "Kund {who} fick {count} meddelanden under 365 dagar från och med {first}; högst {ceiling} är utlovat (anteckningar {entries}).",  # noqa: E501
    "address_too_many": "Adress {who} fick {count} meddelanden under 365 dagar från och med {first}; högst {ceiling} är utlovat (anteckningar {entries}).",  # noqa: E501
    "client_again": "Anteckning {entry} skickar kampanj {campaign} till kund {who} på nytt, efter anteckning {twin}.",
    "address_again": "Anteckning {entry} skickar kampanj {campaign} till adress {who} på nytt, efter anteckning {twin}.",  # noqa: E501
    **_same("unnamed", "Fler liknande iakttagelser som inte namnges: {count}."),
    "too_many": "År {year} skickades kampanjer: {count}; utlovat är högst {ceiling}.",
    "too_close": "Under 365 dagar som berör år {year} skickades kampanjer: {count}; utlovat är högst {ceiling}.",
    "not_begun": "År {year} har inte börjat.",
    **_same("running", "År {year} pågår: skickade kampanjer hittills {count}, utlovat är {floor}–{ceiling}."),  # noqa: RUF001
    **_same("too_few", "År {year} skickades kampanjer: {count}, färre än de {floor} som kunderna fick vänta sig."),
    **_same(
        "miscounted",
        "Tjänsten räknade delarna i några textmeddelanden annorlunda än väntat ({count}); dess tal finns i kostnaden.",
    ),
    "restored": "Anteckning {entry} berättar om en återställning.",
    "unanswered": "En begäran ({kind}, kund {client}, anteckning {entry}) saknar svar; den skulle ha besvarats senast {due}.",  # noqa: E501
    "answered_late": "En begäran ({kind}, kund {client}, anteckning {entry}) skulle ha besvarats senast {due} och fick svar {day} (anteckning {closed}).",  # noqa: E501
    "no_campaign": "namnger ingen kampanj",
    "slot_was_spent": "ändrar platsen för kampanj {campaign}, som redan var förbrukad",
    "declaration": "berättar om anmälan {declaration} något som inte är möjligt",
    "planned_twice": "planerar ett meddelande en andra gång",
    "withheld_unasked": "stoppar ett meddelande som inte väntade",
    "sent_unasked": "lämnar över ett meddelande som inte väntade på att gå",
    "sent_unspent": "skickar kampanj {campaign}, vars plats inte var förbrukad",
    "outcome_unasked": "berättar hur det gick för ett meddelande som inte höll på att lämnas över",
    "given_up_unasked": "ger upp om ett meddelande som inte var oklart",
    "of_another": "gäller en annan kunds eller kampanjs meddelande",
    "no_answer": "stödde sig på anteckning {relied}, som inte är ett svar som kund {client} hade gett då",
    "no_yes": "stödde sig på anteckning {relied}, som inte är ett ja utan: {said}",
    "other_channel": "stödde sig på anteckning {relied}, vars ja gäller annat (meddelandets kanal: {channel}, ja-svarets kanal: {agreed})",  # noqa: E501
    "void": "stödde sig på anteckning {relied}, ett ja från källa {source}, som var ogiltigt då",
    "replaced": "stödde sig på anteckning {relied}, ett ja till en adress som en annan hade ersatt",
    "not_standing": "stödde sig på anteckning {relied}, men svaren från kund {client} gav i det ögonblicket: {consent} ({channel})",  # noqa: E501
    "not_standing_for": "stödde sig på anteckning {relied}, men svaren från kund {client} gav i det ögonblicket: {consent} ({channel}; anteckning {because})",  # noqa: E501
    "other_yes": "stödde sig på anteckning {relied}, men det ja som gällde i det ögonblicket är anteckning {other}",
    "to_gone": "gick till kund {client}, som registret inte längre nämnde (anteckning {because})",
    "to_child": "gick till kund {client}, som var antecknad som barn (anteckning {because})",
    "to_restricted": "gick till kund {client}, vars uppgifter fick användas bara begränsat (anteckning {because})",
    "to_suspended": "gick till kund {client}, vars brev eller textmeddelande väntade på en människa (anteckning {because})",  # noqa: E501
    "to_request": "gick till kund {client}, vars begäran var öppen (anteckning {because})",
    "to_erased": "gick till kund {client}, vars uppgifter hade raderats (anteckning {because})",
    "no_terms": "Anteckning {entry} namnger inte villkoren för sin kampanj: den går inte att avgöra på nytt.",
    "other_day": "Anteckning {entry} räknas till den {day}, som inte var dess lokala dag.",
    "not_following": "Anteckning {entry} till kund {client} följer inte av händelseboken: {wrong}.",
    "other_verdict": "beslutet i det ögonblicket: {verdict} ({reason})",
    "other_way": "rätt kanal var {channel}, och meddelandets kanal var {went}",
    "other_answer": "det ja som gällde då är anteckning {stood}, och här namnges anteckning {named}",
    "other_address": "kundens adress var {kept}, och meddelandet gick till adress {used}",
    **_same("few_to_client", "kundens meddelanden var enligt den {count} och enligt händelseboken {counted}"),
    **_same("few_to_address", "adressens meddelanden var enligt den {count} och enligt händelseboken {counted}"),
    **_same("unnamed_again", "Fler liknande meddelanden som inte namnges: {count}."),
    "seal": "Sigill {number} ({at})",
    "seal_line": "Rad {number} i filen med sigill innehåller inget sigill: raden har ändrats.",
    "forged": "{seal} är förfalskat: det bär inte sin nyckels underskrift.",
    "forged_key": "{seal} är förfalskat: det är undertecknat med en nyckel som inte är den här installationens.",
    "seal_cut": "{seal} täckte kedja {chain} till plats {position}, som inte finns: händelseboken har kapats eller en äldre kopia har satts i dess ställe. På papper lyder sigillet {words}.",  # noqa: E501
    "seal_rewritten": "{seal} täckte en annan historia för kedja {chain} till plats {position}: händelseboken har skrivits om efteråt. På papper lyder sigillet {words}.",  # noqa: E501
    "seal_taken_back": "{seal} täckte det som återställningen (anteckning {entry}) tog tillbaka: {words}.",
    "seal_row": "{seal} följer inte på sigillet före det: ett sigill har tagits bort eller lagts till.",
    "seal_unkept": "{seal} saknas i filen med sigill.",
    "seal_untold": "{seal} finns i filen med sigill, och händelseboken berättar inte om det: dess anteckning har tagits bort.",  # noqa: E501
    "no_seal_file": "Det finns ingen fil med sigill: bara de sigill som händelseboken berättar om kontrollerades.",
    **_same(
        "older_copy",
        "Databasen är en äldre kopia: antal anteckningar i den separata journalen som saknas i den är {count}. Kommandot `{command}` tar in dem; innan dess skickas inget.",  # noqa: E501
    ),
    "restore_put_in": "Anteckning {entry} berättar om en återställning som den separata journalen inte vet något om: den har lagts till efteråt.",  # noqa: E501
    "wording_altered": "Frågans text {digest} har ändrats: den bär inte sin egen kontrollsumma.",
    "wording_missing": "Frågans text {digest} saknas, fast den har besvarats.",
    "frozen_altered": "Kampanj {name} ({number}): dess sparade filer har ändrats efter att den schemalades.",
    "notice_altered": "Version {version} av dataskyddsbeskrivningen är inte den som publicerades: den har ändrats.",
    "only_table": "Kampanj {name} ({number}) finns i sin tabell; händelseboken vet inget om den.",
    "only_ledger": "Kampanj {name} ({number}) finns i händelseboken; dess tabell vet inget om den.",
    "told_otherwise": "Kampanj {name} ({number}): {field} är {told} enligt händelseboken och {held} enligt tabellen.",
    "slot_only_ledger": "Enligt händelseboken finns en plats den {day} ({state}); i tabellen över platser finns den inte.",  # noqa: E501
    "slot_only_ledger_of": "Enligt händelseboken finns en plats den {day} ({state}, kampanj {campaign}); i tabellen över platser finns den inte.",  # noqa: E501
    "slot_only_table": "I tabellen över platser finns en den {day} ({state}); händelseboken berättar inte om den.",
    "slot_only_table_of": "I tabellen över platser finns en den {day} ({state}, kampanj {campaign}); händelseboken berättar inte om den.",  # noqa: E501
    "counted_otherwise": "Kampanj {name} ({number}): {line}: {told} i händelseboken, {held} bland utgående.",
    "line": "{state}",
    "line_by": "{state} via {channel}",
    "line_withheld": "stoppades ({reason})",
    "outbox_only": "Bland utgående finns ett meddelande i kampanj {campaign} till kund {client} som ingen anteckning berättar om.",  # noqa: E501
    "outbox_lacks": "Händelseboken berättar om ett meddelande i kampanj {campaign} till kund {client} som inte finns bland utgående.",  # noqa: E501
    "fate_differs": "Ett meddelande i kampanj {campaign} till kund {client}: {differences}.",
    "fate_part": "{field} är {told} enligt händelseboken och {held} bland utgående",
    "ends_differ": "Kampanj {campaign}: meddelanden vars slut tjänsten berättade om efteråt är {told} enligt händelseboken och {held} bland utgående, och inte desamma.",  # noqa: E501
    "places_more_one": "1 annat ställe i händelseboken håller inte.",
    "places_more_other": "Andra ställen i händelseboken som inte håller: {count}.",
    "not_opened": "Den allra första anteckningen, om att programmet togs i bruk, saknas.",
    "link_begins": "Grupp {group} följer inte på början före den: den ena har satts i den andras ställe.",
    "link": "Grupp {group} följer inte på grupp {before} före den: den ena har satts i den andras ställe.",
    "extra": "Antalet anteckningar som kedjades i grupp {group} var {entries}, och nu är det {held}: minst en har lagts till efteråt.",  # noqa: E501
    "extra_named": "Antalet anteckningar som kedjades i grupp {group} var {entries}, och nu är det {held}: anteckning {entry} har lagts till efteråt.",  # noqa: E501
    "altered_entry": "Anteckning {entry} ({what}, grupp {group}) har ändrats: den bär inte sin egen kontrollsumma.",
    "altered_group": "Grupp {group} (anteckningar {first}–{last}) bär inte sin egen kontrollsumma: den har ändrats, eller en anteckning i den tillsammans med sin kontrollsumma.",  # noqa: E501, RUF001
    "missing": "Antalet anteckningar som kedjades i grupp {group} var {entries}, och nu är det {held}: {lacks} saknas.",
    "missing_named": "Antalet anteckningar som kedjades i grupp {group} var {entries}, och nu är det {held}: {lacks} saknas. Borta: anteckning {holes}.",  # noqa: E501
    **_same("entries", "{count}"),
    "gap": "Kedja {chain} har inget på plats {first}: 1 grupp saknas.",
    "gaps": "Kedja {chain} har inget på platserna {first}–{last}: {lacks} grupper saknas.",  # noqa: RUF001
    "no_head": "Kedja {chain} har inget huvud: det går inte att säga var den slutar.",
    "beyond_head": "Kedja {chain} fortsätter till plats {position}, längre än sitt huvud ({head}).",
    "other_head": "Huvudet för kedja {chain} bär inte kontrollsumman för kedjans slut på plats {position}.",
    "stray": "Anteckning {first} hör till grupp {group}, som inte finns.",
    "strays": "Anteckningarna {first}–{last} hör till grupp {group}, som inte finns.",  # noqa: RUF001
    "entries_swapped": "Anteckningarna {one} och {other} har bytt plats.",
    "groups_swapped": "Grupperna {one} och {other} har bytt plats.",
    "stub_forged": "Stumpen efter anteckning {entry} bär inte anteckningens kontrollsumma: den har lagts till eller ändrats.",  # noqa: E501
    "stub_of_another": "Bredvid anteckning {entry} ({what}), som inte gäller något meddelande och inte försvinner med något år, står en stump: den har lagts till.",  # noqa: E501
    "stub_alone": "Anteckningar från {year} är borta ({count}, den första är anteckning {entry}): stumpar står i deras ställe, och ingen anteckning säger att året förstördes.",  # noqa: E501
    "destroyed_otherwise": "Anteckning {entry} anger att {count} anteckningar från {year} skulle bort; stumparna i deras ställe är {held}, och inte de samma.",  # noqa: E501
    "destroyed_early": "Anteckning {entry} förstörde {year} redan {day}, då det året ännu skulle bevaras.",
    "destroyed_unclosed": "Anteckning {entry} förstörde {year} som avslutat under sigill {seal}; inget sådant avslut finns före den.",  # noqa: E501
    "destroyed_uncovered": "Anteckning {entry} förstörde {year} som avslutat under sigill {seal}; inget sådant sigill täcker allt som är borta.",  # noqa: E501
    "destroyed_of_another": "Anteckning {entry} förstörde {year}, och anteckningar från ett senare år är borta tillsammans med det.",  # noqa: E501
    "destroyed_unsealed": "Anteckning {entry} förstörde {year}, och inget sigill sattes efter den innan anteckningarna försvann.",  # noqa: E501
    "destroyed_twice": "Anteckning {entry} förstörde {year}, som en tidigare anteckning redan anger som förstört.",
    "destroyed_left": "Anteckning {entry} finns kvar utan stump, fast meddelandena i dess kampanj {campaign} förstördes med {year}.",  # noqa: E501
    "destroyed_in_part": "Meddelandena i kampanj {campaign} finns kvar, fast anteckning {entry} anger att de från {year} förstördes.",  # noqa: E501
    "destroyed": "Meddelandena från {year} förstördes {day} enligt löftet, granskade under sigill {seal}.",
    "destroyed_despite": "När {year} avslutades fanns iakttagelser i granskningen ({count}); en person lät förstöra året ändå.",  # noqa: E501
    "destroyed_before": "Meddelandena från {year} har förstörts: vad var och en fick under 365 dagar som når in i det året räknades tidigare, och här räknas bara den senare delen.",  # noqa: E501
    "destroyed_unfinished": "En del av meddelandena från {year} finns kvar i databasen: programmet fortsätter av sig självt att förstöra dem.",  # noqa: E501
    "destruction_begun": "Förstöringen av {year} påbörjades och avbröts; inget av det är borta ännu.",
    "transfer": "Textmeddelandena förmedlas av {company}, vars personal kan komma åt uppgifter från länder utanför EU. Varför det har godtagits: {note}",  # noqa: E501
}

_WORDS = {
    "name": ("nimi", "namn", "name"),
    "title": ("otsikko", "rubrik", "title"),
    "kind": ("laji", "slag", "kind"),
    "state": ("tila", "läge", "state"),
    "client": ("asiakas", "kund", "client"),
    "channel": ("kanava", "kanal", "channel"),
    "address": ("osoite", "adress", "address"),
    "attempts": ("yrityksiä", "försök", "attempts"),
    "None": ("ei mitään", "inget alls", "none"),
    "offer": ("tarjous", "erbjudande", "offer"),
    "treatment_day": ("hoitopäivä", "behandlingsdag", "treatment day"),
    "email": ("sähköposti", "e-post", "email"),
    "sms": ("tekstiviesti", "textmeddelande", "text message"),
    "reserved": ("varattu", "reserverad", "reserved"),
    "draft": ("luonnos", "utkast", "draft"),
    "scheduled": ("ajastettu", "schemalagd", "scheduled"),
    "sending": ("lähdössä", "på väg ut", "sending"),
    "held": ("pysäytetty", "stoppad", "held"),
    "finished": ("valmis", "klar", "finished"),
    "cancelled": ("peruttu", "inställd", "cancelled"),
    "taken": ("varattu", "reserverad", "taken"),
    "spent": ("käytetty", "förbrukad", "spent"),
    "declared": ("ilmoitettu", "anmäld", "declared"),
    "returned": ("palautettu", "återlämnad", "returned"),
    "waiting": ("odottaa", "väntar", "waiting"),
    "attempting": ("luovutettavana", "lämnas över", "being handed over"),
    "accepted": ("otettu vastaan", "mottaget", "accepted"),
    "refused": ("torjuttu", "avvisat", "refused"),
    "deferred": ("lykätty", "uppskjutet", "deferred"),
    "unknown": ("epäselvä", "oklart", "unknown"),
    "withheld": ("jäi lähtemättä", "skickades inte", "withheld"),
    "Wait": ("odota", "vänta", "Wait"),
    "Withhold": ("älä lähetä", "skicka inte", "Withhold"),
}
"""What the program calls a field, a state or a verdict, and what each language calls it: Finnish, Swedish, English."""


def _named(said: dict[str, str], language: int) -> dict[str, str]:
    words = {f"audit_word_{word}": names[language] for word, names in _WORDS.items()}
    return {**{f"audit_said_{name}": sentence for name, sentence in said.items()}, **words}


FI, SV, EN = _named(_FI, 0), _named(_SV, 1), _named(SAYINGS, 2)
