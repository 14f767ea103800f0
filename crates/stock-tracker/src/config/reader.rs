//! Reading typed values, remembering every problem and what became effective.

use std::{collections::BTreeMap, fmt};

use secrecy::SecretString;

use super::{
    environment::{Environment, Source},
    variables::{self, Unset, Variable},
};

/// Something wrong with the configuration, in words that never repeat a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    /// The variable, or the file.
    pub(crate) name: String,
    /// What is wrong, to follow the name.
    pub(crate) reason: String,
}

impl Problem {
    pub(crate) fn new(name: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { name: name.into(), reason: reason.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.reason)
    }
}

/// A variable as it took effect, ready to be printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Effective {
    pub(crate) variable: &'static str,
    pub(crate) value: String,
    pub(crate) source: Source,
    pub(crate) about: &'static str,
}

/// Gives out values and collects problems. A value with a problem is replaced by its default, so that the rest can
/// be read too; nobody may use the result while there are problems.
pub(super) struct Reader<'a> {
    environment: &'a Environment,
    problems: Vec<Problem>,
    shown: BTreeMap<&'static str, String>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(environment: &'a Environment) -> Self {
        let problems = environment.problems().to_vec();
        Self { environment, problems, shown: BTreeMap::new() }
    }

    /// The text of a variable, if somebody or the command has set it.
    pub(super) fn text(&self, variable: &Variable) -> Option<&'a str> {
        self.environment.get(variable.name).map(|(value, _)| value)
    }

    /// The value of a variable, if it is set and `parse` takes it. `expected` follows "is not".
    pub(super) fn optional<T>(
        &mut self,
        variable: &Variable,
        expected: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let text = self.text(variable)?;
        let value = parse(text);
        if value.is_none() {
            let reason = if variable.secret {
                format!("is not {expected}")
            } else {
                format!("is not {expected}: `{text}`")
            };
            self.refuse(variable, reason);
        }
        value
    }

    /// The value of a variable whose default is a text.
    pub(super) fn value<T>(
        &mut self,
        variable: &Variable,
        expected: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> T {
        self.optional(variable, expected, &parse).unwrap_or_else(|| {
            let Unset::Text(text) = variable.default else {
                panic!("{} has no plain default", variable.name)
            };
            parse(text).unwrap_or_else(|| panic!("the default of {} is not {expected}", variable.name))
        })
    }

    /// A switch.
    pub(super) fn switch(&mut self, variable: &Variable) -> bool {
        self.value(variable, SWITCH, switch)
    }

    /// A switch whose default depends on something.
    pub(super) fn switch_or(&mut self, variable: &'static Variable, usual: bool) -> bool {
        let on = self.optional(variable, SWITCH, switch).unwrap_or(usual);
        self.show(variable, &on);
        on
    }

    /// A whole number within bounds.
    pub(super) fn number(&mut self, variable: &Variable, least: u32, most: u32) -> u32 {
        self.value(variable, &format!("a whole number from {least} to {most}"), |text| {
            text.parse().ok().filter(|number| (least..=most).contains(number))
        })
    }

    /// A comma-separated list; `None` where unset. Items that `parse` refuses are problems of their own.
    pub(super) fn list<T>(
        &mut self,
        variable: &Variable,
        mut parse: impl FnMut(&str) -> Result<T, String>,
    ) -> Option<Vec<T>> {
        let mut items = Vec::new();
        for item in self.text(variable)?.split(',').map(str::trim).filter(|item| !item.is_empty()) {
            match parse(item) {
                Ok(item) => items.push(item),
                Err(reason) => self.refuse(variable, reason),
            }
        }
        Some(items)
    }

    /// A secret of at least `least` characters, if set.
    pub(super) fn secret(&mut self, variable: &Variable, least: usize) -> Option<SecretString> {
        let text = self.text(variable)?;
        if text.chars().count() < least {
            self.refuse(variable, format!("has fewer than {least} characters"));
        }
        Some(text.into())
    }

    /// Remembers a problem.
    pub(super) fn refuse(&mut self, variable: &Variable, reason: impl Into<String>) {
        self.problems.push(Problem::new(variable.name, reason));
    }

    /// What to print for a variable instead of its text or its default's rule.
    pub(super) fn show(&mut self, variable: &'static Variable, value: &impl ToString) {
        self.shown.insert(variable.name, value.to_string());
    }

    /// Whether it is settled what to print for a variable.
    pub(super) fn is_shown(&self, variable: &Variable) -> bool {
        self.shown.contains_key(variable.name)
    }

    /// Every problem, and every variable as it took effect.
    pub(super) fn finish(mut self) -> (Vec<Problem>, Vec<Effective>) {
        let effective = variables::ALL.iter().map(|variable| self.effective(variable)).collect();
        self.problems.dedup();
        (self.problems, effective)
    }

    fn effective(&self, variable: &'static Variable) -> Effective {
        let given = self.environment.get(variable.name);
        let value = match (self.shown.get(variable.name), given, variable.default) {
            (Some(shown), ..) => shown.clone(),
            (None, Some(_), _) if variable.secret => "set".to_owned(),
            (None, Some((text, _)), _) | (None, None, Unset::Text(text)) => text.to_owned(),
            (None, None, Unset::Rule(rule)) => format!("({rule})"),
        };
        let source = given.map_or(Source::Default, |(_, source)| source);
        Effective { variable: variable.name, value, source, about: variable.about }
    }
}

const SWITCH: &str = "`true` or `false`";

fn switch(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Some(true),
        "false" | "0" | "no" | "off" => Some(false),
        _ => None,
    }
}
