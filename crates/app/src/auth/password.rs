//! Hashing and checking passwords, off the async threads.

use std::sync::LazyLock;

use argon2::{
    Argon2, PasswordHash, PasswordVerifier as _,
    password_hash::{PasswordHasher as _, SaltString, rand_core::OsRng},
};
use secrecy::{ExposeSecret as _, SecretString};

use crate::error::Error;

/// Checked when there is no user, so that an unknown address takes as long as a wrong password.
static NOBODY: LazyLock<String> = LazyLock::new(|| {
    let salt = SaltString::generate(&mut OsRng);
    Argon2::default()
        .hash_password(b"the password of nobody", &salt)
        .expect("the default parameters hash any password")
        .to_string()
});

/// Hashes a password with Argon2id. Takes tens of milliseconds on a thread of its own.
pub(super) async fn hash(password: SecretString) -> Result<String, Error> {
    off_thread(move || {
        let salt = SaltString::generate(&mut OsRng);
        Argon2::default()
            .hash_password(password.expose_secret().as_bytes(), &salt)
            .expect("the default parameters hash any password")
            .to_string()
    })
    .await
}

/// What checking a password showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Check {
    /// It is the one.
    Right,
    /// It is the one, but its hash is of an older kind and should be replaced.
    RightButWeaklyHashed,
    /// It is not.
    Wrong,
}

/// Checks a password against a hash; without a hash, takes as long and says no.
pub(super) async fn check(password: SecretString, hash: Option<String>) -> Result<Check, Error> {
    off_thread(move || {
        let password = password.expose_secret().as_bytes();
        match &hash {
            Some(hash) if hash.starts_with("$2") => match bcrypt::verify(password, hash) {
                Ok(true) => Check::RightButWeaklyHashed,
                _ => Check::Wrong,
            },
            Some(hash) if is_right(password, hash) => Check::Right,
            Some(_) => Check::Wrong,
            None => {
                is_right(password, &NOBODY);
                Check::Wrong
            }
        }
    })
    .await
}

fn is_right(password: &[u8], hash: &str) -> bool {
    PasswordHash::new(hash).is_ok_and(|hash| Argon2::default().verify_password(password, &hash).is_ok())
}

async fn off_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Error> {
    tokio::task::spawn_blocking(work).await.map_err(Error::internal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_right_password_is_right() {
        let hashed = hash("long-enough-one".into()).await.unwrap();
        assert!(hashed.starts_with("$argon2id$"));
        let against = |password: &str| check(password.to_owned().into(), Some(hashed.clone()));
        assert_eq!(against("long-enough-one").await.unwrap(), Check::Right);
        assert_eq!(against("long-enough-two").await.unwrap(), Check::Wrong);
        assert_eq!(check("long-enough-one".into(), None).await.unwrap(), Check::Wrong);
    }

    #[tokio::test]
    async fn an_old_hash_is_accepted_and_marked() {
        let old = bcrypt::hash("long-enough-one", 4).unwrap();
        let against = |password: &str| check(password.to_owned().into(), Some(old.clone()));
        assert_eq!(against("long-enough-one").await.unwrap(), Check::RightButWeaklyHashed);
        assert_eq!(against("long-enough-two").await.unwrap(), Check::Wrong);
    }

    #[tokio::test]
    async fn a_damaged_hash_lets_nobody_in() {
        assert_eq!(check("anything at all".into(), Some("damaged".into())).await.unwrap(), Check::Wrong);
    }
}
