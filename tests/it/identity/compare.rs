//! Kernels against `strsim`, and levels against their definition.

use proptest::prelude::*;
use stammkunde::compare::{Comparer, kernel::Values};
use stammkunde::config::spec::{ComparisonSpec, Test};
use stammkunde::table::{Candidate, CodedRecords, PairPatterns, RecordIx};
use stammkunde::text::nickname;

use super::{Random, comparison, exact, level, owned, records};

/// Values of a differential test, of which all pairs are compared: 18 million pairs in all in release, 400 thousand in debug.
const VALUES: usize = if cfg!(debug_assertions) { 300 } else { 2000 };

/// Random words of an alphabet, of every length up to beyond what the kernels take.
fn words(seed: u64, count: usize, alphabet: &str, length_max: u64) -> Vec<String> {
    let letters: Vec<char> = alphabet.chars().collect();
    let mut random = Random(seed);
    (0..count)
        .map(|_| {
            let length = random.below(length_max + 1);
            (0..length)
                .map(|_| letters[usize::try_from(random.below(letters.len() as u64)).unwrap()])
                .collect()
        })
        .collect()
}

fn assert_kernels_equal_strsim(values: &[String]) {
    let texts: Vec<&str> = values.iter().map(String::as_str).collect();
    let mut kernels = Values::new(&texts);
    for (left, a) in (0_u32..).zip(&texts) {
        for (right, b) in (0_u32..).zip(&texts) {
            let similarity = strsim::jaro_winkler(a, b);
            assert_eq!(kernels.jaro_winkler(left, right).to_bits(), similarity.to_bits(), "{a:?} {b:?}");
            let distance = u32::try_from(strsim::levenshtein(a, b)).unwrap();
            let bound = (left + right) % 5;
            assert_eq!(
                kernels.levenshtein(left, right, bound),
                (distance <= bound).then_some(distance),
                "{a:?} {b:?}"
            );
            assert_eq!(kernels.levenshtein(left, right, 1000), Some(distance), "{a:?} {b:?}");
        }
    }
}

fn assert_damerau_equals_strsim(values: &[String]) {
    let texts: Vec<&str> = values.iter().map(String::as_str).collect();
    let mut kernels = Values::new(&texts);
    for (left, a) in (0_u32..).zip(&texts) {
        for (right, b) in (0_u32..).zip(&texts) {
            let distance = u32::try_from(strsim::damerau_levenshtein(a, b)).unwrap();
            for bound in [0, 1, 2, 3, 1000] {
                let expected = (distance <= bound).then_some(distance);
                assert_eq!(kernels.damerau_levenshtein(left, right, bound), expected, "{a:?} {b:?} {bound}");
            }
        }
    }
}

#[test]
fn kernels_equal_strsim_on_short_words_of_few_letters() {
    assert_kernels_equal_strsim(&words(11, VALUES, "ab", 9));
    assert_kernels_equal_strsim(&words(12, VALUES, "abcde", 14));
}

#[test]
fn kernels_equal_strsim_around_and_beyond_64_characters() {
    assert_kernels_equal_strsim(&words(13, VALUES / 4, "abc", 70));
    let edge: Vec<String> = (60..68)
        .flat_map(|length| ["a".repeat(length), "ab".repeat(length / 2), "ba".repeat(length / 2)])
        .collect();
    assert_kernels_equal_strsim(&edge);
    assert_damerau_equals_strsim(&edge);
}

#[test]
fn kernels_equal_strsim_on_every_script() {
    assert_kernels_equal_strsim(&words(14, VALUES / 2, "aüßéł中🦀", 10));
    let many: String = (0x4e00_u32..0x4e00 + 600).filter_map(char::from_u32).collect();
    assert_kernels_equal_strsim(&words(15, VALUES / 2, &many, 12));
    assert_damerau_equals_strsim(&words(16, VALUES / 4, &many, 6));
}

#[test]
fn damerau_levenshtein_equals_strsim() {
    assert_damerau_equals_strsim(&words(17, VALUES / 2, "ab", 7));
    assert_damerau_equals_strsim(&words(18, VALUES / 2, "abc", 12));
    assert_damerau_equals_strsim(&["ca".to_owned(), "abc".to_owned(), "a".to_owned(), String::new()]);
    let mut random = Random(19);
    let dates: Vec<String> = (0..VALUES)
        .map(|_| format!("19{:02}-{:02}-{:02}", random.below(40), random.below(12) + 1, random.below(28) + 1))
        .collect();
    assert_damerau_equals_strsim(&dates[..VALUES / 2]);
}

