//! Masks values of people, so that a plan or an explanation can be shown to anyone: enough to recognize a value, not enough to learn it.

/// `a***@g***.de`, `M***r`, `+49***34`; one or two characters become `*`.
#[must_use]
pub fn mask(value: &str) -> String {
    if let Some((local, domain)) = value.split_once('@') {
        let (name, tail) = domain.split_once('.').map_or((domain, ""), |(name, tail)| (name, tail));
        let dot = if tail.is_empty() { "" } else { "." };
        return format!("{}@{}{dot}{tail}", head(local), head(name));
    }
    let characters: Vec<char> = value.chars().collect();
    match characters.as_slice() {
        [] => String::new(),
        [_] | [_, _] => "*".repeat(characters.len()),
        [first @ '+', a, b, .., y, z] if characters.len() > 6 => format!("{first}{a}{b}***{y}{z}"),
        [first, .., last] => format!("{first}***{last}"),
    }
}

/// A record id. Sources that know people by nothing else use their address or number as one: those are masked like any; others are not.
#[must_use]
pub fn mask_id(id: &str) -> String {
    if is_personal(id) { mask(id) } else { id.to_owned() }
}

/// Whether a record id is an address or a number of a person.
#[must_use]
pub fn is_personal(id: &str) -> bool {
    id.contains('@') || id.starts_with('+')
}

fn head(text: &str) -> String {
    text.chars().next().map_or_else(String::new, |first| format!("{first}***"))
}

#[cfg(test)]
mod tests {
    use super::mask;

    #[test]
    fn a_masked_value_shows_its_shape_and_not_its_content() {
        assert_eq!(mask("anna.schmidt@gmx.de"), "a***@g***.de");
        assert_eq!(mask("Müller"), "M***r");
        assert_eq!(mask("+4917112345678"), "+49***78");
        assert_eq!(mask("Al"), "**");
        assert_eq!(mask(""), "");
        assert_eq!(mask("1980-05-17"), "1***7");
    }
}
