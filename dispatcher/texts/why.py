"""Why a client gets a campaign's email: a whole sentence for each place where a yes is given, with its day or without.

`why_since_PLACE` has the day of the yes, `why_PLACE` stands where that is not known, and the bare `why_since` and `why`
where the place is not known either.
"""

FI = {
    "why": "Saat tämän viestin, koska annoit luvan suoramarkkinointiin.",
    "why_since": "Saat tämän viestin, koska annoit {date} luvan suoramarkkinointiin.",
    "why_online": "Saat tämän viestin, koska annoit luvan suoramarkkinointiin, kun varasit ajan verkossa.",
    "why_since_online": "Saat tämän viestin, koska annoit {date} luvan suoramarkkinointiin, kun varasit ajan verkossa.",
    "why_phone": "Saat tämän viestin, koska annoit puhelimessa luvan suoramarkkinointiin.",
    "why_since_phone": "Saat tämän viestin, koska annoit {date} puhelimessa luvan suoramarkkinointiin.",
    "why_email": "Saat tämän viestin, koska annoit sähköpostitse luvan suoramarkkinointiin.",
    "why_since_email": "Saat tämän viestin, koska annoit {date} sähköpostitse luvan suoramarkkinointiin.",
    "why_in_person": "Saat tämän viestin, koska annoit paikan päällä luvan suoramarkkinointiin.",
    "why_since_in_person": "Saat tämän viestin, koska annoit {date} paikan päällä luvan suoramarkkinointiin.",
    "why_desk": "Saat tämän viestin, koska annoit asiakaspalvelussamme luvan suoramarkkinointiin.",
    "why_since_desk": "Saat tämän viestin, koska annoit {date} asiakaspalvelussamme luvan suoramarkkinointiin.",
    "why_sign_up": "Saat tämän viestin, koska annoit verkkosivullamme luvan suoramarkkinointiin.",
    "why_since_sign_up": "Saat tämän viestin, koska annoit {date} verkkosivullamme luvan suoramarkkinointiin.",
    "why_renewal": "Saat tämän viestin, koska uudistit luvan suoramarkkinointiin.",
    "why_since_renewal": "Saat tämän viestin, koska uudistit {date} luvan suoramarkkinointiin.",
    "why_sms_reply": "Saat tämän viestin, koska annoit tekstiviestillä luvan suoramarkkinointiin.",
    "why_since_sms_reply": "Saat tämän viestin, koska annoit {date} tekstiviestillä luvan suoramarkkinointiin.",
}
# A place stands before "samtycke" and before "agree": behind "direktmarknadsföring" or "direct marketing" it would say
# by which channel the marketing comes.
SV = {
    "why": "Du får det här meddelandet för att du har gett ditt samtycke till direktmarknadsföring.",
    "why_since": "Du får det här meddelandet för att du den {date} gav ditt samtycke till direktmarknadsföring.",
    "why_online": "Du får det här meddelandet för att du gav ditt samtycke till direktmarknadsföring när du bokade tid på nätet.",  # noqa: E501
    "why_since_online": "Du får det här meddelandet för att du den {date} gav ditt samtycke till direktmarknadsföring när du bokade tid på nätet.",  # noqa: E501
    "why_phone": "Du får det här meddelandet för att du per telefon gav ditt samtycke till direktmarknadsföring.",
    "why_since_phone": "Du får det här meddelandet för att du den {date} per telefon gav ditt samtycke till direktmarknadsföring.",  # noqa: E501
    "why_email": "Du får det här meddelandet för att du per e-post gav ditt samtycke till direktmarknadsföring.",
    "why_since_email": "Du får det här meddelandet för att du den {date} per e-post gav ditt samtycke till direktmarknadsföring.",  # noqa: E501
    "why_in_person": "Du får det här meddelandet för att du på plats hos oss gav ditt samtycke till direktmarknadsföring.",  # noqa: E501
    "why_since_in_person": "Du får det här meddelandet för att du den {date} på plats hos oss gav ditt samtycke till direktmarknadsföring.",  # noqa: E501
    "why_desk": "Du får det här meddelandet för att du hos vår kundtjänst gav ditt samtycke till direktmarknadsföring.",
    "why_since_desk": "Du får det här meddelandet för att du den {date} hos vår kundtjänst gav ditt samtycke till direktmarknadsföring.",  # noqa: E501
    "why_sign_up": "Du får det här meddelandet för att du på vår webbplats gav ditt samtycke till direktmarknadsföring.",  # noqa: E501
    "why_since_sign_up": "Du får det här meddelandet för att du den {date} på vår webbplats gav ditt samtycke till direktmarknadsföring.",  # noqa: E501
    "why_renewal": "Du får det här meddelandet för att du har förnyat ditt samtycke till direktmarknadsföring.",
    "why_since_renewal": "Du får det här meddelandet för att du den {date} förnyade ditt samtycke till direktmarknadsföring.",  # noqa: E501
    "why_sms_reply": "Du får det här meddelandet för att du med ett textmeddelande gav ditt samtycke till direktmarknadsföring.",  # noqa: E501
    "why_since_sms_reply": "Du får det här meddelandet för att du den {date} med ett textmeddelande gav ditt samtycke till direktmarknadsföring.",  # noqa: E501
}
EN = {
    "why": "You receive this message because you agreed to direct marketing.",
    "why_since": "You receive this message because you agreed to direct marketing on {date}.",
    "why_online": "You receive this message because you agreed to direct marketing when you booked online.",
    "why_since_online": "You receive this message because you agreed to direct marketing when you booked online on {date}.",  # noqa: E501
    "why_phone": "You receive this message because you told us by phone that you agree to direct marketing.",
    "why_since_phone": "You receive this message because you told us by phone on {date} that you agree to direct marketing.",  # noqa: E501
    "why_email": "You receive this message because you told us by email that you agree to direct marketing.",
    "why_since_email": "You receive this message because you told us by email on {date} that you agree to direct marketing.",  # noqa: E501
    "why_in_person": "You receive this message because you told us in person that you agree to direct marketing.",
    "why_since_in_person": "You receive this message because you told us in person on {date} that you agree to direct marketing.",  # noqa: E501
    "why_desk": "You receive this message because you told our staff that you agree to direct marketing.",
    "why_since_desk": "You receive this message because you told our staff on {date} that you agree to direct marketing.",  # noqa: E501
    "why_sign_up": "You receive this message because you agreed on our website to direct marketing.",
    "why_since_sign_up": "You receive this message because you agreed on our website on {date} to direct marketing.",
    "why_renewal": "You receive this message because you renewed your permission for direct marketing.",
    "why_since_renewal": "You receive this message because you renewed your permission for direct marketing on {date}.",
    "why_sms_reply": "You receive this message because you told us by text message that you agree to direct marketing.",
    "why_since_sms_reply": "You receive this message because you told us by text message on {date} that you agree to direct marketing.",  # noqa: E501
}
