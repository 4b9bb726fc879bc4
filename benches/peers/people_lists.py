"""Lists that the generator of people draws from: names, nicknames, towns, streets and mail providers of Germany and Great Britain.

The German names and nicknames were written down by hand, in approximate order of frequency: no official table. The long tails come from
Faker, and the English family names with their counts from the US Census of 2010 (see `people.py`).
"""

# About 120 family names in their approximate order of frequency.
DE_FAMILY = """
Müller Schmidt Schneider Fischer Weber Meyer Wagner Becker Schulz Hoffmann Schäfer Koch Bauer Richter Klein Wolf Schröder Neumann
Schwarz Zimmermann Braun Krüger Hofmann Hartmann Lange Schmitt Werner Schmitz Krause Meier Lehmann Schmid Schulze Maier Köhler Herrmann
König Walter Mayer Huber Kaiser Fuchs Peters Lang Scholz Möller Weiß Jung Hahn Schubert Vogel Friedrich Keller Günther Frank Berger
Winkler Roth Beck Lorenz Baumann Franke Albrecht Schuster Simon Ludwig Böhm Winter Kraus Martin Schumacher Krämer Vogt Stein Jäger Otto
Sommer Groß Seidel Heinrich Brandt Haas Schreiber Graf Schulte Dietrich Ziegler Kuhn Kühn Pohl Engel Horn Busch Bergmann Thomas Voigt
Sauer Arnold Wolff Pfeiffer Yilmaz Kaya Nowak Kowalski Demir Sahin Celik
""".split()

# Given names of men and of women, likewise.
DE_MALE = """
Peter Michael Thomas Andreas Wolfgang Klaus Jürgen Günter Stefan Christian Uwe Werner Horst Frank Dieter Manfred Gerhard Hans Bernd
Thorsten Mathias Helmut Walter Heinz Martin Jörg Rolf Jens Sven Alexander Jan Rainer Holger Karl Dirk Joachim Ralf Karsten Herbert
Oliver Wilhelm Kurt Markus Heinrich Harald Josef Rudolf Daniel Marcel Tobias Florian Sebastian Tim Lukas Leon Finn Jonas Paul Felix
Maximilian Ben Noah Elias Mehmet Mustafa Ali
""".split()

DE_FEMALE = """
Maria Ursula Monika Petra Elisabeth Sabine Renate Helga Karin Brigitte Ingrid Erika Andrea Gisela Claudia Susanne Gabriele Christa
Christine Hildegard Anna Birgit Barbara Gertrud Heike Marianne Elke Martina Angelika Irmgard Inge Ute Elfriede Doris Marion Ruth Ulrike
Hannelore Jutta Gerda Kerstin Ilse Anneliese Margarete Ingeborg Anja Edith Sandra Waltraud Beate Rita Katharina Christina Julia Laura
Lena Sarah Lisa Hannah Emma Mia Sophie Leonie Nicole Stefanie Melanie Fatma Ayse Elif
""".split()

# Parts of which the rare family names are composed.
DE_FAMILY_STARTS = """
Stein Berg Wald Feld Ober Nieder Neu Alt Wiesen Bach Linden Eich Buch Roth Schwarz Weiss Kirch Mühl Brunn Hof Lang Kurz Hoch Tal Sand
Moos Birk Eber Hirsch Rosen Grün Kalten Lauter Reichen Schön Winter Sommer Wolfs Bären Hasen Acker Angst Burg Dach Damm Eisen Erlen Fass
Finken Fisch Frei Gold Grab Hammer Heide Herz Hopfen Hunds Kamm Kessel Klein Korn Kupfer Laub Mark Nuss Pfann Ross Salz Schloss See
Silber Speck Stadel Stroh Sturm Tann Teich Traut Ulm Wein Weiden Ziegel Zwing
""".split()

DE_FAMILY_ENDS = """
meier müller bauer mann berger hofer huber wald feld stein bach haus burg ling ner inger brock kamp horst brink dorf heim hausen beck
eder dörfer kemper schmidt schulte graf wirth reiter holz hold fels land rath stedt sen ke mann-Koch acher inger eisen bich hammer
kötter
""".split()

EN_FAMILY_STARTS = """
Ash Black Brad Brom Carl Charl Clif Dal East Far Green Hart Had Har Hather Hol Kings Lang Long Mal Mid New North Old Penning Rad Red
Rock Shel Smith South Stan Stock Thorn Wal West Whit Wick Win Wood
""".split()

EN_FAMILY_ENDS = """
worth ton ham ley field ford wood well man son ridge brook more ster by shaw combe croft land burn gate cott
""".split()

