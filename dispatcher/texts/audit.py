"""The audit's first page: five questions, each with its reply in plain words."""

FI = {
    "audit_title": "Markkinoinnin tarkastus {year}",
    "audit_kept": "Jokainen lupaus piti.",
    "audit_broken": "Kaikki lupaukset eivät pitäneet.",
    "audit_dated": "laskettu tapahtumakirjasta uudelleen {date}",
    "audit_of": "{agreed} / {left}",
    "audit_often": "Kuinka usein?",
    "audit_often_spent": "Vuonna {year} lähti {campaigns}; luvattu on {floor}–{ceiling}.",  # noqa: RUF001
    "audit_often_days": "Päivät: {days}.",
    "audit_often_most": "Minkä tahansa 365 päivän aikana lähti enintään {most}. Paikka on varattu vielä tulossa oleville: {taken}.",  # noqa: E501
    "audit_often_declared": "Ilmoitettu lähetetyksi ohjelman ohi: {date} {title}, {messages} ({channels}); ilmoittanut {by} {on}.",  # noqa: E501
    "audit_many": "Kuinka monelle?",
    "audit_many_got": "Viestejä sai {clients}; yhteensä lähti {messages}: palvelu otti vastaan {accepted}, ja epäselväksi jäi {unknown}.",  # noqa: E501
    "audit_many_most": "Yksi asiakas sai minkä tahansa 365 päivän aikana enintään {client} ja yksi osoite enintään {address}.",  # noqa: E501
    "audit_many_closed": "Näistä epäselvistä ei kukaan saa enää tietää, ja ne ovat voineet tulla perille: {messages}.",
    "audit_many_restored": "Palautuksen jälkeen ei tiedetä enempää näistä: {messages}.",
    "audit_many_cost": "Tekstiviesteissä oli {parts}, ja ne maksoivat {cost} €.",
    "audit_many_unpriced": "Hintaa ei ole tiedossa näistä: {messages}.",
    "audit_gone": "hävitetty",
    "audit_many_gone": "Kun vuosi päätettiin: kampanjoita {campaigns}, viestejä {messages}, asiakkaita {clients}. Luvut ja sivut ovat kansiossa audits/{year}.",  # noqa: E501
    "audit_agreed_gone": "Jokainen viesti tarkastettiin, kun vuosi päätettiin sinetillä {number}; viestit on sen jälkeen hävitetty.",  # noqa: E501
    "audit_agreed": "Oliko jokainen antanut luvan?",
    "audit_agreed_all": "Jokainen lähtenyt viesti nojasi lupaan, joka oli silloin voimassa.",
    "audit_agreed_not": "Ilman voimassa ollutta lupaa lähti {messages}; katso havainnot.",
    "audit_agreed_none": "Yhtään viestiä ei lähtenyt.",
    "audit_agreed_oldest": "Vanhin lupa oli {days} vanha.",
    "audit_agreed_places": "Missä lupa kysyttiin: {places}.",
    "audit_agreed_asked": "Markkinointilupaa oli kysytty viimeisimmällä käynnillä tai sen jälkeen {percent} prosentilta asiakkaista, jotka ovat käyneet ({asked} / {visited}, {date}).",  # noqa: E501
    "audit_agreed_unasked": "Ei ole kirjattu, kuinka monelta lupaa on kysytty käynnillä.",
    "audit_noes": "Kuka kielsi, ja kuinka nopeasti se vaikutti?",
    "audit_noes_none": "Kukaan ei kieltänyt viestejä.",
    "audit_noes_said": "Viestit kielsi {clients}: lopettamispyyntöjä {withdrawn}, kielteisiä vastauksia kysyttäessä {declined}.",  # noqa: E501
    "audit_noes_places": "Missä: {places}.",
    "audit_noes_fast": "Kiellosta merkintään, josta alkaen jokainen lähetyspäätös tietää siitä, kului puolessa tapauksista enintään {median} ja pisimmillään {longest}.",  # noqa: E501
    "audit_noes_effect": "Odottavista viesteistä jäi lähtemättä {withheld}; kiellon tullessa oli juuri lähdössä {in_hand}, ja niistä lähti {in_hand_left}. Merkinnän jälkeen lähti {left_after}.",  # noqa: E501
    "audit_wrong": "Mikä meni vikaan?",
    "audit_wrong_none": "Yhtään lupausta ei rikottu.",
    "audit_wrong_found": "Havaintoja on {count}; ne ovat alempana merkintöineen.",
    "audit_wrong_refused": "Palvelu ei ottanut vastaan {refused}; jälkikäteen kuultiin, että perille ei tullut {bounced}. Roskaposti-ilmoituksia tehtiin {complained}.",  # noqa: E501
    "audit_wrong_held": "Pysäytettyjä kampanjoita: {held} ({reasons}).",
    "audit_wrong_restored": "Varmuuskopion palautuksia: {count}.",
    "audit_wrong_ledger": "Tapahtumakirjassa on {entries} {groups}, ja se on ehjä.",
    "audit_wrong_ledger_broken": "Tapahtumakirjassa on {entries} {groups}, ja se on RIKKI.",
    "audit_findings": "Mikä ei pitänyt",
    "audit_remarks": "Huomautukset",
    "audit_seal": "Sinetti",
    "audit_seal_is": "Numero {number}, {date}: {words} (avain {sealed_by}).",
    "audit_seal_none": "Tapahtumakirjaa ei ole sinetöity.",
    "audit_check": "Näin tarkistat tämän",
    "audit_check_text": "Jokainen luku on laskettu tapahtumakirjasta, johon vain lisätään. Komento {verify} tarkistaa ketjun merkintä merkinnältä, {year} laskee samat luvut uudelleen ja {sample} poimii viestejä, joiden luvat voi verrata lomakkeisiin.",  # noqa: E501
    "audit_check_gone": "Komento {verify} tarkistaa ketjun merkintä merkinnältä, ja sen, että hävitetty on juuri se, minkä sinetti kattoi. Luvut ja viestit, joista ne laskettiin, tarkastettiin ennen hävittämistä; luvut ovat kansiossa {folder}.",  # noqa: E501
    "audit_signature": "Allekirjoitus",
    "audit_place_and_date": "Paikka ja päiväys",
    "audit_in_figures": "Vuosi kuvina",
    "audit_chart_campaigns": "Lähteneet viestit kampanjoittain",
    "audit_chart_spread": "Asiakkaat saatujen viestien mukaan",
    "audit_chart_ages": "Viestit luvan iän mukaan, päivinä",
    "audit_held_by_hand": "käsin {count}",
    "audit_held_late": "hetki oli mennyt {count}",
    "audit_held_interrupted": "keskeytyi {count}",
    "audit_held_restored": "palautuksen vuoksi {count}",
    "audit_held_no_slot": "vuodessa ei ollut tilaa {count}",
    "audit_held_rendering_failed": "viestiä ei voinut tehdä {count}",
    "audit_held_policy_refusals": "lähettäjä torjuttiin {count}",
    "audit_held_content_refusals": "sisältö torjuttiin {count}",
    "audit_held_provider_set_up": "palvelun asetuksissa oli vikaa {count}",
    "audit_held_domain_waits": "vastaanottaja pyysi odottamaan {count}",
}
SV = {
    "audit_title": "Granskning av marknadsföringen {year}",
    "audit_kept": "Varje löfte hölls.",
    "audit_broken": "Alla löften hölls inte.",
    "audit_dated": "räknat på nytt ur händelseboken {date}",
    "audit_of": "{agreed} av {left}",
    "audit_often": "Hur ofta?",
    "audit_often_spent": "År {year} skickades {campaigns}; utlovat är {floor}–{ceiling}.",  # noqa: RUF001
    "audit_often_days": "Datum: {days}.",
    "audit_often_most": "Under vilka 365 dagar som helst skickades högst {most}. Plats är tagen för kommande: {taken}.",
    "audit_often_declared": "Uppgivet som skickat utanför programmet: {date} {title}, {messages} ({channels}); uppgivet av {by} {on}.",  # noqa: E501
    "audit_many": "Till hur många?",
    "audit_many_got": "Meddelanden fick {clients}; sammanlagt skickades {messages}: tjänsten tog emot {accepted}, oklara är {unknown}.",  # noqa: E501
    "audit_many_most": "En kund fick under vilka 365 dagar som helst högst {client} och en adress högst {address}.",
    "audit_many_closed": "Om dessa oklara går det inte längre att få veta något, och de kan ha kommit fram: {messages}.",  # noqa: E501
    "audit_many_restored": "Efter en återställning vet man inte mer om dessa: {messages}.",
    "audit_many_cost": "Textmeddelandena hade {parts} och kostade {cost} €.",
    "audit_many_unpriced": "Priset är inte känt för dessa: {messages}.",
    "audit_gone": "förstört",
    "audit_many_gone": "När året avslutades: kampanjer {campaigns}, meddelanden {messages}, kunder {clients}. Siffror och sidor finns i mappen audits/{year}.",  # noqa: E501
    "audit_agreed_gone": "Varje meddelande granskades när året avslutades under sigill {number}; meddelandena har därefter förstörts.",  # noqa: E501
    "audit_agreed": "Hade var och en sagt ja?",
    "audit_agreed_all": "Varje meddelande som skickades vilade på ett ja som då gällde.",
    "audit_agreed_not": "Utan ett ja som gällde skickades {messages}; se iakttagelserna.",
    "audit_agreed_none": "Inget meddelande skickades.",
    "audit_agreed_oldest": "Det äldsta ja var {days} gammalt.",
    "audit_agreed_places": "Var frågan ställdes: {places}.",
    "audit_agreed_asked": "Frågan om marknadsföring hade ställts vid det senaste besöket eller därefter till {percent} procent av kunderna som har varit på besök ({asked} av {visited}, {date}).",  # noqa: E501
    "audit_agreed_unasked": "Det är inte antecknat hur många som har fått frågan vid ett besök.",
    "audit_noes": "Vem sade nej, och hur snabbt gällde det?",
    "audit_noes_none": "Ingen sade nej till meddelanden.",
    "audit_noes_said": "Nej sade {clients}: önskningar att slippa meddelanden {withdrawn}, nej som svar på frågan {declined}.",  # noqa: E501
    "audit_noes_places": "Var: {places}.",
    "audit_noes_fast": "Från ordet till anteckningen, som varje beslut därefter känner till, gick det i hälften av fallen högst {median} och som mest {longest}.",  # noqa: E501
    "audit_noes_effect": "Av väntande meddelanden stoppades {withheld}; {in_hand} höll just på att lämnas över när svaret kom, och av dem skickades {in_hand_left}. Efter anteckningen skickades {left_after}.",  # noqa: E501
    "audit_wrong": "Vad gick fel?",
    "audit_wrong_none": "Inget löfte bröts.",
    "audit_wrong_found": "Iakttagelser: {count}; de står nedan med sina anteckningar.",
    "audit_wrong_refused": "Tjänsten tog inte emot {refused}; i efterhand fick man veta att {bounced} inte kom fram. Anmälningar som skräppost: {complained}.",  # noqa: E501
    "audit_wrong_held": "Stoppade kampanjer: {held} ({reasons}).",
    "audit_wrong_restored": "Återställda säkerhetskopior: {count}.",
    "audit_wrong_ledger": "Händelseboken har {entries} i {groups} och är hel.",
    "audit_wrong_ledger_broken": "Händelseboken har {entries} i {groups} och är SKADAD.",
    "audit_findings": "Vad som inte höll",
    "audit_remarks": "Anmärkningar",
    "audit_seal": "Sigill",
    "audit_seal_is": "Nummer {number}, {date}: {words} (nyckel {sealed_by}).",
    "audit_seal_none": "Händelseboken har inget sigill.",
    "audit_check": "Så kontrolleras detta",
    "audit_check_text": "Varje siffra är räknad ur händelseboken, som det bara läggs till i. Kommandot {verify} kontrollerar kedjan anteckning för anteckning, {year} räknar samma siffror på nytt och {sample} drar meddelanden vars ja kan jämföras med blanketterna.",  # noqa: E501
    "audit_check_gone": "Kommandot {verify} kontrollerar kedjan anteckning för anteckning, och att det som förstördes är just det som sigillet täckte. Siffrorna och meddelandena de räknades ur granskades före förstörandet; siffrorna finns i mappen {folder}.",  # noqa: E501
    "audit_signature": "Underskrift",
    "audit_place_and_date": "Ort och datum",
    "audit_in_figures": "Året i bilder",
    "audit_chart_campaigns": "Skickade meddelanden per kampanj",
    "audit_chart_spread": "Kunder efter antal meddelanden",
    "audit_chart_ages": "Meddelanden efter ja-svarets ålder i dagar",
    "audit_held_by_hand": "för hand {count}",
    "audit_held_late": "tidpunkten hade gått {count}",
    "audit_held_interrupted": "avbruten {count}",
    "audit_held_restored": "efter återställning {count}",
    "audit_held_no_slot": "ingen plats under året {count}",
    "audit_held_rendering_failed": "meddelandet gick inte att göra {count}",
    "audit_held_policy_refusals": "avsändaren avvisades {count}",
    "audit_held_content_refusals": "innehållet avvisades {count}",
    "audit_held_provider_set_up": "fel i tjänstens inställningar {count}",
    "audit_held_domain_waits": "mottagaren bad att få vänta {count}",
}
EN = {
    "audit_title": "Marketing audit {year}",
    "audit_kept": "Every promise held.",
    "audit_broken": "Not every promise held.",
    "audit_dated": "recomputed from the ledger on {date}",
    "audit_of": "{agreed} of {left}",
    "audit_often": "How often?",
    "audit_often_spent": "{campaigns} went out in {year}; {floor} to {ceiling} are promised.",
    "audit_often_days": "Dates: {days}.",
    "audit_often_most": "At most {most} in any 365 days; {taken} more have their slot.",
    "audit_often_declared": "Declared, sent beside this program: {date} {title}, {messages} ({channels}); said by {by} on {on}.",  # noqa: E501
    "audit_many": "To how many?",
    "audit_many_got": "{clients} got {messages}: {accepted} accepted, {unknown} unknown.",
    "audit_many_most": "The most any one client got in any 365 days: {client}; any one address: {address}.",
    "audit_many_closed": "Of the unknown, nobody can tell any more of {messages}: they may have arrived.",
    "audit_many_restored": "After a restore nobody can say more of: {messages}.",
    "audit_many_cost": "The text messages had {parts} and cost {cost} €.",
    "audit_many_unpriced": "No price is on record of: {messages}.",
    "audit_gone": "destroyed",
    "audit_many_gone": "When the year was closed: campaigns {campaigns}, messages {messages}, clients {clients}. Figures and pages are in audits/{year}.",  # noqa: E501
    "audit_agreed_gone": "Every message was checked when the year was closed under seal {number}; the messages were destroyed afterwards.",  # noqa: E501
    "audit_agreed": "Had each agreed?",
    "audit_agreed_all": "Every message that left relied on a yes that stood at that moment.",
    "audit_agreed_not": "Without a yes that stood there left: {messages}; see the findings.",
    "audit_agreed_none": "No message left.",
    "audit_agreed_oldest": "The oldest yes was {days} old.",
    "audit_agreed_places": "Where the question was asked: {places}.",
    "audit_agreed_asked": "Of the clients who had visited, {percent} percent had been asked at their last visit or since ({asked} of {visited}, {date}).",  # noqa: E501
    "audit_agreed_unasked": "It is not on record how many were asked at a visit.",
    "audit_noes": "Who said no, and how fast did it take effect?",
    "audit_noes_none": "Nobody said no.",
    "audit_noes_said": "It was {clients}: wishes for no more messages {withdrawn}, a no to the question {declined}.",
    "audit_noes_places": "Where: {places}.",
    "audit_noes_fast": "From the word to the record, from which every verdict knows it: {median} or less for half of them, {longest} at most.",  # noqa: E501
    "audit_noes_effect": "Of messages that were waiting, {withheld} were withheld; {in_hand} were being handed over when the no came, and {in_hand_left} of those left. After it was on record, {left_after} left.",  # noqa: E501
    "audit_wrong": "What went wrong?",
    "audit_wrong_none": "No promise was broken.",
    "audit_wrong_found": "Findings: {count}; they stand below with their entries.",
    "audit_wrong_refused": "Refused by the carrier: {refused}; told afterwards not to have arrived: {bounced}; complaints: {complained}.",  # noqa: E501
    "audit_wrong_held": "Campaigns held: {held} ({reasons}).",
    "audit_wrong_restored": "Copies of the database put back: {count}.",
    "audit_wrong_ledger": "The ledger has {entries} in {groups} and is whole.",
    "audit_wrong_ledger_broken": "The ledger has {entries} in {groups} and is BROKEN.",
    "audit_findings": "What did not hold",
    "audit_remarks": "Remarks",
    "audit_seal": "Seal",
    "audit_seal_is": "Number {number}, {date}: {words} (key {sealed_by}).",
    "audit_seal_none": "The ledger has no seal.",
    "audit_check": "How to check this",
    "audit_check_text": "Every figure is counted from the ledger, to which things are only ever added. The command {verify} checks the chain entry by entry, {year} counts the same figures again, and {sample} draws messages whose yes can be held against the forms.",  # noqa: E501
    "audit_check_gone": "The command {verify} checks the chain entry by entry, and that what was destroyed is just what the seal covered. The figures, and the messages they were counted from, were checked before they were destroyed; the figures are in {folder}.",  # noqa: E501
    "audit_signature": "Signature",
    "audit_place_and_date": "Place and date",
    "audit_in_figures": "The year in pictures",
    "audit_chart_campaigns": "Messages that left, by campaign",
    "audit_chart_spread": "Clients by how many messages they got",
    "audit_chart_ages": "Messages by the age of the yes, in days",
    "audit_held_by_hand": "by hand {count}",
    "audit_held_late": "its moment had passed {count}",
    "audit_held_interrupted": "interrupted {count}",
    "audit_held_restored": "after a restore {count}",
    "audit_held_no_slot": "no room in the year {count}",
    "audit_held_rendering_failed": "a message could not be made {count}",
    "audit_held_policy_refusals": "the sender was refused {count}",
    "audit_held_content_refusals": "the content was refused {count}",
    "audit_held_provider_set_up": "the carrier is not set up {count}",
    "audit_held_domain_waits": "a recipient's server asked to wait {count}",
}
