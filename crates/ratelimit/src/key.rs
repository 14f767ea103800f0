//! Keys under which requests count: keyed hashes, never what a client sent.
//!
//! Whoever reads a key, in Redis or in a log, learns the policy's name and nothing of the client, and no client can
//! choose a key: the hash needs the secret.

use std::fmt;
use std::hash::Hasher;
use std::time::Duration;

use siphasher::sip128::{Hasher128, SipHasher24};

use crate::{Dim, MissingDim, Policy, PolicyName, Rule, Subject};

/// Makes keys out of what is known of a request. All processes that share a store need the same secret.
#[derive(Clone)]
pub struct Keys {
    secret: [u8; 16],
}

impl Keys {
    /// Hashes with this secret, SipHash-2-4 with 128 bits of output.
    pub fn new(secret: [u8; 16]) -> Self {
        Self { secret }
    }

    /// The key under which a request counts for a policy.
    pub fn key(&self, policy: &Policy, subject: &Subject<'_>) -> Result<LimitKey, MissingDim> {
        self.key_by(policy, policy.rule(), subject)
    }

    /// The same for another rule than the policy's own.
    pub fn key_by(&self, policy: &Policy, rule: Rule, subject: &Subject<'_>) -> Result<LimitKey, MissingDim> {
        let known = |dim| match subject.get(dim) {
            Ok(value) => Ok((dim, value)),
            Err(_) if policy.counts_unknown_by_address() => Ok((Dim::Ip, subject.get(Dim::Ip)?)),
            Err(missing) => Err(missing),
        };
        let dims = policy.scope().dims();
        let mut hash = Framed::new(&self.secret);
        let policy = policy.name();
        hash.field(policy.as_str().as_bytes());
        // What one algorithm stored means nothing to another, and what counts no more in a short window still does in
        // a long one.
        let counted = Counted { algorithm: rule.algorithm().letter(), window: rule.window() };
        hash.field(&[counted.algorithm]);
        hash.field(&counted.window.as_micros().to_le_bytes());
        for &dim in dims {
            let (dim, value) = known(dim)?;
            hash.dim(dim, value);
        }
        let tag = match dims.first() {
            Some(&dim) => {
                let (dim, value) = known(dim)?;
                let mut tag = Framed::new(&self.secret);
                tag.dim(dim, value);
                Tag { letter: dim.letter(), hash: tag.finish().0 }
            }
            None => Tag { letter: b'g', hash: 0 },
        };
        let (low, high) = hash.finish();
        Ok(LimitKey { policy, tag, hash: u128::from(high) << 64 | u128::from(low), counted })
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Keys(..)")
    }
}

/// A hash of fields that keeps their borders: ("ab", "c") is not ("a", "bc").
struct Framed(SipHasher24);

impl Framed {
    fn new(secret: &[u8; 16]) -> Self {
        Self(SipHasher24::new_with_key(secret))
    }

    fn field(&mut self, bytes: &[u8]) {
        self.0.write(&(bytes.len() as u64).to_le_bytes());
        self.0.write(bytes);
    }

    fn dim(&mut self, dim: Dim, value: &[u8]) {
        self.field(&[dim.code()]);
        if let Dim::Custom(name) = dim {
            self.field(name.as_bytes());
        }
        self.field(value);
    }

    fn finish(&self) -> (u64, u64) {
        let hash = self.0.finish128();
        (hash.h1, hash.h2)
    }
}

/// What decides the slot of a key on Redis Cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Tag {
    letter: u8,
    hash: u64,
}

impl Tag {
    /// Whether it is that of keys that all requests share.
    pub(crate) fn is_global(self) -> bool {
        self.letter == b'g'
    }
}

/// By what rules a key is counted: all of one algorithm and window, whatever their limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Counted {
    algorithm: u8,
    window: Duration,
}

/// Under what a request counts for one policy.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct LimitKey {
    policy: PolicyName,
    tag: Tag,
    hash: u128,
    counted: Counted,
}

impl LimitKey {
    /// The longest key, in bytes, without a prefix.
    pub const MAX_LENGTH: usize = "rl1:{t}::".len() + TAG_DIGITS + PolicyName::MAX_LENGTH + HASH_DIGITS;

    /// A key of no policy, in the slot of those that all requests share: for trying whether writes are taken.
    pub(crate) const PROBE: &str = "rl1:{g0000000000000}:probe";

    /// The window of the rules it is counted by.
    pub(crate) fn window(&self) -> Duration {
        self.counted.window
    }

    /// Whether it is counted by rules like this one.
    pub(crate) fn is_of(&self, rule: Rule) -> bool {
        self.counted == Counted { algorithm: rule.algorithm().letter(), window: rule.window() }
    }

    /// The policy it is a key of.
    pub fn policy(&self) -> PolicyName {
        self.policy
    }

    pub(crate) fn hash(&self) -> u128 {
        self.hash
    }

    pub(crate) fn tag(&self) -> Tag {
        self.tag
    }