# Short forms and other spellings: given name, colon, what else its bearer is called.
DE_NICKNAMES = {
    name: other.split("/")
    for name, other in (entry.split(":") for entry in """
Alexander:Alex/Sascha/Xander Andreas:Andi/Andy Michael:Micha/Michi/Mike Thomas:Tom/Tommy Christian:Chris Stefan:Steffen/Stephan
Matthias:Matze/Mathias Mathias:Matthias/Matze Wolfgang:Wolf Johannes:Hannes/Jo Hans:Johannes/Hansi Heinrich:Heinz/Heiner
Joachim:Jochen/Achim Karsten:Carsten Thorsten:Torsten Markus:Marcus Maximilian:Max Sebastian:Basti/Bastian Tobias:Tobi Florian:Flo
Daniel:Dani Benjamin:Ben/Benni Ralf:Ralph Josef:Sepp/Joseph/Jupp Wilhelm:Willi/Willy Rudolf:Rudi Manfred:Manni
Elisabeth:Elli/Lisa/Sissi/Elisabet Katharina:Kathi/Katrin/Kati Christina:Tina/Christine Christine:Tina/Chris Stefanie:Steffi/Stephanie
Susanne:Susi/Sanne Gabriele:Gabi Brigitte:Gitte/Biggi Barbara:Babs/Bärbel Margarete:Grete/Gretel/Margarethe Ursula:Uschi/Ulla
Angelika:Geli Claudia:Claudi Monika:Moni Ingeborg:Inge Johanna:Hanna Hannah:Hanna Sophie:Sofie Sarah:Sara Nicole:Niki Melanie:Melli
Anna:Anne/Anni Maria:Mia/Marie Friedrich:Fritz Günter:Günther Jürgen:Juergen Walter:Walther
""".split())
}

# Towns by size.
DE_TOWNS = [town.strip() for town in """
Berlin, Hamburg, München, Köln, Frankfurt am Main, Stuttgart, Düsseldorf, Leipzig, Dortmund, Essen, Bremen, Dresden, Hannover, Nürnberg,
Duisburg, Bochum, Wuppertal, Bielefeld, Bonn, Münster, Mannheim, Karlsruhe, Augsburg, Wiesbaden, Mönchengladbach, Gelsenkirchen, Aachen,
Braunschweig, Kiel, Chemnitz, Halle, Magdeburg, Freiburg, Krefeld, Mainz, Lübeck, Erfurt, Rostock, Kassel
""".split(",")]

EN_TOWNS = """
London Birmingham Leeds Glasgow Sheffield Manchester Bradford Edinburgh Liverpool Bristol Cardiff Wakefield Coventry Nottingham
Leicester Sunderland Belfast Newcastle Brighton Hull Plymouth Stoke Wolverhampton Derby Swansea Southampton Salford Aberdeen Westminster
Portsmouth York Peterborough Dundee Lancaster Oxford Newport Preston Norwich Exeter Cambridge Gloucester Winchester Durham Lincoln Bath
Carlisle Worcester Hereford Chester Salisbury Truro Ely Ripon Wells
""".split()

# Parts of the names of streets.
DE_STREET_STARTS = """
Haupt Bahnhof Schul Garten Dorf Berg Linden Kirch Wald Ring Birken Wiesen Mühlen Goethe Schiller Rosen Feld Post Ahorn Eichen Buchen
Tannen Mozart Beethoven Bach See Park Markt Brunnen Friedhof Industrie Sonnen Amsel Fichten Lessing Kastanien Bismarck Rathaus Kiefern
Uhland Finken Drossel Erlen Hof Neue Alte Nord Süd Ost West
""".split()

DE_STREET_ENDS = ["straße", "weg", "gasse", "allee", "platz"]
EN_STREET_STARTS = """
High Station Main Church Victoria Park Green London Mill Manor Kings Queens Queensway New Grange North South West East School
Springfield George The York Albert Alexander Chester Broad Richmond Windsor
""".split()

EN_STREET_ENDS = """
Road Street Lane Close Avenue Drive Way
""".split()

# Providers of mailboxes with their weights.
DE_MAIL = {
    "gmail.com": 26, "gmx.de": 22, "web.de": 20, "t-online.de": 9, "outlook.de": 6, "hotmail.de": 5, "yahoo.de": 5, "freenet.de": 3,
    "icloud.com": 3, "posteo.de": 1,
}
EN_MAIL = {
    "gmail.com": 36, "hotmail.co.uk": 17, "yahoo.co.uk": 14, "outlook.com": 13, "btinternet.com": 6, "icloud.com": 8, "sky.com": 3,
    "live.co.uk": 3,
}

# Words of mailboxes that say nothing about the person.
MAIL_WORDS = """
blue sun star fox wolf cat dog rose moon sky magic happy lucky king queen tiger bear snow fire rain panda ninja racer gamer surf angel
cookie honey pixel rocket
""".split()