/// What equal codes, lengths and bags of characters rule out before texts are looked at would not have reached a threshold.
fn assert_levels_equal_strsim(values: &[String]) {
    let column: Vec<Option<String>> = values.iter().filter(|value| !value.is_empty()).cloned().map(Some).collect();
    let records = owned(&[("x", &column)]);
    let of = |tests: Vec<Test>| comparison("x", tests);
    let x = || "x".to_owned();
    let jaro_winkler = [0.92, 0.88, 0.7, 0.5].map(|least| Test::JaroWinkler(x(), least));
    let levenshtein = [1, 2, 4].map(|most| Test::Levenshtein(x(), most));
    let damerau = [1, 3].map(|most| Test::DamerauLevenshtein(x(), most));
    let specs = [of(jaro_winkler.to_vec()), of(levenshtein.to_vec()), of(damerau.to_vec())];
    let comparer = Comparer::new(&specs, &records);
    let (mut scratch, mut patterns) = (comparer.scratch(), Vec::new());
    for left in 0..records.len() {
        let pairs: Vec<Candidate> = (0..records.len())
            .map(|right| records.candidate(RecordIx(left), RecordIx(right)))
            .collect();
        comparer.patterns(&mut scratch, &pairs, &mut patterns);
        let a = column[left as usize].as_deref().unwrap();
        for (b, pattern) in column.iter().flatten().zip(&patterns) {
            let similarity = strsim::jaro_winkler(a, b);
            let (edits, edits_damerau) = (strsim::levenshtein(a, b), strsim::damerau_levenshtein(a, b));
            let reached = [
                [0.92, 0.88, 0.7, 0.5].iter().filter(|least| similarity >= **least).count(),
                [1, 2, 4].iter().filter(|most| edits <= **most).count(),
                [1, 3].iter().filter(|most| edits_damerau <= **most).count(),
            ];
            let found = [0, 1, 2].map(|at| usize::from(pattern.level(at)) - 1);
            assert_eq!(found, reached, "{a:?} {b:?}");
        }
    }
}

#[test]
fn no_bound_rules_out_what_reaches_a_threshold() {
    assert_levels_equal_strsim(&words(31, VALUES / 2, "abc", 8));
    // More letters than a bag has classes, so that different ones share a class.
    let letters: String = ('!'..='~').chain('À'..='ÿ').collect();
    assert_levels_equal_strsim(&misspelt(32, VALUES / 3, &letters, 12));
    assert_levels_equal_strsim(&misspelt(33, VALUES / 6, "abcdefghijklmnopqrstuvwxyz", 80));
}

/// Words in groups of four: one, and others with a few mistakes, doubled letters and swaps, at the front too.
fn misspelt(seed: u64, count: usize, alphabet: &str, length_max: u64) -> Vec<String> {
    let letters: Vec<char> = alphabet.chars().collect();
    let mut random = Random(seed);
    let mut all = Vec::new();
    for word in words(seed + 1000, count / 4, alphabet, length_max) {
        for mistakes in 0..4 {
            let mut changed: Vec<char> = word.chars().collect();
            for _ in 0..mistakes {
                let mut at = |length: usize| usize::try_from(random.below(length as u64 + 1)).unwrap();
                let (place, letter) = (at(changed.len()), letters[at(letters.len() - 1)]);
                match at(3) {
                    0 => changed.insert(place, letter),
                    1 if place < changed.len() => changed[place] = letter,
                    2 if place + 1 < changed.len() => changed.swap(place, place + 1),
                    _ if place < changed.len() => drop(changed.remove(place)),
                    _ => {}
                }
            }
            all.push(changed.into_iter().collect());
        }
    }
    all
}

#[test]
fn kernels_equal_strsim_on_values_with_mistakes_and_on_long_ones() {
    assert_kernels_equal_strsim(&misspelt(41, VALUES, "abcdefghijklmnopqrstuvwxyz", 20));
    assert_kernels_equal_strsim(&misspelt(42, VALUES / 8, "abcdefgh", 150));
    assert_damerau_equals_strsim(&misspelt(43, VALUES / 3, "abcdef", 16));
    assert_damerau_equals_strsim(&misspelt(44, VALUES / 12, "abc", 90));
}

