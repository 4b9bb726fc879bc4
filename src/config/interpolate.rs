//! `${VAR}` in the values of `pipeline.yaml`: replaced after parsing, inside single texts, so that a value can never become YAML.
//!
//! `${VAR}` must be set, `${VAR:-default}` takes the default if it is unset or empty, `${VAR:?message}` fails with that message if it is
//! unset or empty, `$${` is a literal `${`. Keys are never touched, and a replaced text is not looked at again.

use super::findings::{Findings, Path, Place};
use super::yaml::{Node, Value};

/// Answers the value of a variable.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Replaces the variables of every text in the tree; each variable without a value is a finding.
pub fn interpolate(node: &mut Node, environment: Environment<'_>, findings: &mut Findings) {
    walk(node, &Path::root(), environment, findings);
}

fn walk(node: &mut Node, path: &Path, environment: Environment<'_>, findings: &mut Findings) {
    match &mut node.value {
        Value::Text(text) if text.contains("${") => {
            node.value = match expand(text, environment) {
                Ok(text) => Value::Interpolated(text),
                Err(problems) => {
                    for problem in problems {
                        findings.at(node.place, problem.message, problem.hint);
                    }
                    findings.mark_broken(path.clone());
                    Value::Unresolved
                }
            };
        }
        Value::List(items) => {
            for (position, item) in items.iter_mut().enumerate() {
                walk(item, &path.then(position), environment, findings);
            }
        }
        Value::Map(entries) => {
            for entry in entries {
                if entry.key.contains("${") {
                    let hint = "variables are replaced in values only".to_owned();
                    findings.at(
                        entry.place,
                        format!("a variable cannot stand in the key `{}`", entry.key),
                        Some(hint),
                    );
                    findings.mark_broken(path.then(&entry.key));
                }
                walk(&mut entry.node, &path.then(&entry.key), environment, findings);
            }
        }
        _ => {}
    }
}

struct Problem {
    message: String,
    hint: Option<String>,
}

fn expand(text: &str, environment: Environment<'_>) -> Result<String, Vec<Problem>> {
    let (mut result, mut problems, mut rest) = (String::new(), Vec::new(), text);
    while let Some(start) = rest.find("${") {
        if rest[..start].ends_with('$') {
            result.push_str(&rest[..start - 1]);
            result.push_str("${");
            rest = &rest[start + 2..];
            continue;
        }
        result.push_str(&rest[..start]);
        let Some(length) = rest[start..].find('}') else {
            problems.push(Problem {
                message: "`${` without `}`".to_owned(),
                hint: Some("write `$${` for a literal `${`".to_owned()),
            });
            rest = "";
            break;
        };
        match variable(&rest[start + 2..start + length], environment) {
            Ok(value) => result.push_str(&value),
            Err(problem) => problems.push(problem),
        }
        rest = &rest[start + length + 1..];
    }
    result.push_str(rest);
    if problems.is_empty() { Ok(result) } else { Err(problems) }
}

fn variable(expression: &str, environment: Environment<'_>) -> Result<String, Problem> {
    let end = expression
        .find(|character: char| !character.is_ascii_alphanumeric() && character != '_')
        .unwrap_or(expression.len());
    let (name, suffix) = expression.split_at(end);
    let well_named = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    let value = environment(name);
    if !well_named {
        return Err(misspelled(expression));
    }
    if suffix.is_empty() {
        return value.ok_or_else(|| Problem {
            message: format!("the environment variable `{name}` is not set"),
            hint: Some(format!("set it, or give a default: `${{{name}:-default}}`")),
        });
    }
    let value = value.filter(|value| !value.is_empty());
    if let Some(default) = suffix.strip_prefix(":-") {
        return Ok(value.unwrap_or_else(|| default.to_owned()));
    }
    if let Some(message) = suffix.strip_prefix(":?") {
        let reason = if message.is_empty() { "it must be set" } else { message };
        return value.ok_or_else(|| Problem {
            message: format!("the environment variable `{name}` is not set: {reason}"),
            hint: None,
        });
    }
    Err(misspelled(expression))
}

fn misspelled(expression: &str) -> Problem {
    Problem {
        message: format!("`${{{expression}}}` is not understood"),
        hint: Some("write `${NAME}`, `${NAME:-default}` or `${NAME:?message}`; `$${` for a literal `${`".to_owned()),
    }
}

/// What a replaced text stands for where a number or boolean is wanted.
#[must_use]
pub fn as_scalar(text: &str, place: Place) -> Node {
    let text = text.trim();
    let value = if let Ok(value) = text.parse::<bool>() {
        Value::Boolean(value)
    } else if let Ok(value) = text.parse::<i64>() {
        Value::Integer(value)
    } else if let Some(value) = text.parse::<f64>().ok().filter(|value| value.is_finite()) {
        Value::Float(value)
    } else {
        Value::Text(text.to_owned())
    };
    Node { place, value }
}
