//! Label values of closed sets. A value that is not in its set cannot be written.

/// A closed set of label values, each spelled once.
macro_rules! label_values {
    ($(#[$doc:meta])* $name:ident { $($(#[$value_doc:meta])* $value:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$value_doc])* $value,)*
        }

        impl $name {
            /// Every value, in the order of declaration.
            pub const ALL: &[Self] = &[$(Self::$value),*];

            /// The text in the label.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$value => $text,)*
                }
            }
        }
    };
}

label_values! {
    /// An HTTP method; callers can invent methods, so all unknown ones are one.
    Method {
        /// GET.
        Get = "GET",
        /// HEAD.
        Head = "HEAD",
        /// POST.
        Post = "POST",
        /// PUT.
        Put = "PUT",
        /// PATCH.
        Patch = "PATCH",
        /// DELETE.
        Delete = "DELETE",
        /// OPTIONS.
        Options = "OPTIONS",
        /// Anything else.
        Other = "other",
    }
}

impl From<&str> for Method {
    /// Methods are case-sensitive (RFC 9110): `get` is not GET.
    fn from(method: &str) -> Self {
        Self::ALL.iter().copied().find(|known| known.as_str() == method).unwrap_or(Self::Other)
    }
}

label_values! {
    /// What a process does.
    Role {
        /// Answers HTTP.
        Api = "api",
        /// Runs jobs.
        Worker = "worker",
        /// Talks Telegram.
        Bot = "bot",
        /// Every role in one process.
        All = "all",
    }
}

label_values! {
    /// How a sync ended.
    SyncOutcome {
        /// Everything was read.
        Completed = "completed",
        /// Some products or sides could not be read.
        Partial = "partial",
        /// Nothing could be read.
        Failed = "failed",
        /// There was nothing to do, or it was not allowed now.
        Skipped = "skipped",
        /// Stopped by a person.
        Cancelled = "cancelled",
    }
}

label_values! {
    /// What became of a product in a sync.
    ProductStatus {
        /// Stored.
        Success = "success",
        /// Left at its old figures.
        Failed = "failed",
    }
}

label_values! {
    /// How an attempt of a background task ended.
    TaskStatus {
        /// Done.
        Success = "success",
        /// Failed and queued again.
        Retried = "retried",
        /// Failed in a way that no repetition cures.
        Failed = "failed",
        /// Failed for the last time allowed.
        Dead = "dead",
    }
}

label_values! {
    /// What a marketplace answered.
    MarketplaceOutcome {
        /// A usable answer.
        Ok = "ok",
        /// Its limit was hit.
        RateLimited = "rate_limited",
        /// The credentials were refused.
        Auth = "auth",
        /// Unreachable, too slow, or a server error: worth another try.
        Transient = "transient",
        /// An answer that its published contract does not allow.
        ContractChanged = "contract_changed",
    }
}

label_values! {
    /// What a rate limit said of a request.
    LimitVerdict {
        /// There was room.
        Allowed = "allowed",
        /// There was none.
        Denied = "denied",
        /// There was none, and the limit only watches.
        ShadowDenied = "would_deny",
    }
}

label_values! {
    /// Who decided about a rate limit.
    LimitSource {
        /// The store that processes share.
        Store = "store",
        /// A refusal that still holds.
        DenyCache = "deny_cache",
        /// This process alone, since the store fails.
        Local = "local",
        /// Nobody: the limit is open while the store fails.
        Open = "open",
        /// Nobody: the limit is closed while the store fails.
        Closed = "closed",
    }
}

label_values! {
    /// What a statement does.
    DbOperation {
        /// Takes a connection and begins a transaction.
        Begin = "begin",
        /// Reads.
        Select = "select",
        /// Adds rows.
        Insert = "insert",
        /// Changes rows.
        Update = "update",
        /// Removes rows.
        Delete = "delete",
        /// Anything else.
        Other = "other",
    }
}

