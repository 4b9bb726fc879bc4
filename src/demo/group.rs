//! One group of people and everything the exports say about them: groups are made in any order on any thread, and written in order.

use super::DemoOptions;
use super::csv::Rows;
use super::people::{self, Person};
use super::random::Random;
use super::{club, crm, messages, orders, shop, web};

/// The parts of every file that one group contributes.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) crm: Rows,
    pub(super) customers: Rows,
    pub(super) orders: Rows,
    /// One gzip member a month.
    pub(super) web: Vec<Vec<u8>>,
    pub(super) newsletter: Rows,
    pub(super) survey: Rows,
    pub(super) support: String,
    pub(super) club: Rows,
    pub(super) truth: Rows,
}

/// How a run is cut into groups.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cut {
    pub(super) people: u64,
    pub(super) orders: u64,
    pub(super) seed: u64,
    /// People of a group; the last one may have fewer.
    size: u64,
}

impl Cut {
    /// Groups of at most a thousand, and several of them even in a small demo.
    pub(super) fn new(options: &DemoOptions) -> Self {
        let people = u64::from(options.people);
        Self {
            people,
            orders: options.orders.unwrap_or(people * 5),
            seed: options.seed,
            size: (people / 8).clamp(25, 1000),
        }
    }

    pub(super) fn groups(&self) -> u64 {
        self.people.div_ceil(self.size)
    }

    /// Index of the first order that belongs to people from `person` on.
    fn first_order(&self, person: u64) -> u64 {
        u64::try_from(u128::from(self.orders) * u128::from(person) / u128::from(self.people.max(1)))
            .expect("a share of the orders is at most all of them")
    }
}

/// What the kinds of records of one group need to know.
pub(super) struct Context<'a> {
    pub(super) cut: Cut,
    pub(super) people: &'a [Person],
    pub(super) truth: Rows,
}

impl Context<'_> {
    /// Notes whose record this is.
    pub(super) fn record(&mut self, source: &str, record_id: &str, person: &str) {
        self.truth.row(&[source, record_id, person]);
    }
}

/// The accounts a person has; record ids follow from the person's index.
#[derive(Debug, Clone, Default)]
pub(super) struct Accounts {
    /// Number in the CRM.
    pub(super) customer_no: Option<u64>,
    /// Customer of the shop.
    pub(super) shop_id: Option<u64>,
    /// Orders without an account.
    pub(super) guest: bool,
}

impl Accounts {
    fn draw(person: &Person, random: &mut Random) -> Self {
        let shop = random.chance(0.55);
        Self {
            customer_no: random.chance(0.65).then_some(100_000 + person.index * 2),
            shop_id: shop.then_some(7_000_000_000_000 + person.index * 32_768),
            guest: !shop && random.chance(0.4),
        }
    }
}

/// Makes group number `number`.
pub(super) fn make(cut: Cut, number: u64) -> Group {
    let mut random = Random::new(cut.seed, number);
    let first = number * cut.size;
    let end = (first + cut.size).min(cut.people);
    let count = usize::try_from(end - first).expect("a group has at most a thousand people");
    let people = people::group(first, count, &mut random);
    let accounts: Vec<Accounts> = people.iter().map(|person| Accounts::draw(person, &mut random)).collect();
    let mut context = Context {
        cut,
        people: &people,
        truth: Rows::new(',', "\n"),
    };
    Group {
        crm: crm::write(&mut context, &accounts, &mut random),
        customers: shop::write(&mut context, &accounts, &mut random),
        orders: orders::write(&mut context, &accounts, cut.first_order(first)..cut.first_order(end), &mut random),
        web: web::write(&mut context, &accounts, &mut random),
        newsletter: messages::newsletter(&mut context, &mut random),
        survey: messages::survey(&context, &mut random),
        support: messages::support(&mut context, &mut random),
        club: club::write(cut, number, &accounts),
        truth: context.truth,
    }
}
