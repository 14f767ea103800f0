//! How a script is called.

use deadpool_redis::redis::Cmd;

use super::scripts::Source;
use crate::report::Counted;
use crate::{LimitKey, Plan};

/// One call of a script: keys and arguments, so that it can be sent again.
#[derive(Debug)]
pub(super) struct Call<'a> {
    source: &'a Source,
    keys: usize,
    /// Keys first, then arguments, one after the other, each ended by `ends`.
    bytes: Vec<u8>,
    ends: Vec<usize>,
    /// Where it says whether it may have run before.
    again_at: Option<usize>,
}

impl<'a> Call<'a> {
    fn new(source: &'a Source, prefix: &str, keys: impl ExactSizeIterator<Item = LimitKey>) -> Self {
        let count = keys.len();
        let length = prefix.len() + LimitKey::MAX_LENGTH;
        let mut call = Self {
            source,
            keys: count,
            bytes: Vec::with_capacity(count * (length + 28) + 16),
            ends: Vec::with_capacity(count * 5 + 2),
            again_at: None,
        };
        for key in keys {
            call.bytes.extend_from_slice(prefix.as_bytes());
            key.write(&mut call.bytes);
            call.ends.push(call.bytes.len());
        }
        call
    }

    /// About a plan: see `script/begin.lua` and `script/decide.lua`.
    pub(super) fn of_plan(source: &'a Source, prefix: &str, plan: &Plan, nonce: u64) -> Self {
        let mut call = Self::new(source, prefix, plan.asks().iter().map(|ask| ask.key));
        call.push(&nonce.to_le_bytes());
        call.again_at = Some(call.bytes.len());
        call.push(b"0");
        for ask in plan.asks() {
            let terms = ask.rule.terms();
            call.bytes.push(ask.rule.algorithm().letter());
            call.bytes.push(if ask.shadow { b'1' } else { b'0' });
            call.bytes.extend_from_slice(&ask.cost.to_le_bytes());
            call.bytes.extend_from_slice(&terms.capacity.to_le_bytes());
            call.push(&terms.span.to_le_bytes());
        }
        call
    }

    /// About what was counted: see `script/refund.lua`.
    pub(super) fn of_counted(source: &'a Source, prefix: &str, items: &[Counted], nonce: u64) -> Self {
        let mut call = Self::new(source, prefix, items.iter().map(|item| item.key));
        call.push(&nonce.to_le_bytes());
        for Counted { rule, cost, until, .. } in items {
            call.push(&[rule.algorithm().letter()]);
            for number in [rule.terms().span, (*cost).into(), *until] {
                call.push(number.to_string().as_bytes());
            }
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
            self.bytes[at] = b'1';
        }
    }

    fn push(&mut self, argument: &[u8]) {
        self.bytes.extend_from_slice(argument);
        self.ends.push(self.bytes.len());
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::scripts::Scripts;
    use super::*;
    use crate::{Keys, Policy, Subject};

    #[test]
    fn a_call_names_keys_and_then_an_argument_for_each() {
        let policy = Policy::builder("api", 5, Duration::from_mins(1)).build().unwrap();
        let mut plan = Plan::new();
        plan.ask(&policy, Keys::new([1; 16]).key(&policy, &Subject::new()).unwrap(), 2).unwrap();
        let scripts = Scripts::new();
        let mut call = scripts.admit("mine:", &plan, 0x4242_4242_4242_4242);
        call.may_have_run();
        assert_eq!(call.bytes[call.ends[0]..], *b"BBBBBBBB1l0\x02\0\0\0\x05\0\0\0\0\x87\x93\x03\0\0\0\0");
        let packed = call.by_hash().get_packed_command();
        assert!(packed.starts_with(b"*7\r\n$7\r\nEVALSHA\r\n$40\r\n"), "{packed:?}");
        let key = String::from_utf8(call.key().to_vec()).unwrap();
        assert!(key.starts_with("mine:rl1:{g0000000000000}:api:"), "{key}");
    }
}