    /// Appends the key as Redis knows it: `rl1:{tag}:policy:hash`.
    pub(crate) fn write(&self, text: &mut Vec<u8>) {
        text.extend_from_slice(b"rl1:{");
        text.push(self.tag.letter);
        write_digits(self.tag.hash.into(), TAG_DIGITS, text);
        text.extend_from_slice(b"}:");
        text.extend_from_slice(self.policy.as_str().as_bytes());
        text.push(b':');
        write_digits(self.hash, HASH_DIGITS, text);
    }
}

impl fmt::Display for LimitKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = Vec::with_capacity(Self::MAX_LENGTH);
        self.write(&mut text);
        formatter.write_str(&String::from_utf8_lossy(&text))
    }
}

impl fmt::Debug for LimitKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "LimitKey({self})")
    }
}

/// 64 bits in digits of 5.
const TAG_DIGITS: usize = 13;
/// 128 bits in digits of 5.
const HASH_DIGITS: usize = 26;

fn write_digits(number: u128, digits: usize, text: &mut Vec<u8>) {
    const DIGITS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
    for place in (0..digits).rev() {
        text.push(DIGITS[(number >> (5 * place)) as usize & 31]);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Algorithm;

    fn policy(name: &str, dims: &[Dim]) -> Policy {
        Policy::builder(name, 10, Duration::from_mins(1)).scope(dims.iter().copied()).build().unwrap()
    }

    fn keys() -> Keys {
        Keys::new([7; 16])
    }

    #[test]
    fn a_key_shows_the_policy_and_its_slot_and_never_changes() {
        let key =
            keys().key(&policy("api", &[Dim::Tenant]), &Subject::new().with(Dim::Tenant, "acme")).unwrap();
        assert_eq!(key.to_string(), "rl1:{t9ae4630m2c0c3}:api:76xaq4m2w8ps5e9phnkenfkpbj");
    }

    #[test]
    fn policies_that_share_their_first_dimension_share_a_slot() {
        let subject = Subject::new().with(Dim::Tenant, "acme").with(Dim::User, "1").with(Dim::Ip, "::1");
        let key = |dims: &[Dim]| keys().key(&policy("p", dims), &subject).unwrap();
        let tenant = key(&[Dim::Tenant]);
        let user = key(&[Dim::User, Dim::Tenant]);
        assert_eq!(tenant.tag(), user.tag());
        assert_ne!(tenant, user);
        assert_ne!(tenant.tag(), key(&[Dim::Ip]).tag());
        assert!(key(&[]).to_string().starts_with("rl1:{g0000000000000}:p:"));
    }

    #[test]
    fn another_secret_policy_algorithm_window_or_dimension_is_another_key() {
        let subject = Subject::new().with(Dim::User, "1").with(Dim::Ip, "1").with(Dim::Custom("a"), "1");
        let key = keys().key(&policy("p", &[Dim::User]), &subject).unwrap();
        let other_secret = Keys::new([8; 16]).key(&policy("p", &[Dim::User]), &subject).unwrap();
        let gcra = Policy::builder("p", 10, Duration::from_mins(1))
            .scope([Dim::User])
            .algorithm(Algorithm::Gcra { burst: 1 })
            .build()
            .unwrap();
        let longer = Policy::builder("p", 10, Duration::from_hours(1)).scope([Dim::User]).build().unwrap();
        let mut all = vec![key, other_secret];
        all.extend([gcra, longer].map(|policy| keys().key(&policy, &subject).unwrap()));
        for other in [policy("q", &[Dim::User]), policy("p", &[Dim::Ip]), policy("p", &[Dim::Custom("a")])] {
            all.push(keys().key(&other, &subject).unwrap());
        }
        let different: std::collections::HashSet<u128> = all.iter().map(LimitKey::hash).collect();
        assert_eq!(different.len(), all.len());
    }

    #[test]
    fn what_is_not_known_is_named() {
        let missing = keys().key(&policy("p", &[Dim::ApiKey]), &Subject::new()).unwrap_err();
        assert_eq!(missing.to_string(), "the request has no api key to count by");
    }

    proptest! {
        #[test]
        fn whatever_a_client_sends_keys_stay_plain_short_and_apart(
            one in prop::collection::vec(any::<u8>(), 0..200),
            other in prop::collection::vec(any::<u8>(), 0..200),
            cut in 0_usize..200,
        ) {
            let policy = policy("p", &[Dim::User, Dim::Custom("x")]);
            let key = |user: &[u8], x: &[u8]| {
                keys().key(&policy, &Subject::new().with(Dim::User, user).with(Dim::Custom("x"), x)).unwrap()
            };
            let text = key(&one, &other).to_string();
            prop_assert!(text.len() <= LimitKey::MAX_LENGTH);
            let plain = |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b':' | b'{' | b'}');
            prop_assert!(text.bytes().all(plain), "{}", text);
            prop_assert_eq!(text.matches('{').count() + text.matches('}').count(), 2);
            if one != other {
                prop_assert_ne!(key(&one, &other), key(&other, &one));
            }
            // The same bytes with another border between them.
            let (head, tail) = one.split_at(cut.min(one.len()));
            if !tail.is_empty() {
                prop_assert_ne!(key(&one, b""), key(head, tail));
            }
        }
    }
}
