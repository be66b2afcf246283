"""What clients read in Swedish, as it is written in Finland."""

TEXTS = {
    # In every message
    "marker": "Reklam",
    "greeting": "Hej!",
    "greeting_name": "Hej {name}!",
    "book_button": "Boka tid",
    "book_online": "Boka tid på nätet:",
    "by_phone": "Du kan också ringa oss:",
    "price": "Pris {price}",
    "valid_until": "Erbjudandet gäller till och med {date}.",
    "when": "När",
    "where": "Var",
    "hours": "kl.\N{NO-BREAK SPACE}{hours}",
    "why": "Du får det här meddelandet för att du har gett lov till direktmarknadsföring.",
    "why_since": "Du får det här meddelandet för att du den {date} gav lov till direktmarknadsföring.",
    "right_to_object": "Du kan förbjuda direktmarknadsföring när som helst, gratis och utan att ange något skäl.",
    "opt_out_link": "Avsluta utskicken",
    "opt_out_here": "Avsluta utskicken här:",
    "notice_link": "Dataskyddsbeskrivning",
    "notice_here": "Dataskyddsbeskrivning:",
    "sender": "Avsändare",
    "business_id": "FO-nummer {number}",
    "phone": "tfn {phone}",
    "sms_marker": "Reklam",
    "sms_book": "Boka {phone}.",
    "sms_opt_out": "Avsluta:",
    # The page a client leaves by
    "page_title": "Avsluta utskicken",
    "page_question": "Ska utskicken avslutas?",
    "page_explanation": "Efter det skickar vi inga erbjudanden till dig, varken med e-post eller sms.",
    "page_address": "Din begäran gäller adressen {address}.",
    "page_number": "Din begäran gäller numret {address}.",
    "page_button": "Avsluta utskicken",
    "page_done_title": "Utskicken är avslutade",
    "page_done": "Vi skickar inte längre erbjudanden till dig, varken med e-post eller sms. Dina bokningar står kvar.",
    "page_done_on_its_way": "Ett meddelande som redan är på väg kan ännu komma fram.",
    "page_invalid_title": "Länken fungerar inte",
    "page_invalid": "En del av länken saknas, eller så är den inte skickad av oss. Öppna länken direkt i meddelandet.",
    "page_contact": "Du kan också avsluta utskicken med e-post till {email} eller genom att ringa {phone}.",
    "page_failed_title": "Din begäran kunde inte sparas",
    "page_failed": "Utskicken är inte avslutade ännu. Försök igen om en stund.",
    "page_too_many_title": "För många försök",
    "page_too_many": "Vänta en stund och öppna sedan länken direkt i meddelandet.",
    "page_sender": "Utskicken kommer från: {studio}",
    "page_notice": "Dataskyddsbeskrivning",
    "page_language": "Språk",
    "page_language_fi": "Suomi",
    "page_language_sv": "Svenska",
    "page_language_en": "English",
    # Why a message does not go now
    "reason_erased": "Kundens uppgifter har raderats.",
    "reason_gone_from_register": "Kunden finns inte längre i kundregistret.",
    "reason_restricted": "Behandlingen av kundens uppgifter är begränsad.",
    "reason_objection": "Kunden har förbjudit direktmarknadsföring.",
    "reason_channel_consent_missing": "Kunden har inte gett lov till den här kanalen.",
    "reason_consent_incomplete_evidence": "Det framgår inte var eller med vilka ord lovet har begärts.",
    "reason_consent_time_unknown": "Det är inte känt när lovet gavs.",
    "reason_consent_expired": "Lovet har gått ut.",
    "reason_notice_does_not_cover": "Den publicerade dataskyddsbeskrivningen omfattar inte den här kanalen.",
    "reason_latest_answer_no": "Kundens senaste svar är nej.",
    "reason_address_invalid": "Kunden har ingen fungerande adress i den här kanalen.",
    "reason_address_dead": "Adressen tar inte längre emot meddelanden.",
    "reason_shared_address_objection": "Någon annan som använder samma adress har förbjudit utskick.",
    "reason_child": "Kunden är minderårig.",
    "reason_suspended": "Utskicken till kunden är avbrutna.",
    "reason_paused": "Kunden har bett om en paus i utskicken.",
    "reason_topic_not_chosen": "Kunden har inte valt det här ämnet.",
    "reason_own_cap": "Kunden har redan fått så många meddelanden som hen vill ha på ett år.",
    "reason_frequency_cap": "Kunden eller adressen har redan fått tolv meddelanden inom ett år.",
    "reason_quiet_hours": "Just nu är det tyst tid, då inga meddelanden skickas.",
    "reason_offer_ended": "Erbjudandet gäller inte längre.",
    "reason_receipt_pending": "En bekräftelse på svaret går först till adressen.",
    "reason_doors_unread": "Förbuden i alla brevlådor har inte lästs ännu.",
    "reason_sender_not_authorised": "Avsändaren för sms har inte godkänts.",
    "reason_campaign_held": "Kampanjen väntar på tillstånd att fortsätta.",
    "reason_campaign_cancelled": "Kampanjen är inställd.",
    "reason_already_sent_or_unknown": "Det här meddelandet har redan skickats till kunden, eller kan ha gått iväg.",
    # The questions that ask for a yes
    "question_email": "Får vi skicka erbjudanden och information om behandlingsdagar till dig per e-post 6–12 gånger om året? Du kan ta tillbaka ditt samtycke när som helst.",  # noqa: E501, RUF001
    "question_sms": "Får vi skicka erbjudanden och information om behandlingsdagar till dig som textmeddelande 6–12 gånger om året? Du kan ta tillbaka ditt samtycke när som helst.",  # noqa: E501, RUF001
    # What goes out beside campaigns: confirmations and receipts
    # The sign-up page
    # The page that keeps a yes alive
    "renew_ends": "Ditt samtycke upphör den {date}.",
    "renew_ask": "Får vi skriva till dig även i fortsättningen? Om du inte gör något upphör utskicken då av sig själva.",  # noqa: E501
    "renew_link": "Förnya samtycket",
    "renew_here": "Förnya samtycket här:",
    "renewal_title": "Förnya samtycket",
    "renewal_heading": "Får vi skriva till dig även i fortsättningen?",
    "renewal_ends": "Ditt samtycke upphör den {date}. Om du inte gör något upphör utskicken då av sig själva.",
    "renewal_question_email": "Får vi även i fortsättningen skicka erbjudanden och information om behandlingsdagar till dig med e-post 6–12 gånger om året? Du kan ta tillbaka ditt samtycke när som helst.",  # noqa: E501, RUF001
    "renewal_question_sms": "Får vi även i fortsättningen skicka erbjudanden och information om behandlingsdagar till dig som textmeddelande 6–12 gånger om året? Du kan ta tillbaka ditt samtycke när som helst.",  # noqa: E501, RUF001
    "renewal_address": "Samtycket gäller adressen {address}. Tryck på knappen bara om adressen är din.",
    "renewal_number": "Samtycket gäller numret {address}. Tryck på knappen bara om numret är ditt.",
    "renewal_button": "Ja, ni får skriva",
    "renewal_done_title": "Tack, samtycket är förnyat",
    "renewal_done": "Samtycket gäller till den {date}. Du kan när som helst ta tillbaka det med länken i varje meddelande.",  # noqa: E501
    "renewal_already_title": "Samtycket är redan förnyat",
    "renewal_already": "Samtycket gäller till den {date}. Inget ändrades.",
    "renewal_ended_title": "Samtycket har upphört",
    "renewal_ended": "Vi skickar inte längre några meddelanden med stöd av det här samtycket, och det kan inte förnyas med den här länken. Om du vill ha erbjudanden igen, säg det till oss nästa gång du bokar tid.",  # noqa: E501
    "renewal_closed_title": "Inget ändrades",
    "renewal_closed": "Samtycket som länken gäller är inte längre i kraft och kan inte förnyas här. Om du vill ha erbjudanden, säg det till oss nästa gång du bokar tid.",  # noqa: E501
    "renewal_failed_title": "Svaret kunde inte sparas",
    "renewal_failed": "Samtycket är som förut. Försök igen om en stund.",
    "renewal_contact": "Du når oss med e-post på {email} och per telefon på {phone}.",
    # The desk
    # Papers: lists, posters, receipts of consent
    # The rights of a client
}
