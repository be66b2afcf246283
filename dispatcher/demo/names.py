"""Names to make invented people of: Finnish, Swedish, Sámi and English ones, mixed at random."""

from dispatcher.rules.campaign import Language

SAMI = "sami"
"""Not a language the program writes to clients in yet: who has such a name here reads Finnish."""

FIRST_NAMES = {
    Language.FI.value: (
        *("Aino", "Aapo", "Aleksi", "Anneli", "Eero", "Eeva", "Elina", "Esko", "Hannele", "Heikki", "Helmi", "Henna"),
        *("Iida", "Ilmari", "Inkeri", "Jaakko", "Jarmo", "Jenna", "Juhani", "Kaarina", "Kalevi", "Katja", "Kerttu"),
        *("Lauri", "Leena", "Liisa", "Maija", "Marjatta", "Matti", "Mika", "Minna", "Niina", "Oili", "Onni", "Päivi"),
        *("Pekka", "Pirkko", "Raimo", "Riitta", "Saara", "Seppo", "Sirpa", "Tapio", "Tarja", "Teuvo", "Tuulikki"),
        *("Tyyne", "Ulla", "Urho", "Väinö", "Vappu", "Veikko", "Yrjö"),
    ),
    Language.SV.value: (
        *("Åsa", "Anders", "Björn", "Camilla", "Göran", "Håkan", "Ingrid", "Jörgen", "Kerstin", "Linnéa", "Märta"),
        *("Nils", "Östen", "Pär", "Sölve", "Ulrika", "Viveka"),
    ),
    SAMI: (
        *("Áilu", "Ánná", "Ánte", "Biret", "Elle-Máret", "Inga", "Ján", "Jovnna", "Máhtte", "Máret", "Mihkku"),
        *("Niillas", "Nils-Ánte", "Rávdná", "Sárá", "Ville-Ánde"),
    ),
    Language.EN.value: ("Alice", "Dorothy", "Emily", "Gareth", "Hannah", "Imogen", "Oliver", "Rupert", "Siân", "Zoë"),
}
LAST_NAMES = {
    Language.FI.value: (
        *("Aapalahti", "Alakangas", "Haapasuo", "Hirvasvaara", "Hölttälä", "Jänkäläinen", "Järvelänniemi", "Kaarnikka"),
        *("Kelopää", "Kivijänkä", "Koivukuru", "Kortevuoma", "Kuusirova", "Lehtovirta", "Mäenpohja", "Niittyaho"),
        *("Ollankoski", "Palovaara", "Petäjälampi", "Pihlajasuvanto", "Pöyliövaara", "Rantaharju", "Saarenputaa"),
        *("Siikakoski", "Suopursu", "Tervajoki", "Törmälampi", "Tunturimaa", "Uhtualahti", "Vaaranpää", "Ylikurkkio"),
    ),
    Language.SV.value: (
        *("Ängsbäck", "Åkerfors", "Björkhamn", "Dalskär", "Fjällvik", "Granö", "Höglund-Näs", "Månsås", "Österby"),
        *("Söderholm", "Tallmo", "Västersund"),
    ),
    SAMI: (
        *("Čáhcesuolu", "Čuovgadálki", "Duottaráhkká", "Guovžajohka", "Jávrečohkka", "Ŋuorbinjárga", "Ruoŧŧavárri"),
        *("Skáiddenjunni", "Soađenoaivi", "Viđđajávri"),
    ),
    Language.EN.value: ("Ashdown", "Birchfield", "Fernhollow", "Hartwell", "Larkspur", "Moorcroft", "O'Rowan", "Wren"),
}
