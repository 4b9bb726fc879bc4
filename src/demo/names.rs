//! Names and places with a realistic skew: a few are everywhere, most are rare.

use std::sync::LazyLock;

use super::random::Random;

/// Country of a person's name, address and phone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Country {
    Germany,
    Britain,
}

/// A given name and how friends shorten it.
#[derive(Debug)]
pub(super) struct Given {
    pub(super) name: &'static str,
    pub(super) short: Vec<&'static str>,
}

/// A town and its postcodes: `count` of them from `postcode` on.
#[derive(Debug)]
pub(super) struct City {
    pub(super) name: &'static str,
    pub(super) postcode: &'static str,
    pub(super) count: u64,
}

/// Items that are drawn with falling frequency.
#[derive(Debug)]
pub(super) struct Skewed<T> {
    items: Vec<T>,
    cumulative: Vec<f64>,
}

impl<T> Skewed<T> {
    /// Zipf-Mandelbrot: the item at rank `i` has weight `1 / (i + offset)^exponent`.
    fn zipf(items: Vec<T>, exponent: f64, offset: f64) -> Self {
        Self::weighted(items, |rank| (rank + offset).powf(-exponent))
    }

    #[expect(clippy::cast_precision_loss, reason = "lists have a few thousand items")]
    fn weighted(items: Vec<T>, weight: impl Fn(f64) -> f64) -> Self {
        let mut sum = 0.0;
        let cumulative = (0..items.len())
            .map(|rank| {
                sum += weight(rank as f64);
                sum
            })
            .collect();
        Self { items, cumulative }
    }

    /// One item.
    pub(super) fn draw(&self, random: &mut Random) -> &T {
        let total = self.cumulative.last().copied().unwrap_or(0.0);
        let point = random.unit() * total;
        let position = self.cumulative.partition_point(|&upper| upper <= point);
        &self.items[position.min(self.items.len() - 1)]
    }
}

/// Everything a country's people are named by and live in.
#[derive(Debug)]
pub(super) struct Lists {
    pub(super) family: Skewed<String>,
    pub(super) women: Skewed<Given>,
    pub(super) men: Skewed<Given>,
    pub(super) cities: Skewed<City>,
    pub(super) streets: Skewed<String>,
}

static GERMANY: LazyLock<Lists> = LazyLock::new(|| {
    let fronts = "Stein Berg Wald Feld Ober Nieder Neu Alt Wiesen Bach Linden Eich Buch Roth Kirch Mühl Brunn Hof Lang Hoch Tal Sand Birk Hirsch \
                  Rosen Grün Lauter Schön Winter Acker Burg Damm Eisen Erlen Fass Finken Gold Hammer Heide Herz Hopfen Kessel Korn Kupfer Laub Salz \
                  Schloss See Silber Tann Teich Wein Weiden Ziegel";
    let backs = "meier müller bauer mann berger hofer huber wald feld stein bach haus ling inger brock kamp horst brink dorf heim hausen beck eder \
                 dörfer kemper reiter holz fels land rath stedt acher hammer kötter";
    let listed = include_str!("lists/family_de.txt");
    Lists {
        family: Skewed::zipf(composed(listed, fronts, backs), 0.95, 15.0),
        women: given(include_str!("lists/given_de.txt"), "f"),
        men: given(include_str!("lists/given_de.txt"), "m"),
        cities: cities("DE"),
        streets: Skewed::zipf(streets(include_str!("lists/streets_de.txt"), listed, "-Straße"), 0.7, 3.0),
    }
});

static BRITAIN: LazyLock<Lists> = LazyLock::new(|| {
    let fronts = "Ash Black Brad Brom Carl Clif Dal East Green Hart Har Hather Hol Kings Lang Mal Mid New North Old Rad Red Rock Shel South Stan \
                  Thorn West Whit Win";
    let backs = "worth ton ham ley field ford well man son ridge brook more ster by shaw combe croft land burn gate cott";
    let listed = include_str!("lists/family_en.txt");
    Lists {
        family: Skewed::zipf(composed(listed, fronts, backs), 0.9, 10.0),
        women: given(include_str!("lists/given_en.txt"), "f"),
        men: given(include_str!("lists/given_en.txt"), "m"),
        cities: cities("GB"),
        streets: Skewed::zipf(streets(include_str!("lists/streets_en.txt"), listed, " Road"), 0.7, 3.0),
    }
});

/// The lists of a country.
pub(super) fn lists(country: Country) -> &'static Lists {
    match country {
        Country::Germany => &GERMANY,
        Country::Britain => &BRITAIN,
    }
}

/// Listed names by frequency, then composed ones (`Stein` + `bach`): the long tail of rare names.
fn composed(listed: &str, fronts: &str, backs: &str) -> Vec<String> {
    let mut names: Vec<String> = listed.split_whitespace().map(str::to_owned).collect();
    for back in backs.split_whitespace() {
        for front in fronts.split_whitespace() {
            names.push(format!("{front}{back}"));
        }
    }
    names
}

fn given(text: &'static str, sex: &str) -> Skewed<Given> {
    let names = text
        .lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            (words.next() == Some(sex)).then(|| Given {
                name: words.next().expect("each line of the list has a sex and a name"),
                short: words.collect(),
            })
        })
        .collect();
    Skewed::zipf(names, 1.0, 6.0)
}

fn cities(country: &str) -> Skewed<City> {
    let cities = include_str!("lists/cities.txt")
        .lines()
        .filter_map(|line| {
            let parts: Vec<&str> = line.split(';').collect();
            (parts[0] == country).then(|| City {
                name: parts[1],
                postcode: parts[2],
                count: parts[3].parse().expect("the fourth column of the list counts postcodes"),
            })
        })
        .collect();
    Skewed::zipf(cities, 0.9, 2.0)
}

fn streets(listed: &str, people: &str, suffix: &str) -> Vec<String> {
    let named = people.split_whitespace().skip(40).map(|name| format!("{name}{suffix}"));
    listed.lines().map(str::to_owned).chain(named).collect()
}
