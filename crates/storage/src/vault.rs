//! Sealing what must not be read from a stolen database.
//!
//! Every sealed text carries the tenant and the thing it belongs to, checked on opening: a row copied elsewhere does
//! not open there.

use std::collections::BTreeMap;

use domain::{
    ids::{AccountId, TenantId},
    marketplace::Credential,
};
use fernet::{Fernet, MultiFernet};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// Keys by age: the first seals, all open.
pub struct Vault {
    keys: MultiFernet,
}

/// A key is not 32 bytes in URL-safe base64.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("key {position} is not a Fernet key (32 bytes in URL-safe base64)")]
pub struct MalformedKey {
    /// Which one, from 1.
    pub position: usize,
}

/// A sealed text does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// No key fits, or the text was changed.
    #[error("no key opens it")]
    NoKey,
    /// It was sealed for something else.
    #[error("it was sealed for something else")]
    WrongPlace,
}

#[derive(Serialize, Deserialize)]
struct Sealed<T> {
    tenant: TenantId,
    place: String,
    content: T,
}

impl Vault {
    /// A vault of at least one key, newest first.
    pub fn new(keys: &[SecretString]) -> Result<Self, MalformedKey> {
        let fernets = keys
            .iter()
            .enumerate()
            .map(|(i, key)| Fernet::new(key.expose_secret().trim()).ok_or(MalformedKey { position: i + 1 }))
            .collect::<Result<Vec<_>, _>>()?;
        if fernets.is_empty() {
            return Err(MalformedKey { position: 1 });
        }
        Ok(Self { keys: MultiFernet::new(fernets) })
    }

    /// A fresh random key.
    pub fn generate_key() -> SecretString {
        Fernet::generate_key().into()
    }

    /// Seals an account's credential.
    pub fn seal_credential(&self, tenant: TenantId, account: AccountId, credential: &Credential) -> String {
        let content: BTreeMap<&str, &str> =
            credential.fields().iter().map(|(name, value)| (name.as_str(), value.expose_secret())).collect();
        self.seal(tenant, &account_place(account), &content)
    }

    /// Opens an account's credential.
    pub fn open_credential(
        &self,
        tenant: TenantId,
        account: AccountId,
        sealed: &str,
    ) -> Result<Credential, OpenError> {
        let fields: BTreeMap<String, String> = self.open(tenant, &account_place(account), sealed)?;
        Ok(Credential::new(fields.into_iter().map(|(name, value)| (name, value.into())).collect()))
    }

    /// Seals anything for one place of a tenant.
    pub fn seal(&self, tenant: TenantId, place: &str, content: &impl Serialize) -> String {
        let sealed = Sealed { tenant, place: place.to_owned(), content };
        self.keys.encrypt(&serde_json::to_vec(&sealed).expect("what is sealed has a JSON form"))
    }

    /// Opens what was sealed for that place.
    pub fn open<T: DeserializeOwned>(
        &self,
        tenant: TenantId,
        place: &str,
        sealed: &str,
    ) -> Result<T, OpenError> {
        let plain = self.keys.decrypt(sealed).map_err(|_| OpenError::NoKey)?;
        let opened: Sealed<T> = serde_json::from_slice(&plain).map_err(|_| OpenError::WrongPlace)?;
        if opened.tenant == tenant && opened.place == place {
            Ok(opened.content)
        } else {
            Err(OpenError::WrongPlace)
        }
    }
}

fn account_place(account: AccountId) -> String {
    format!("account:{account}")
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vault").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credential() -> Credential {
        Credential::new([("token".to_owned(), "s3cret-value".into())].into())
    }

    #[test]
    fn opens_only_where_it_was_sealed() {
        let vault = Vault::new(&[Vault::generate_key()]).unwrap();
        let (tenant, account) = (TenantId::generate(), AccountId::generate());
        let sealed = vault.seal_credential(tenant, account, &credential());
        assert!(!sealed.contains("s3cret"));
        let opened = vault.open_credential(tenant, account, &sealed).unwrap();
        assert_eq!(opened.field("token").unwrap().expose_secret(), "s3cret-value");
        for (t, a) in [(TenantId::generate(), account), (tenant, AccountId::generate())] {
            assert_eq!(vault.open_credential(t, a, &sealed).unwrap_err(), OpenError::WrongPlace);
        }
    }

    #[test]
    fn an_older_key_still_opens_and_a_lost_one_does_not() {
        let (old, new) = (Vault::generate_key(), Vault::generate_key());
        let (tenant, account) = (TenantId::generate(), AccountId::generate());
        let sealed =
            Vault::new(std::slice::from_ref(&old)).unwrap().seal_credential(tenant, account, &credential());
        let rotated = Vault::new(&[new.clone(), old]).unwrap();
        assert!(rotated.open_credential(tenant, account, &sealed).is_ok());
        let lost = Vault::new(&[new]).unwrap();
        assert_eq!(lost.open_credential(tenant, account, &sealed).unwrap_err(), OpenError::NoKey);
    }

    #[test]
    fn a_bad_key_is_named_by_its_place_and_never_shown() {
        let error = Vault::new(&[Vault::generate_key(), "not-a-key".into()]).unwrap_err();
        assert_eq!(error.position, 2);
        assert!(!error.to_string().contains("not-a-key"));
        assert!(Vault::new(&[]).is_err());
    }
}
