//! What a bug of ours prints: where it is, and not the value that met it. Rust quotes texts when a program cuts one in the wrong place.

use std::panic::PanicHookInfo;

/// From now on a panic tells its place and what comes before the first quote or colon of its message. With `RUST_BACKTRACE` it tells all, values
/// of people too: for whoever looks for the bug.
pub fn be_discreet() {
    if std::env::var_os("RUST_BACKTRACE").is_some_and(|value| value != "0") {
        return;
    }
    std::panic::set_hook(Box::new(|info| {
        eprintln!(
            "error: a bug of this program at {}: {}\n  hint: versions that are published stay as they are; please report the line above. RUST_BACKTRACE=1 tells more, maybe with values of people",
            place(info),
            head(&message(info))
        );
    }));
}

fn place(info: &PanicHookInfo<'_>) -> String {
    info.location()
        .map_or_else(String::new, |place| format!("{}:{}", place.file(), place.line()))
}

fn message(info: &PanicHookInfo<'_>) -> String {
    info.payload_as_str().unwrap_or_default().to_owned()
}

/// The message up to where it may begin to quote.
fn head(message: &str) -> &str {
    message.split(['`', '"', '\'', ':']).next().unwrap_or_default().trim_end()
}

#[cfg(test)]
mod tests {
    use super::head;

    #[test]
    fn a_text_that_was_cut_in_the_wrong_place_is_not_quoted() {
        let name = "Zwetschkn\u{e4}baum";
        let cut = std::panic::catch_unwind(|| name[..10].len()).expect_err("10 is inside a character");
        let message = cut.downcast_ref::<String>().expect("a formatted message");
        assert!(message.contains(name) && !head(message).is_empty(), "{message}");
        assert!(!head(message).contains("Zwetsch"), "{message}");
        assert_eq!(head("ids were assigned by enumerate"), "ids were assigned by enumerate");
    }
}
