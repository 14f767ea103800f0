//! The scripts, and how they are called.

use deadpool_redis::redis::{Cmd, Script};

use crate::report::Counted;
use crate::{Algorithm, LimitKey, Plan};

/// A script that Redis may or may not know yet.
#[derive(Debug)]
pub(super) struct Source {
    text: &'static str,
    hash: String,
}

impl Source {
    fn new(text: &'static str) -> Self {
        Self { text, hash: Script::new(text).get_hash().to_owned() }
    }
}

/// All scripts of the store.
#[derive(Debug)]
pub(super) struct Scripts {
    admit: Source,
    peek: Source,
    refund: Source,
}

/// One call of a script: keys and arguments, so that it can be sent again.
#[derive(Debug)]
pub(super) struct Call<'a> {
    source: &'a Source,
    keys: usize,
    /// Keys first, one after the other, each ended by `ends`.
    bytes: Vec<u8>,
    ends: Vec<usize>,
    /// Where it says whether it may have run before.
    again_at: Option<usize>,
}

impl Scripts {
    pub(super) fn new() -> Self {
        Self {
            admit: Source::new(concat!(include_str!("read.lua"), include_str!("admit.lua"))),
            peek: Source::new(concat!(include_str!("read.lua"), include_str!("peek.lua"))),
            refund: Source::new(include_str!("refund.lua")),
        }
    }

    pub(super) fn admit(&self, prefix: &str, plan: &Plan, nonce: u64) -> Call<'_> {
        Call::of_plan(&self.admit, prefix, plan, nonce)
    }

    pub(super) fn peek(&self, prefix: &str, plan: &Plan) -> Call<'_> {
        Call::of_plan(&self.peek, prefix, plan, 0)
    }

    pub(super) fn refund(&self, prefix: &str, items: &[Counted], nonce: u64) -> Call<'_> {
        let mut call = Call::new(&self.refund, prefix, items.iter().map(|item| item.key));
        call.push(&nonce.to_le_bytes());
        for Counted { rule, cost, until, .. } in items {
            call.push(letter(rule.algorithm()));
            call.push_number(rule.terms().span);
            call.push_number((*cost).into());
            call.push_number(*until);
        }
        call
    }
}

impl<'a> Call<'a> {
    fn new(source: &'a Source, prefix: &str, keys: impl ExactSizeIterator<Item = LimitKey>) -> Self {
        let count = keys.len();
        let length = prefix.len() + LimitKey::MAX_LENGTH;
        let mut call = Self {
            source,
            keys: count,
            bytes: Vec::with_capacity(count * (length + 24) + 16),
            ends: Vec::with_capacity(count * 6 + 2),
            again_at: None,
        };
        for key in keys {
            call.bytes.extend_from_slice(prefix.as_bytes());
            key.write(&mut call.bytes);
            call.ends.push(call.bytes.len());
        }
        call
    }

    fn of_plan(source: &'a Source, prefix: &str, plan: &Plan, nonce: u64) -> Self {
        let mut call = Self::new(source, prefix, plan.asks().iter().map(|ask| ask.key));
        call.push(&nonce.to_le_bytes());
        call.again_at = Some(call.bytes.len());
        call.push(flag(false));
        for ask in plan.asks() {
            let terms = ask.rule.terms();
            call.push(letter(ask.rule.algorithm()));
            call.push_number(terms.capacity.into());
            call.push_number(terms.span);
            call.push_number(ask.cost.into());
            call.push(flag(ask.shadow));
        }
        call
    }

    /// The first of its keys, which all live in one slot.
    pub(super) fn key(&self) -> &[u8] {
        self.ends.first().map_or(&[], |&end| &self.bytes[..end])
    }

    /// Lets an admission look whether it ran before.
    pub(super) fn may_have_run(&mut self) {
        if let Some(at) = self.again_at {
            self.bytes[at] = flag(true)[0];
        }
    }

    fn push(&mut self, argument: &[u8]) {
        self.bytes.extend_from_slice(argument);
        self.ends.push(self.bytes.len());
    }

    fn push_number(&mut self, number: u64) {
        let mut digits = [0; 20];
        let mut at = digits.len();
        let mut left = number;
        loop {
            at -= 1;
            digits[at] = b'0' + (left % 10) as u8;
            left /= 10;
            if left == 0 {
                break;
            }
        }
        self.push(&digits[at..]);
    }

    /// Calls a script that Redis knows.
    pub(super) fn by_hash(&self) -> Cmd {
        self.command("EVALSHA", self.source.hash.as_bytes())
    }

    /// Sends the script along; Redis knows it from then on.
    pub(super) fn with_text(&self) -> Cmd {
        self.command("EVAL", self.source.text.as_bytes())
    }

    fn command(&self, name: &str, script: &[u8]) -> Cmd {
        let mut command = Cmd::with_capacity(self.ends.len() + 3, self.bytes.len() + script.len() + 16);
        command.arg(name).arg(script).arg(self.keys);
        let mut from = 0;
        for &end in &self.ends {
            command.arg(&self.bytes[from..end]);
            from = end;
        }
        command
    }
}

fn letter(algorithm: Algorithm) -> &'static [u8] {
    match algorithm {
        Algorithm::SlidingLog => b"l",
        Algorithm::CompactLog => b"c",
        Algorithm::Gcra { .. } => b"g",
        Algorithm::FixedWindow => b"f",
    }
}

fn flag(set: bool) -> &'static [u8] {
    if set { b"1" } else { b"0" }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{Keys, Policy, Subject};

    #[test]
    fn a_call_names_keys_and_then_five_arguments_for_each() {
        let policy = Policy::builder("api", 5, Duration::from_mins(1)).build().unwrap();
        let mut plan = Plan::new();
        plan.ask(&policy, Keys::new([1; 16]).key(&policy, &Subject::new()).unwrap(), 2).unwrap();
        let scripts = Scripts::new();
        let mut call = scripts.admit("mine:", &plan, 0x4242_4242_4242_4242);
        call.may_have_run();
        let packed = call.by_hash().get_packed_command();
        let text = String::from_utf8(packed).unwrap();
        let words: Vec<_> = text.split("\r\n").filter(|word| !word.starts_with(['$', '*'])).collect();
        assert_eq!(words[0], "EVALSHA");
        assert_eq!(words[2], "1");
        assert!(words[3].starts_with("mine:rl1:{g0000000000000}:api:"), "{}", words[3]);
        assert_eq!(words[4..], ["BBBBBBBB", "1", "l", "5", "60000000", "2", "0", ""]);
    }

    #[test]
    fn numbers_are_written_whole() {
        let scripts = Scripts::new();
        let mut call = Call::new(&scripts.admit, "", std::iter::empty());
        for number in [0, 7, 10, u64::MAX] {
            call.push_number(number);
        }
        assert_eq!(call.bytes, b"071018446744073709551615");
    }
}
