//! Hashing and checking passwords, off the async threads.
//!
//! Each takes some 20 MB and tens of milliseconds of a core, and anybody may ask for it. So only a few run at a time,
//! a bounded number waits, and who comes after those is turned away at once.

use std::{
    sync::{
        LazyLock,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use argon2::{
    Argon2, PasswordHash, PasswordVerifier as _,
    password_hash::{PasswordHasher as _, SaltString, rand_core::OsRng},
};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::Semaphore;

use crate::error::Error;

/// Passwords that may wait for each one that is being worked on: a few seconds' worth.
const LINE_PER_CORE: usize = 50;

/// When to come again, for those who are turned away.
const COME_AGAIN: Duration = Duration::from_secs(5);

/// Works on passwords, a few at a time.
pub(crate) struct Passwords {
    places: Semaphore,
    /// Those being worked on and those that wait.
    present: AtomicUsize,
    most: usize,
}

impl Passwords {
    /// One password at a time for each core.
    pub(crate) fn new() -> Self {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        Self::with(cores, cores * LINE_PER_CORE)
    }

    fn with(places: usize, line: usize) -> Self {
        Self { places: Semaphore::new(places), present: AtomicUsize::new(0), most: places + line }
    }

    async fn off_thread<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        let _present = Present::enter(self).ok_or(Error::Overloaded { retry_after: COME_AGAIN })?;
        let _place = self.places.acquire().await.map_err(Error::internal)?;
        tokio::task::spawn_blocking(work).await.map_err(Error::internal)
    }
}

/// Somebody in the line, until dropped.
struct Present<'a>(&'a AtomicUsize);

impl<'a> Present<'a> {
    fn enter(passwords: &'a Passwords) -> Option<Self> {
        let before = passwords.present.fetch_add(1, Ordering::Relaxed);
        let entered = Self(&passwords.present);
        (before < passwords.most).then_some(entered)
    }
}

impl Drop for Present<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Checked when there is no user, so that an unknown address takes as long as a wrong password.
static NOBODY: LazyLock<String> = LazyLock::new(|| {
    let salt = SaltString::generate(&mut OsRng);
    Argon2::default()
        .hash_password(b"the password of nobody", &salt)
        .expect("the default parameters hash any password")
        .to_string()
});

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

impl Passwords {
    /// Hashes a password with Argon2id.
    pub(super) async fn hash(&self, password: SecretString) -> Result<String, Error> {
        self.off_thread(move || {
            let salt = SaltString::generate(&mut OsRng);
            Argon2::default()
                .hash_password(password.expose_secret().as_bytes(), &salt)
                .expect("the default parameters hash any password")
                .to_string()
        })
        .await
    }

    /// Checks a password against a hash; without a hash, takes as long and says no.
    pub(super) async fn check(&self, password: SecretString, hash: Option<String>) -> Result<Check, Error> {
        self.off_thread(move || {
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
}

fn is_right(password: &[u8], hash: &str) -> bool {
    PasswordHash::new(hash).is_ok_and(|hash| Argon2::default().verify_password(password, &hash).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_right_password_is_right() {
        let passwords = Passwords::new();
        let hashed = passwords.hash("long-enough-one".into()).await.unwrap();
        assert!(hashed.starts_with("$argon2id$"));
        let against = |password: &str| passwords.check(password.to_owned().into(), Some(hashed.clone()));
        assert_eq!(against("long-enough-one").await.unwrap(), Check::Right);
        assert_eq!(against("long-enough-two").await.unwrap(), Check::Wrong);
        assert_eq!(passwords.check("long-enough-one".into(), None).await.unwrap(), Check::Wrong);
    }

    #[tokio::test]
    async fn an_old_hash_is_accepted_and_marked() {
        let passwords = Passwords::new();
        let old = bcrypt::hash("long-enough-one", 4).unwrap();
        let against = |password: &str| passwords.check(password.to_owned().into(), Some(old.clone()));
        assert_eq!(against("long-enough-one").await.unwrap(), Check::RightButWeaklyHashed);
        assert_eq!(against("long-enough-two").await.unwrap(), Check::Wrong);
    }

    #[tokio::test]
    async fn a_damaged_hash_lets_nobody_in() {
        let passwords = Passwords::new();
        assert_eq!(
            passwords.check("anything at all".into(), Some("damaged".into())).await.unwrap(),
            Check::Wrong
        );
    }

    #[tokio::test]
    async fn who_comes_after_a_full_line_is_turned_away_at_once() {
        let passwords = Passwords::with(1, 1);
        let (release, wait) = std::sync::mpsc::channel::<()>();
        let working = passwords.off_thread(move || wait.recv().is_ok());
        let waiting = passwords.off_thread(|| true);
        let (working, waiting, ()) = tokio::join!(working, waiting, async {
            let turned_away = passwords.off_thread(|| true).await;
            assert!(matches!(turned_away, Err(Error::Overloaded { .. })), "the line is full");
            release.send(()).unwrap();
        });
        assert!(working.unwrap() && waiting.unwrap());
        assert!(passwords.off_thread(|| true).await.unwrap(), "and it empties");
    }
}
