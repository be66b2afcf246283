"""What owners read in the mails that tell them what needs them: Finnish, Swedish and English."""

FI = {
    "alert_greeting": "Hei!",
    "alert_to_do": "Kirjoita työtilassa:",
    "alert_foot": "Tämän viestin lähetti Dispatcher ohjelman omistajille. Siinä ei ole asiakkaiden tietoja.",
    "alert_repeats": "Muistutus tulee kerran päivässä, kunnes asia on hoidettu tai joku kirjoittaa: dispatcher today --seen",  # noqa: E501
    "alert_slot_week_subject": "Tulossa {date}: {title}",
    "alert_slot_week_heading": "Kampanja lähtee {date} {time}",
    "alert_slot_week_text": "Kampanja ”{title}” lähtee viikon sisällä. Tarkista sen sisältö ajoissa.",
    "alert_slot_eve_subject": "Huomenna {time}: {title}",
    "alert_slot_eve_heading": "Kampanja lähtee huomenna {time}",
    "alert_slot_eve_text": "Kampanjan ”{title}” saisi rekisterin nykytilanteen mukaan sähköpostitse {by_email} ja tekstiviestillä {by_sms}. Odottamassa on {waiting}, ja ilman viestiä jää {withheld}.",  # noqa: E501
    "alert_slot_empty_subject": "Sisältö puuttuu: {title}, {date}",
    "alert_slot_empty_heading": "Varatulta päivältä {date} puuttuu sisältö",
    "alert_slot_empty_text": "Päivä on varattu kampanjalle ”{title}”, mutta sillä ei ole vielä sisältöä. Ilman sitä mitään ei lähde, ja varaus raukeaa, kun päivä on ohi.",  # noqa: E501
    "alert_slot_draft_subject": "Vielä luonnos: {title}, {date}",
    "alert_slot_draft_heading": "Päivän {date} kampanja on vielä luonnos",
    "alert_slot_draft_text": "Kampanja ”{title}” otettiin takaisin muutettavaksi. Mitään ei lähde, ellei sitä ajasteta uudelleen, ja luonnos raukeaa, kun päivä on ohi.",  # noqa: E501
    "alert_finished_subject": "Lähetetty: {title}",
    "alert_finished_heading": "Kampanja on lähetetty",
    "alert_finished_text": "Kampanjasta ”{title}” lähti {emails} ja {text_messages}. Torjuttuja viestejä on {refused} ja epäselviä {unknown}. Ilman viestiä jääneitä asiakkaita on {withheld}.",  # noqa: E501
    "alert_seal": "Sinetti {seal}: {seal_words} (avain {seal_key}). Säilytä tämä viesti: jos joku myöhemmin muuttaa lähetyksistä kirjattua, sinetti ei enää täsmää.",  # noqa: E501
    "alert_held_subject": "Pysäytetty: {title}",
    "alert_held_heading": "Kampanja odottaa sinua",
    "alert_held_text": "Kampanjasta ”{title}” ei lähde mitään, ennen kuin joku päästää sen jatkamaan tai peruu sen. {why}",  # noqa: E501
    "alert_request_overdue_subject": "Asiakkaan pyyntö on myöhässä",
    "alert_request_overdue_heading": "Asiakkaan pyyntö odottaa vastausta",
    "alert_request_overdue_text": "Pyyntöön numero {request} ({what}) olisi pitänyt vastata viimeistään {date}.",
    "alert_retention_overdue_subject": "Vanhentuneita asiakastietoja ei ole poistettu",
    "alert_retention_overdue_heading": "Asiakastietoja pitäisi poistaa",
    "alert_retention_overdue_text": "Poistettavia asiakkaita on {count}, mutta ketään ei voitu poistaa. Komento näyttää, mikä on esteenä.",  # noqa: E501
    "alert_year_closed_subject": "Vuosi {year} on päätetty",
    "alert_year_closed_heading": "Vuoden {year} tarkastus on valmis",
    "alert_year_closed_text": "Vuoden aikana lähti {campaigns} ja yhteensä {messages}, ja niitä sai {clients}. Jokaisen viestin lupa on tarkistettu uudelleen. Havaintoja on {findings}. Tarkastus on työtilan kansiossa audits/{year}.",  # noqa: E501
    "alert_year_overdue_subject": "Vuoden {year} viestejä ei ole hävitetty",
    "alert_year_overdue_heading": "Vuoden {year} viestit pitäisi hävittää",
    "alert_year_overdue_text": "Vuoden {year} viestit on säilytetty niin kauan kuin tietosuojaseloste lupaa, mutta niitä ei voitu hävittää. Komento näyttää, mikä on esteenä.",  # noqa: E501
    "alert_import_stale_subject": "Asiakasrekisteri on vanhentunut",
    "alert_import_stale_heading": "Asiakasrekisteri pitää lukea uudelleen",
    "alert_import_stale_text": "Koko rekisteri luettiin viimeksi {ago} sitten. Vie se varausjärjestelmästä ja lue se sisään.",  # noqa: E501
    "alert_import_never_text": "Koko rekisteriä ei ole vielä luettu kertaakaan. Vie se varausjärjestelmästä ja lue se sisään.",  # noqa: E501
    "alert_incoming_subject": "Asiakkaiden viestejä odottaa lukijaa",
    "alert_incoming_heading": "Asiakkaan viesti odottaa lukijaa",
    "alert_incoming_text": "Odottamassa on {letters}, vanhin päivältä {date}. Näille asiakkaille ei lähde mitään, ennen kuin joku on lukenut viestin ja kertonut, onko se kielto.",  # noqa: E501
    "alert_door_unread_subject": "Ei voi lukea: {door}",
    "alert_door_unread_heading": "Mitään ei lähde, ennen kuin postilaatikko voidaan lukea",
    "alert_door_unread_text": "Postilaatikkoa ”{door}” ei ole voitu lukea {date} {time} jälkeen. Siinä voi olla kieltoja, joten mitään ei lähetetä.",  # noqa: E501
    "alert_why_late": "Sen hetki meni ohi, kun ohjelma ei ollut käynnissä.",
    "alert_why_interrupted": "Lähetys katkesi liian pitkäksi aikaa.",
    "alert_why_by_hand": "Joku teistä pysäytti sen.",
    "alert_why_no_slot": "Vuoteen ei mahdu tälle päivälle enää kampanjaa.",
    "alert_why_rendering_failed": "Viestiä ei voitu kirjoittaa mallipohjasta.",
    "alert_why_policy_refusals": (
        "Useat sähköpostipalvelut torjuvat viestimme. Kysy syytä omalta postipalvelultasi, ennen kuin päästät "
        "kampanjan jatkamaan."
    ),
    "alert_why_content_refusals": "Vastaanottajien palvelimet eivät hyväksy viestin sisältöä tai kokoa.",
    "alert_why_provider_set_up": (
        "Viestipalvelu ei ole valmis tähän: tarkista sen asetukset, lähettäjä ja maat, joihin saa lähettää."
    ),
    "alert_why_restored": "Tietokanta palautettiin vanhemmasta kopiosta.",
    "alert_why_other": "Syy: {reason}.",
}
SV = {
    "alert_greeting": "Hej!",
    "alert_to_do": "Skriv i arbetsmappen:",
    "alert_foot": "Det här meddelandet skickade Dispatcher till programmets ägare. Det innehåller inga kunduppgifter.",
    "alert_repeats": "Påminnelsen kommer en gång om dagen tills saken är skött eller någon skriver: dispatcher today --seen",  # noqa: E501
    "alert_slot_week_subject": "På kommande {date}: {title}",
    "alert_slot_week_heading": "Kampanjen skickas {date} {time}",
    "alert_slot_week_text": "Kampanjen ”{title}” skickas inom en vecka. Kontrollera innehållet i god tid.",
    "alert_slot_eve_subject": "I morgon {time}: {title}",
    "alert_slot_eve_heading": "Kampanjen skickas i morgon {time}",
    "alert_slot_eve_text": "Kampanjen ”{title}” skulle enligt registret just nu nå {by_email} per e-post och {by_sms} per sms. Antalet som väntar är {waiting}, och {withheld} får inget meddelande.",  # noqa: E501
    "alert_slot_empty_subject": "Innehåll saknas: {title}, {date}",
    "alert_slot_empty_heading": "Det reserverade datumet {date} saknar innehåll",
    "alert_slot_empty_text": "Dagen är reserverad för kampanjen ”{title}”, men den har inget innehåll ännu. Utan det skickas ingenting, och reservationen förfaller när dagen är över.",  # noqa: E501
    "alert_slot_draft_subject": "Ännu ett utkast: {title}, {date}",
    "alert_slot_draft_heading": "Kampanjen för {date} är ännu ett utkast",
    "alert_slot_draft_text": "Kampanjen ”{title}” togs tillbaka för att ändras. Ingenting skickas om den inte schemaläggs på nytt, och utkastet förfaller när dagen är över.",  # noqa: E501
    "alert_finished_subject": "Skickad: {title}",
    "alert_finished_heading": "Kampanjen har skickats",
    "alert_finished_text": "Av kampanjen ”{title}” lämnades {emails} och {text_messages} vidare. Mottagaren avvisade {refused}, {unknown} är ovissa, och antalet kunder som inte fick något är {withheld}.",  # noqa: E501
    "alert_seal": "Sigill {seal}: {seal_words} (nyckel {seal_key}). Spara det här meddelandet: om någon senare ändrar det som har antecknats om utskicken stämmer sigillet inte längre.",  # noqa: E501
    "alert_held_subject": "Stoppad: {title}",
    "alert_held_heading": "Kampanjen väntar på dig",
    "alert_held_text": "Inget mer av kampanjen ”{title}” skickas förrän någon låter den fortsätta eller ställer in den. {why}",  # noqa: E501
    "alert_request_overdue_subject": "En kunds begäran är försenad",
    "alert_request_overdue_heading": "En kunds begäran väntar på svar",
    "alert_request_overdue_text": "Begäran nummer {request} ({what}) borde ha besvarats senast {date}.",
    "alert_retention_overdue_subject": "Gamla kunduppgifter har inte tagits bort",
    "alert_retention_overdue_heading": "Kunduppgifter borde tas bort",
    "alert_retention_overdue_text": "Antal kunder som borde tas bort: {count}. Ingen kunde tas bort; kommandot visar vad som står i vägen.",  # noqa: E501
    "alert_year_closed_subject": "Året {year} är avslutat",
    "alert_year_closed_heading": "Granskningen av {year} är klar",
    "alert_year_closed_text": "Under året skickades {campaigns} och sammanlagt {messages} till {clients}. Tillståndet för varje meddelande har kontrollerats på nytt. Iakttagelser: {findings}. Granskningen finns i mappen audits/{year}.",  # noqa: E501
    "alert_year_overdue_subject": "Meddelandena från {year} har inte förstörts",
    "alert_year_overdue_heading": "Meddelandena från {year} borde förstöras",
    "alert_year_overdue_text": "Meddelandena från {year} har bevarats så länge som dataskyddsbeskrivningen lovar, men kunde inte förstöras. Kommandot visar vad som står i vägen.",  # noqa: E501
    "alert_import_stale_subject": "Kundregistret är föråldrat",
    "alert_import_stale_heading": "Kundregistret måste läsas in på nytt",
    "alert_import_stale_text": "Hela registret lästes senast för {ago} sedan. Exportera det ur bokningssystemet och läs in det.",  # noqa: E501
    "alert_import_never_text": "Hela registret har ännu aldrig lästs in. Exportera det ur bokningssystemet och läs in det.",  # noqa: E501
    "alert_incoming_subject": "Kunders meddelanden väntar på någon som läser",
    "alert_incoming_heading": "Ett meddelande från en kund väntar",
    "alert_incoming_text": "Att läsa: {letters}, det äldsta från {date}. Till de kunderna skickas inget förrän någon har läst meddelandet och sagt om det är ett nej.",  # noqa: E501
    "alert_door_unread_subject": "Kan inte läsas: {door}",
    "alert_door_unread_heading": "Ingenting skickas förrän brevlådan kan läsas",
    "alert_door_unread_text": "Brevlådan ”{door}” har inte kunnat läsas sedan {date} {time}. Där kan finnas förbud, så ingenting skickas.",  # noqa: E501
    "alert_why_late": "Dess tidpunkt gick förbi medan programmet inte var i gång.",
    "alert_why_interrupted": "Utskicket avbröts för länge.",
    "alert_why_by_hand": "Någon av er stoppade den.",
    "alert_why_no_slot": "Året rymmer ingen kampanj till den här dagen.",
    "alert_why_rendering_failed": "Meddelandet kunde inte skrivas efter mallen.",
    "alert_why_policy_refusals": (
        "Flera e-posttjänster avvisar våra meddelanden. Fråga din egen e-postleverantör varför, innan du låter "
        "kampanjen fortsätta."
    ),
    "alert_why_content_refusals": "Mottagarnas servrar godtar inte meddelandets innehåll eller storlek.",
    "alert_why_provider_set_up": (
        "Meddelandetjänsten är inte klar för detta: kontrollera dess inställningar, avsändaren och tillåtna länder."
    ),
    "alert_why_restored": "Databasen återställdes från en äldre kopia.",
    "alert_why_other": "Orsak: {reason}.",
}
EN = {
    "alert_greeting": "Hello,",
    "alert_to_do": "Type in the workspace:",
    "alert_foot": "Dispatcher sent this message to the owners of the program. There is nothing about any client in it.",
    "alert_repeats": "This reminder comes once a day until the matter is settled or somebody types: dispatcher today --seen",  # noqa: E501
    "alert_slot_week_subject": "Coming up on {date}: {title}",
    "alert_slot_week_heading": "A campaign goes out on {date} {time}",
    "alert_slot_week_text": "“{title}” goes out within a week. Look at what it says in good time.",
    "alert_slot_eve_subject": "Tomorrow {time}: {title}",
    "alert_slot_eve_heading": "A campaign goes out tomorrow {time}",
    "alert_slot_eve_text": "As the register stands now, “{title}” would reach {by_email} by email and {by_sms} by text message. Waiting: {waiting}. Left out: {withheld}.",  # noqa: E501
    "alert_slot_empty_subject": "Content missing: {title}, {date}",
    "alert_slot_empty_heading": "The date kept for {date} has no content",
    "alert_slot_empty_text": "The date is kept for “{title}”, whose content is still missing. Without it nothing goes out, and the reservation lapses when the day is over.",  # noqa: E501
    "alert_slot_draft_subject": "Still a draft: {title}, {date}",
    "alert_slot_draft_heading": "The campaign of {date} is still a draft",
    "alert_slot_draft_text": "“{title}” was taken back to be changed. Nothing goes out unless it is scheduled again, and the draft lapses when the day is over.",  # noqa: E501
    "alert_finished_subject": "Sent: {title}",
    "alert_finished_heading": "A campaign has gone out",
    "alert_finished_text": "Of “{title}”, the program handed over {emails} and {text_messages}. Refused: {refused}. Nobody knows what became of: {unknown}. Clients left out: {withheld}.",  # noqa: E501
    "alert_seal": "Seal {seal}: {seal_words} (key {seal_key}). Keep this mail: if anybody changes what is on record of the messages sent, the seal fits no longer.",  # noqa: E501
    "alert_held_subject": "Held: {title}",
    "alert_held_heading": "A campaign waits for you",
    "alert_held_text": "Nothing more of “{title}” is sent until somebody releases or cancels it. {why}",
    "alert_request_overdue_subject": "A client's request is overdue",
    "alert_request_overdue_heading": "A client's request waits for its answer",
    "alert_request_overdue_text": "Request number {request} ({what}) should have been answered by {date}.",
    "alert_retention_overdue_subject": "Old client data has not been removed",
    "alert_retention_overdue_heading": "Client data should be removed",
    "alert_retention_overdue_text": "Clients due for removal: {count}. Nobody could be removed; the command shows what stands in the way.",  # noqa: E501
    "alert_year_closed_subject": "The year {year} is closed",
    "alert_year_closed_heading": "The audit of {year} is done",
    "alert_year_closed_text": "In the year {campaigns} went out, with {messages} to {clients}. The permission behind every message was checked again. Findings: {findings}. The audit lies in the folder audits/{year}.",  # noqa: E501
    "alert_year_overdue_subject": "The messages of {year} have not been destroyed",
    "alert_year_overdue_heading": "The messages of {year} should be destroyed",
    "alert_year_overdue_text": "The messages of {year} have been kept for as long as the privacy notice promises, and could not be destroyed. The command shows what stands in the way.",  # noqa: E501
    "alert_import_stale_subject": "The register is out of date",
    "alert_import_stale_heading": "The register has to be read again",
    "alert_import_stale_text": "The whole register was last read {ago} ago. Export it from the booking system and import it.",  # noqa: E501
    "alert_import_never_text": "The whole register has never been read. Export it from the booking system and import it.",  # noqa: E501
    "alert_incoming_subject": "Clients' messages wait to be read",
    "alert_incoming_heading": "A client's message waits to be read",
    "alert_incoming_text": "Waiting: {letters}, the oldest of {date}. Nothing goes to these clients until somebody has read the message and said whether it is a no.",  # noqa: E501
    "alert_door_unread_subject": "Cannot be read: {door}",
    "alert_door_unread_heading": "Nothing leaves until the letter box can be read",
    "alert_door_unread_text": "“{door}” has not been readable since {date} {time}. There may be a no in it, so nothing is sent.",  # noqa: E501
    "alert_why_late": "Its moment passed while the program was not running.",
    "alert_why_interrupted": "Sending was cut short for too long.",
    "alert_why_by_hand": "One of you held it.",
    "alert_why_no_slot": "The year has no room for a campaign on this day.",
    "alert_why_rendering_failed": "A message could not be made from its template.",
    "alert_why_policy_refusals": (
        "Several mail providers refuse our messages. Ask your own mail provider why, before you release the campaign."
    ),
    "alert_why_content_refusals": "The receivers' servers do not accept the content or the size of the message.",
    "alert_why_provider_set_up": (
        "The provider is not set up for this: check its settings, the sender and the countries it may send to."
    ),
    "alert_why_restored": "The database was put back from an older copy.",
    "alert_why_other": "Why: {reason}.",
}
