//! `tests/faults.md` names tests that are there.

use std::path::Path;

use regex::Regex;

/// The file of a module like `cli::codes`, and the name of the test in it.
fn parts(test: &str) -> (String, &str) {
    let (module, name) = test.rsplit_once("::").unwrap_or_else(|| panic!("`{test}` names no module"));
    (module.replace("::", "/"), name)
}

#[test]
fn every_test_that_the_fault_matrix_names_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let table = std::fs::read_to_string(root.join("tests/faults.md")).expect("the table");
    let cell = Regex::new(r"`([a-z_0-9]+(?:::[a-z_0-9]+)+)`").expect("a pattern");
    let mut missing = Vec::new();
    let mut count = 0;
    for found in cell.captures_iter(&table) {
        count += 1;
        let (module, name) = parts(&found[1]);
        let sources = ["tests/it", "src"].map(|folder| {
            [format!("{folder}/{module}.rs"), format!("{folder}/{module}/mod.rs")]
                .iter()
                .find_map(|file| std::fs::read_to_string(root.join(file)).ok())
        });
        // A function, one that a macro makes of a list, or all tests of a module.
        let is_there = |source: &String| {
            [format!("fn {name}("), format!("{name}: "), format!("mod {name} {{")]
                .iter()
                .any(|text| source.contains(text))
        };
        let is_module = || root.join(format!("tests/it/{module}/{name}.rs")).is_file();
        if !sources.iter().flatten().any(is_there) && !is_module() {
            missing.push(found[1].to_owned());
        }
    }
    assert!(missing.is_empty(), "tests/faults.md names tests that are not there: {missing:#?}");
    assert!(count >= 30, "only {count} tests stand in the table");
    for script in Regex::new(r"`(\.ci/[a-z0-9_]+\.py)`").expect("a pattern").captures_iter(&table) {
        assert!(root.join(&script[1]).is_file(), "{} is not there", &script[1]);
    }
}
