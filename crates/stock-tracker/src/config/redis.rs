//! Which Redis, if any.

use std::fmt;

use percent_encoding::percent_decode_str;
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use super::{reader::Reader, variables::REDIS_URL};

/// The URL of one Redis, of the sentinels that know it, or of the nodes of a cluster. Shown without its password.
#[derive(Debug, Clone)]
pub(crate) struct RedisUrl {
    pub(crate) kind: RedisKind,
    /// `redis://user:password@host:port/db` of each server that is named.
    servers: Vec<SecretString>,
    /// Who logs in where sentinels lead to: user, password, database.
    login: Login,
    shown: String,
}

/// What the servers of a URL are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RedisKind {
    /// The Redis itself.
    Single,
    /// Sentinels, which know where the master of this name is.
    Sentinel { master: String },
    /// Nodes of a cluster.
    Cluster,
}

/// Who logs in.
#[derive(Debug, Clone, Default)]
pub(crate) struct Login {
    pub(crate) user: Option<String>,
    pub(crate) password: Option<SecretString>,
    pub(crate) database: Option<i64>,
    pub(crate) tls: bool,
}

impl RedisUrl {
    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        match Self::parse(reader.text(&REDIS_URL)?) {
            Ok(url) => {
                reader.show(&REDIS_URL, &url);
                Some(url)
            }
            // The text may hold a password: it is not repeated.
            Err(reason) => {
                reader.show(&REDIS_URL, &"(refused, not shown)");
                reader.refuse(&REDIS_URL, reason);
                None
            }
        }
    }

    fn parse(text: &str) -> Result<Self, &'static str> {
        let (scheme, rest) = text.split_once("://").ok_or(SCHEMES)?;
        if rest.contains(['?', '#']) {
            return Err("has `?` or `#`: write those of a password as %3F and %23");
        }
        let (kind, tls) = match scheme {
            "redis" => (RedisKind::Single, false),
            "rediss" => (RedisKind::Single, true),
            "redis+sentinel" => (RedisKind::Sentinel { master: String::new() }, false),
            "rediss+sentinel" => (RedisKind::Sentinel { master: String::new() }, true),
            "redis+cluster" => (RedisKind::Cluster, false),
            "rediss+cluster" => (RedisKind::Cluster, true),
            _ => return Err(SCHEMES),
        };
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (credentials, hosts) =
            authority.rsplit_once('@').map_or((None, authority), |(c, h)| (Some(c), h));
        if credentials.is_some_and(|text| text.contains(['@', ','])) || path.contains('@') {
            return Err(
                "has `@` or `,` in a user or a password: write them as %40 and %2C, and a slash as %2F",
            );
        }
        let (user, password) = credentials.map_or(Ok((None, None)), decoded)?;
        let (master, database) = match kind {
            RedisKind::Sentinel { .. } => path.split_once('/').unwrap_or((path, "")),
            _ => ("", path),
        };
        let database = if database.is_empty() {
            None
        } else {
            Some(
                database
                    .parse()
                    .ok()
                    .filter(|number| *number >= 0)
                    .ok_or("must end with the number of a database")?,
            )
        };
        let kind = match kind {
            RedisKind::Sentinel { .. } if master.is_empty() => {
                return Err("must name the master: redis+sentinel://host:26379,host:26379/name");
            }
            RedisKind::Sentinel { .. } => RedisKind::Sentinel { master: master.to_owned() },
            RedisKind::Cluster if database.is_some_and(|number| number != 0) => {
                return Err("names a database, which a cluster does not have");
            }
            kind => kind,
        };
        let names: Vec<&str> = hosts.split(',').collect();
        if kind == RedisKind::Single && names.len() > 1 {
            return Err("names several servers: begin with `redis+cluster://` or `redis+sentinel://`");
        }
        let plain = if tls { "rediss" } else { "redis" };
        let mut servers = Vec::new();
        for name in names {
            let mut url = Url::parse(&format!("{plain}://{name}")).map_err(|_| HOSTS)?;
            if url.host_str().is_none_or(str::is_empty) || !url.path().is_empty() || url.query().is_some() {
                return Err(HOSTS);
            }
            // Sentinels have users of their own, which nobody gave here.
            if !matches!(kind, RedisKind::Sentinel { .. }) {
                let set = url
                    .set_username(user.as_deref().unwrap_or_default())
                    .and_then(|()| url.set_password(password.as_deref()));
                set.map_err(|()| HOSTS)?;
                if let Some(database) = database {
                    url.set_path(&format!("/{database}"));
                }
            }
            servers.push(url.to_string().into());
        }
        let hidden = match (&user, &password) {
            (None, None) => String::new(),
            (user, Some(_)) => format!("{}:***@", user.as_deref().unwrap_or_default()),
            // Easily a password whose colon was forgotten.
            (Some(_), None) => "***@".to_owned(),
        };
        let path = if path.is_empty() { String::new() } else { format!("/{path}") };
        let shown = format!("{scheme}://{hidden}{hosts}{path}");
        let login = Login { user, password: password.map(Into::into), database, tls };
        Ok(Self { kind, servers, login, shown })
    }

    /// The URL of each server that is named, with its password.
    pub(crate) fn servers(&self) -> Vec<String> {
        self.servers.iter().map(|server| server.expose_secret().to_owned()).collect()
    }

    /// Who logs in to the Redis that sentinels lead to.
    pub(crate) fn login(&self) -> &Login {
        &self.login
    }
}

