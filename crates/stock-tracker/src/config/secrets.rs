//! The keys that sign tokens and seal credentials.
//!
//! In development missing keys are made once and kept in a file of the data folder, beside the database that they
//! open. Elsewhere they must be given.

use std::{
    fs, io,
    io::Write as _,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context as _, bail};
use api::Environment;
use rand::{Rng as _, distr::Alphanumeric};
use secrecy::{ExposeSecret as _, SecretString};
use storage::vault::Vault;

use super::{
    Purpose,
    deployment::Deployment,
    reader::Reader,
    variables::{ACCESS_TOKEN_MINUTES, FERNET_KEYS, JWT_SECRET_KEY, REFRESH_TOKEN_DAYS, Variable},
};

/// The file of keys made by the program.
const FILE: &str = "secrets.env";
/// Characters of a signing key below which it could be guessed.
const SIGNING_KEY_LENGTH: usize = 32;

/// What is known of the keys before anything is made.
#[derive(Debug, Clone)]
pub(crate) struct Secrets {
    signing_key: Option<SecretString>,
    sealing_keys: Option<Vec<SecretString>>,
    file: PathBuf,
    pub(crate) access_token_age: Duration,
    pub(crate) refresh_token_age: Duration,
}

/// The keys, given or made.
#[derive(Debug, Clone)]
pub(crate) struct Keys {
    /// Signs access tokens.
    pub(crate) signing: SecretString,
    /// Seal credentials: the first seals, all open.
    pub(crate) sealing: Vec<SecretString>,
}

impl Secrets {
    pub(super) fn read(reader: &mut Reader<'_>, deployment: &Deployment, purpose: Purpose) -> Self {
        let signing_key = reader.secret(&JWT_SECRET_KEY, SIGNING_KEY_LENGTH);
        let sealing_keys = reader.list(&FERNET_KEYS, |key| Ok(SecretString::from(key)));
        if let Some(Err(malformed)) = sealing_keys.as_deref().map(Vault::new) {
            reader.refuse(&FERNET_KEYS, format!("cannot be used: {malformed}"));
        }
        let makes_them = deployment.environment == Environment::Development;
        let missing = [(&JWT_SECRET_KEY, signing_key.is_none()), (&FERNET_KEYS, sealing_keys.is_none())];
        for (variable, _) in missing.into_iter().filter(|(_, missing)| *missing) {
            if makes_them {
                reader.show(variable, &"generated");
            } else if purpose.serves() {
                reader.refuse(variable, "must be set: only development makes its own");
            }
        }
        Self {
            signing_key,
            sealing_keys,
            file: deployment.data_dir.join(FILE),
            access_token_age: Duration::from_mins(reader.number(&ACCESS_TOKEN_MINUTES, 1, 1440).into()),
            refresh_token_age: Duration::from_hours(
                u64::from(reader.number(&REFRESH_TOKEN_DAYS, 1, 365)) * 24,
            ),
        }
    }

    /// The keys: as given, else from the file, which is made if it is not there.
    pub(crate) fn keys(&self) -> anyhow::Result<Keys> {
        if let (Some(signing), Some(sealing)) = (&self.signing_key, &self.sealing_keys) {
            return Ok(Keys { signing: signing.clone(), sealing: sealing.clone() });
        }
        let path = self.file.display();
        let kept = kept(&self.file).with_context(|| format!("the keys in {path}"))?;
        Ok(Keys {
            signing: self.signing_key.clone().unwrap_or(kept.signing),
            sealing: self.sealing_keys.clone().unwrap_or(kept.sealing),
        })
    }
}

fn kept(file: &Path) -> anyhow::Result<Keys> {
    if let Some(keys) = read(file)? {
        return Ok(keys);
    }
    make(file)?;
    // Whoever was first has made the file; every process uses that one.
    read(file)?.context("disappeared while they were being made")
}

fn read(file: &Path) -> anyhow::Result<Option<Keys>> {
    let text = match fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).context("cannot be read"),
    };
    let value = |variable: &Variable| {
        text.lines().find_map(|line| line.strip_prefix(variable.name)?.strip_prefix('=')).map(str::trim)
    };
    let (Some(signing), Some(sealing)) = (value(&JWT_SECRET_KEY), value(&FERNET_KEYS)) else {
        bail!(
            "are damaged. Restore the file; without its keys, credentials kept in the database stay sealed for ever. \
             Removed, the file is made anew"
        );
    };
    let sealing: Vec<SecretString> = sealing.split(',').map(SecretString::from).collect();
    Vault::new(&sealing).context("are damaged")?;
    Ok(Some(Keys { signing: signing.into(), sealing }))
}

/// Writes new keys, readable for the owner alone, unless there are some already.
fn make(file: &Path) -> anyhow::Result<()> {
    let folder = file.parent().context("have no folder")?;
    fs::create_dir_all(folder).context("cannot be made: no folder")?;
    let signing: String = rand::rng().sample_iter(Alphanumeric).take(64).map(char::from).collect();
    let sealing = Vault::generate_key();
    // A temporary file is born with mode 0600.
    let mut draft = tempfile::NamedTempFile::new_in(folder).context("cannot be made")?;
    write!(
        draft,
        "# Made by stock-tracker for development. Lost, the credentials in the database cannot be opened.\n\
         {}={signing}\n{}={}\n",
        JWT_SECRET_KEY.name,
        FERNET_KEYS.name,
        sealing.expose_secret()
    )
    .and_then(|()| draft.as_file().sync_all())
    .context("cannot be written")?;
    match draft.persist_noclobber(file) {
        Ok(_) => Ok(()),
        Err(failed) if failed.error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(failed) => Err(failed.error).context("cannot be kept"),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn same(a: &Keys, b: &Keys) -> bool {
        let sealing =
            |keys: &Keys| keys.sealing.iter().map(|key| key.expose_secret().to_owned()).collect::<Vec<_>>();
        a.signing.expose_secret() == b.signing.expose_secret() && sealing(a) == sealing(b)
    }

    #[test]
    fn keys_are_made_once_whoever_comes_first() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("deeper").join(FILE);
        let all: Vec<Keys> = std::thread::scope(|scope| {
            let making: Vec<_> = (0..8).map(|_| scope.spawn(|| kept(&file).unwrap())).collect();
            making.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(all.iter().all(|keys| same(keys, &all[0])));
        assert!(same(&kept(&file).unwrap(), &all[0]));
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(file.parent().unwrap()).unwrap().count(), 1, "nothing is left beside it");
        assert!(all[0].signing.expose_secret().len() >= SIGNING_KEY_LENGTH);
        assert!(Vault::new(&all[0].sealing).is_ok());
    }

    #[test]
    fn damaged_keys_are_never_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(FILE);
        for damaged in ["", "JWT_SECRET_KEY=x\n", "JWT_SECRET_KEY=x\nFERNET_KEYS=nonsense\n"] {
            fs::write(&file, damaged).unwrap();
            assert!(kept(&file).is_err(), "{damaged}");
            assert_eq!(fs::read_to_string(&file).unwrap(), damaged);
        }
    }
}