/// Level by the definition of the specification: `strsim` on values, from the top.
fn defined_level(spec: &ComparisonSpec, records: &CodedRecords, left: u32, right: u32) -> u8 {
    let value = |column: &str, record: u32| records.column(column).expect("the test has this column").value(RecordIx(record));
    if spec
        .not_null
        .iter()
        .any(|column| value(column, left).is_none() || value(column, right).is_none())
        || (!spec.unless.is_empty()
            && spec
                .unless
                .iter()
                .all(|column| value(column, left).is_some() && value(column, right).is_some()))
    {
        return 0;
    }
    let position = spec
        .levels
        .iter()
        .position(|level| holds(&level.test, &|column, side| value(column, if side { left } else { right })));
    u8::try_from(position.map_or(1, |at| spec.levels.len() + 1 - at)).unwrap()
}

fn holds<'a>(test: &Test, value: &impl Fn(&str, bool) -> Option<&'a str>) -> bool {
    let both = |column: &str| value(column, true).zip(value(column, false));
    match test {
        Test::Exact(columns) => columns.iter().all(|column| both(column).is_some_and(|(a, b)| a == b)),
        Test::JaroWinkler(column, at_least) => both(column).is_some_and(|(a, b)| strsim::jaro_winkler(a, b) >= *at_least),
        Test::Levenshtein(column, at_most) => both(column).is_some_and(|(a, b)| strsim::levenshtein(a, b) <= *at_most as usize),
        Test::DamerauLevenshtein(column, at_most) => {
            both(column).is_some_and(|(a, b)| strsim::damerau_levenshtein(a, b) <= *at_most as usize)
        }
        Test::DayMonthSwapped(column) => both(column).is_some_and(|(a, b)| {
            a.len() == 10 && a.bytes().filter(|byte| *byte == b'-').count() == 2 && b == format!("{}-{}-{}", &a[..4], &a[8..], &a[5..7])
        }),
        Test::SameYear(column) => both(column).is_some_and(|(a, b)| a.len() == 10 && b.len() == 10 && a[..4] == b[..4]),
        Test::Swapped(first, second) => {
            value(first, true).is_some()
                && value(second, true).is_some()
                && value(first, true) == value(second, false)
                && value(second, true) == value(first, false)
        }
        Test::Crossed(first, second) => [true, false]
            .into_iter()
            .any(|side| value(first, side).is_some() && value(first, side) == value(second, !side)),
        Test::Nickname(column) => {
            both(column).is_some_and(|(a, b)| nickname::group(a).is_some_and(|group| nickname::group(b) == Some(group)))
        }
        Test::All(tests) => tests.iter().all(|test| holds(test, value)),
    }
}

fn comparisons() -> Vec<ComparisonSpec> {
    let text = str::to_owned;
    let jaro_winkler = |column: &str, at_least: f64| Test::JaroWinkler(text(column), at_least);
    vec![
        comparison(
            "given_name",
            vec![
                exact("given_name"),
                jaro_winkler("given_name", 0.92),
                jaro_winkler("given_name", 0.8),
                jaro_winkler("given_name", 0.6),
            ],
        ),
        ComparisonSpec {
            name: text("name"),
            not_null: vec![text("family_name")],
            unless: Vec::new(),
            levels: vec![
                level(Test::Exact(vec![text("given_name"), text("family_name")])),
                level(Test::Swapped(text("given_name"), text("family_name"))),
                level(Test::Crossed(text("given_name"), text("family_name"))),
                level(Test::All(vec![jaro_winkler("family_name", 0.85), exact("given_name")])),
                level(Test::Levenshtein(text("family_name"), 1)),
                level(Test::All(vec![
                    Test::Levenshtein(text("family_name"), 2),
                    jaro_winkler("given_name", 0.8),
                ])),
            ],
        },
        ComparisonSpec {
            unless: vec![text("family_name"), text("birth_date")],
            ..comparison(
                "given_name",
                vec![
                    Test::Nickname(text("given_name")),
                    Test::Crossed(text("given_name"), text("family_name")),
                    jaro_winkler("given_name", 0.6),
                ],
            )
        },
        comparison(
            "birth_date",
            vec![
                exact("birth_date"),
                Test::DamerauLevenshtein(text("birth_date"), 1),
                Test::DayMonthSwapped(text("birth_date")),
                Test::DamerauLevenshtein(text("birth_date"), 2),
                Test::SameYear(text("birth_date")),
            ],
        ),
    ]
}