impl DbOperation {
    /// What a statement in SQL does, by its own verb, also where common table expressions (`WITH …`) go before it.
    pub fn of(sql: &str) -> Self {
        let mut depth = 0_u32;
        let mut words = sql.split_inclusive(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        words
            .find_map(|word| {
                let end = word.chars().next_back().filter(|c| !c.is_ascii_alphanumeric() && *c != '_');
                let verb = word.trim_end_matches(|c: char| !c.is_ascii_alphanumeric() && c != '_');
                let found = (depth == 0).then(|| Self::of_verb(verb)).flatten();
                match end {
                    Some('(') => depth += 1,
                    Some(')') => depth = depth.saturating_sub(1),
                    _ => {}
                }
                found
            })
            .unwrap_or(Self::Other)
    }

    fn of_verb(verb: &str) -> Option<Self> {
        let all = [Self::Begin, Self::Select, Self::Insert, Self::Update, Self::Delete];
        all.into_iter().find(|operation| verb.eq_ignore_ascii_case(operation.as_str()))
    }
}

/// The status code of an answer as a label: numbers outside 100..=599 are one value.
pub(crate) fn status_code(status: u16) -> String {
    if (100..600).contains(&status) { status.to_string() } else { "other".to_owned() }
}

/// The route template as a label; a request that met no route has none.
pub(crate) fn endpoint(template: Option<&str>) -> &str {
    template.unwrap_or("unmatched")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn known_methods_keep_their_name() {
        for method in Method::ALL {
            assert_eq!(Method::from(method.as_str()), *method);
        }
        assert_eq!(Method::from("get"), Method::Other);
        assert_eq!(Method::from("PROPFIND"), Method::Other);
    }

    #[test]
    fn a_statement_is_what_its_own_verb_says() {
        for (sql, operation) in [
            ("SELECT 1", DbOperation::Select),
            ("BEGIN", DbOperation::Begin),
            ("  insert INTO a (b) SELECT 1", DbOperation::Insert),
            ("UPDATE \"a\" SET b = (SELECT 1)", DbOperation::Update),
            ("WITH RECURSIVE a(b) AS (SELECT (1) UNION SELECT 2) UPDATE c SET d = 1", DbOperation::Update),
            ("WITH a AS (\n  SELECT 1)\nDELETE FROM b", DbOperation::Delete),
            ("SET LOCAL enable_nestloop = off", DbOperation::Other),
            ("", DbOperation::Other),
            (")))", DbOperation::Other),
        ] {
            assert_eq!(DbOperation::of(sql), operation, "{sql}");
        }
    }

    #[test]
    fn no_closing_label_is_the_end_of_another() {
        fn texts<T: Copy>(values: &[T], text: fn(T) -> &'static str) -> Vec<&'static str> {
            values.iter().copied().map(text).collect()
        }
        for set in [
            texts(SyncOutcome::ALL, SyncOutcome::as_str),
            texts(ProductStatus::ALL, ProductStatus::as_str),
            texts(TaskStatus::ALL, TaskStatus::as_str),
            texts(MarketplaceOutcome::ALL, MarketplaceOutcome::as_str),
            texts(LimitVerdict::ALL, LimitVerdict::as_str),
            texts(LimitSource::ALL, LimitSource::as_str),
        ] {
            for (one, other) in set.iter().flat_map(|one| set.iter().map(move |other| (one, other))) {
                assert!(one == other || !one.ends_with(other), "{one} ends with {other}");
            }
        }
    }

    proptest! {
        #[test]
        fn whatever_a_caller_sends_the_labels_stay_few(method in ".{0,12}", status: u16) {
            let label = Method::from(method.as_str()).as_str();
            prop_assert!(label == method || label == "other");
            prop_assert_eq!(status_code(status).parse::<u16>().is_ok(), (100..600).contains(&status));
        }
    }
}