impl fmt::Display for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

const SCHEMES: &str =
    "must begin with `redis://`, `redis+sentinel://` or `redis+cluster://`, each with TLS as `rediss`";
const HOSTS: &str =
    "must name its servers: redis://user:password@host:port/0, or host:port,host:port of several";

fn decoded(credentials: &str) -> Result<(Option<String>, Option<String>), &'static str> {
    let decode = |text: &str| {
        let text = percent_decode_str(text)
            .decode_utf8()
            .map_err(|_| "has a user or a password that is not UTF-8")?;
        Ok::<_, &'static str>(Some(text.into_owned()).filter(|text| !text.is_empty()))
    };
    match credentials.split_once(':') {
        Some((user, password)) => Ok((decode(user)?, decode(password)?)),
        None => Ok((decode(credentials)?, None)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> RedisUrl {
        RedisUrl::parse(text).unwrap_or_else(|reason| panic!("{text} {reason}"))
    }

    #[test]
    fn one_server_sentinels_and_clusters() {
        let one = parsed("redis://app:p%40ss@cache.internal:6380/2");
        assert_eq!(
            (one.kind.clone(), one.servers()),
            (RedisKind::Single, vec!["redis://app:p%40ss@cache.internal:6380/2".into()])
        );
        assert_eq!(one.to_string(), "redis://app:***@cache.internal:6380/2");
        assert_eq!(parsed("rediss://:secret@h").servers(), ["rediss://:secret@h"]);

        let cluster = parsed("redis+cluster://:secret@a:1,b:2,c:3");
        assert_eq!(cluster.kind, RedisKind::Cluster);
        assert_eq!(cluster.servers(), ["redis://:secret@a:1", "redis://:secret@b:2", "redis://:secret@c:3"]);
        assert_eq!(cluster.to_string(), "redis+cluster://:***@a:1,b:2,c:3");

        let sentinels = parsed("redis+sentinel://app:secret@a:26379,b:26379/limits/1");
        assert_eq!(sentinels.kind, RedisKind::Sentinel { master: "limits".into() });
        assert_eq!(sentinels.servers(), ["redis://a:26379", "redis://b:26379"]);
        assert_eq!(sentinels.login().user.as_deref(), Some("app"));
        assert_eq!(
            sentinels.login().password.as_ref().map(|p| p.expose_secret().to_owned()).as_deref(),
            Some("secret")
        );
        assert_eq!(sentinels.login().database, Some(1));
        assert!(!format!("{sentinels:?} {sentinels}").contains("secret"));
    }

    #[test]
    fn nonsense_is_told_without_repeating_it() {
        for text in [
            "",
            "localhost:6379",
            "http://h",
            "redis://",
            "redis://a,b",
            "redis://h/x",
            "redis://h/-1",
            "redis+cluster://a:1/3",
            "redis+sentinel://a:1",
            "redis+sentinel://a:1/m/x",
            "redis://h:port",
            "redis+cluster://a:1,,b:2",
            "redis+cluster://u:secret@a:1,b:secret@c:2",
            "redis+sentinel://app:123/secret@h1",
            "redis+sentinel://h:1/m?password=secret",
            "redis://h#secret",
        ] {
            let reason = RedisUrl::parse(text).unwrap_err();
            assert!(reason.len() > 10, "{text}");
        }
    }
}