fn people() -> impl Strategy<Value = [Vec<Option<String>>; 3]> {
    let name = || prop::collection::vec(prop::option::weighted(0.9, "[abü]{1,6}|liz|betty|elizabeth|fritz|friedrich"), 24);
    let date = prop::collection::vec(prop::option::weighted(0.9, "19[89][01]-0[1-4]-0[1-4]|1990|Juli"), 24);
    (name(), name(), date).prop_map(|(given, family, date)| [given, family, date])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn levels_follow_their_definition_and_are_symmetric([given, family, date] in people()) {
        let records = owned(&[("given_name", &given), ("family_name", &family), ("birth_date", &date)]);
        // The same columns with others between them, so that a record takes two lines of codes.
        let others: Vec<String> = (0..20).map(|at| format!("other{at}")).collect();
        let mut wide: Vec<(&str, &[Option<String>])> = others.iter().map(|name| (name.as_str(), date.as_slice())).collect();
        wide.insert(3, ("given_name", &given));
        wide.insert(15, ("family_name", &family));
        wide.push(("birth_date", &date));
        let wide = owned(&wide);
        let comparisons = comparisons();
        let comparer = Comparer::new(&comparisons, &records);
        let comparer_wide = Comparer::new(&comparisons, &wide);
        let (mut scratch, mut scratch_wide) = (comparer.scratch(), comparer_wide.scratch());
        let (mut patterns, mut patterns_wide) = (Vec::new(), Vec::new());
        for left in 0..records.len() {
            let pairs: Vec<Candidate> = (0..records.len()).map(|right| records.candidate(RecordIx(left), RecordIx(right))).collect();
            comparer.patterns(&mut scratch, &pairs, &mut patterns);
            let pairs: Vec<Candidate> = (0..wide.len()).map(|right| wide.candidate(RecordIx(left), RecordIx(right))).collect();
            comparer_wide.patterns(&mut scratch_wide, &pairs, &mut patterns_wide);
            prop_assert_eq!(&patterns_wide, &patterns);
            for right in 0..records.len() {
                let pattern = patterns[right as usize];
                for (position, comparison) in comparisons.iter().enumerate() {
                    let expected = defined_level(comparison, &records, left, right);
                    prop_assert_eq!(pattern.level(position), expected, "{} of {} and {}", comparison.name, left, right);
                }
                if right % 7 == 0 {
                    prop_assert_eq!(comparer.pattern(RecordIx(left), RecordIx(right)), pattern);
                    prop_assert_eq!(comparer.pattern(RecordIx(right), RecordIx(left)), pattern);
                }
            }
        }
    }
}

#[test]
fn a_threshold_that_is_hit_exactly_holds() {
    let similarity = strsim::jaro_winkler("martha", "marhta");
    let records = records(&[("given_name", vec![Some("martha"), Some("marhta")])]);
    let at = |threshold: f64| {
        let spec = [comparison(
            "given_name",
            vec![Test::JaroWinkler("given_name".to_owned(), threshold)],
        )];
        Comparer::new(&spec, &records).pattern(RecordIx(0), RecordIx(1)).level(0)
    };
    assert_eq!(at(similarity), 2);
    assert_eq!(at(similarity.next_up()), 1);
}

#[test]
fn a_missing_value_is_the_null_level() {
    let records = records(&[("given_name", vec![Some("anna"), None, Some("anna")])]);
    let spec = [comparison("given_name", vec![exact("given_name")])];
    let comparer = Comparer::new(&spec, &records);
    assert_eq!(comparer.pattern(RecordIx(0), RecordIx(1)).level(0), 0);
    assert_eq!(comparer.pattern(RecordIx(1), RecordIx(1)).level(0), 0);
    assert_eq!(comparer.pattern(RecordIx(0), RecordIx(2)).level(0), 2);
}
