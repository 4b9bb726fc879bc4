//! Decisions that contradict each other end the run, and every line that takes part is named: to guess which one somebody meant could merge
//! what another took care to keep apart.

use std::collections::{BTreeMap, VecDeque};

use crate::error::{Error, Result};
use crate::table::decisions::NamedRecord;
use crate::table::{CustomerKey, Decided, Decision, DecisionKind, Pin};

/// Records that `must_link` joins, directly or in a chain.
struct Joined<'a> {
    by_record: BTreeMap<&'a NamedRecord, Vec<&'a Decision>>,
    /// For each record the number of its closure.
    closure: BTreeMap<&'a NamedRecord, usize>,
}

/// Refuses decisions that contradict each other: records that a chain of `must_link` joins and a `cannot_link` parts; two keys pinned to one
/// record or to records of one chain; one key pinned to records that a `cannot_link` parts.
///
/// # Errors
/// `Input`, with the lines.
pub(super) fn check(decided: &Decided) -> Result<()> {
    let joined = Joined::new(&decided.pairs);
    let apart = || decided.pairs.iter().filter(|decision| decision.kind == DecisionKind::CannotLink);
    for apart in apart() {
        if joined.together(&apart.left, &apart.right) {
            return Err(
                Error::input("decisions contradict each other: the same records must and must not be one customer")
                    .with("cannot_link", apart.place())
                    .with("must_link", joined.places(&apart.left, &apart.right))
                    .hint("delete one of these lines"),
            );
        }
    }
    check_keys(&decided.pins, &joined)?;
    let mut pinned: BTreeMap<Node<'_>, BTreeMap<CustomerKey, &Pin>> = BTreeMap::new();
    for pin in &decided.pins {
        pinned.entry(joined.node(&pin.record)).or_default().entry(pin.key).or_insert(pin);
    }
    for apart in apart() {
        let [Some(left), Some(right)] = [&apart.left, &apart.right].map(|record| pinned.get(&joined.node(record))) else {
            continue;
        };
        if let Some((one, other)) = left.iter().find_map(|(key, pin)| Some((*pin, *right.get(key)?))) {
            return Err(
                Error::input("decisions contradict each other: one key is pinned to records that are kept apart")
                    .with("pin", format!("{}, {}", one.place(), other.place()))
                    .with("cannot_link", apart.place())
                    .hint("delete one of these lines"),
            );
        }
    }
    Ok(())
}

/// One customer, as far as `must_link` tells: a closure, or a record alone.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Node<'a> {
    Closure(usize),
    Record(&'a NamedRecord),
}

/// Two keys for one customer.
fn check_keys<'a>(pins: &'a [Pin], joined: &Joined<'a>) -> Result<()> {
    let mut first: BTreeMap<Node<'_>, &Pin> = BTreeMap::new();
    for pin in pins {
        let known = *first.entry(joined.node(&pin.record)).or_insert(pin);
        if known.key != pin.key {
            let mut error = Error::input("decisions contradict each other: one customer cannot have two keys")
                .with("pin", format!("{}, {}", known.place(), pin.place()));
            if known.record != pin.record {
                error = error.with("must_link", joined.places(&known.record, &pin.record));
            }
            return Err(error.hint("delete one of these lines"));
        }
    }
    Ok(())
}

impl<'a> Joined<'a> {
    fn new(decisions: &'a [Decision]) -> Self {
        let mut by_record: BTreeMap<&NamedRecord, Vec<&Decision>> = BTreeMap::new();
        for decision in decisions.iter().filter(|decision| decision.kind == DecisionKind::MustLink) {
            by_record.entry(&decision.left).or_default().push(decision);
            by_record.entry(&decision.right).or_default().push(decision);
        }
        // A closure is walked once: each record is given the number of its closure.
        let mut closure: BTreeMap<&NamedRecord, usize> = BTreeMap::new();
        for (number, start) in by_record.keys().enumerate() {
            let mut open = vec![*start];
            while let Some(record) = open.pop() {
                if closure.contains_key(record) {
                    continue;
                }
                closure.insert(record, number);
                open.extend(by_record[record].iter().flat_map(|decision| [&decision.left, &decision.right]));
            }
        }
        Self { by_record, closure }
    }

    fn node<'b>(&self, record: &'b NamedRecord) -> Node<'b> {
        self.closure
            .get(record)
            .map_or(Node::Record(record), |&number| Node::Closure(number))
    }

    fn together(&self, one: &NamedRecord, other: &NamedRecord) -> bool {
        self.node(one) == self.node(other)
    }

    /// The lines that join two records, the fewest: `a.csv:2, a.csv:3`.
    fn places(&self, from: &NamedRecord, to: &NamedRecord) -> String {
        let places: Vec<String> = self.chain(from, to).iter().map(|by| by.place()).collect();
        places.join(", ")
    }

    /// The fewest decisions that lead from one record to another of the same closure.
    fn chain(&self, from: &NamedRecord, to: &NamedRecord) -> Vec<&'a Decision> {
        let mut came_by: BTreeMap<&NamedRecord, (&NamedRecord, &'a Decision)> = BTreeMap::new();
        let mut open = VecDeque::from([from]);
        while let Some(record) = open.pop_front() {
            if record == to {
                break;
            }
            for &by in &self.by_record[record] {
                let other = if by.left == *record { &by.right } else { &by.left };
                if other != from && !came_by.contains_key(other) {
                    came_by.insert(other, (record, by));
                    open.push_back(other);
                }
            }
        }
        let (mut at, mut chain) = (to, Vec::new());
        while let Some(&(before, by)) = came_by.get(at) {
            chain.push(by);
            at = before;
        }
        chain.reverse();
        chain
    }
}
