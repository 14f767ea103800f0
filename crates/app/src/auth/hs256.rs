//! HMAC with SHA-256 for `jsonwebtoken`, and nothing besides: no token is signed otherwise, so that curves and RSA are
//! not even compiled in.

use hmac::{Hmac, Mac as _};
use jsonwebtoken::{
    Algorithm, AlgorithmFamily, DecodingKey, EncodingKey,
    crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils},
    errors::{Error, ErrorKind},
    signature::{self, Signer, Verifier},
};
use sha2::Sha256;

static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: |algorithm, key| {
        Ok(Box::new(Hs256::new(*algorithm, EncodingKey::family(key), key.as_bytes())?))
    },
    verifier_factory: |algorithm, key| {
        Ok(Box::new(Hs256::new(*algorithm, DecodingKey::family(key), key.try_get_as_bytes()?)?))
    },
    key_utils: KeyUtils::new_unimplemented(),
};

/// Lets `jsonwebtoken` sign and verify in this process. Safe to repeat.
pub(super) fn install() {
    // The only provider that is compiled in: whoever was first has installed this one.
    let _installed_before = PROVIDER.install_default();
}

/// A key.
struct Hs256(Hmac<Sha256>);

impl Hs256 {
    fn new(algorithm: Algorithm, family: AlgorithmFamily, key: &[u8]) -> Result<Self, Error> {
        if algorithm != Algorithm::HS256 || family != AlgorithmFamily::Hmac {
            return Err(ErrorKind::InvalidAlgorithm.into());
        }
        let keyed = Hmac::new_from_slice(key).map_err(|_| ErrorKind::InvalidKeyFormat)?;
        Ok(Self(keyed))
    }
}

impl Signer<Vec<u8>> for Hs256 {
    fn try_sign(&self, message: &[u8]) -> Result<Vec<u8>, signature::Error> {
        Ok(self.0.clone().chain_update(message).finalize().into_bytes().to_vec())
    }
}

impl Verifier<Vec<u8>> for Hs256 {
    /// In the same time whatever the signature is.
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), signature::Error> {
        self.0.clone().chain_update(message).verify_slice(signature).map_err(signature::Error::from_source)
    }
}

impl JwtSigner for Hs256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::HS256
    }
}

impl JwtVerifier for Hs256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::HS256
    }
}

#[cfg(test)]
mod tests {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    use jsonwebtoken::{Validation, decode};
    use serde_json::Value;

    use super::*;

    // RFC 7515, A.1.
    const KEY: &str =
        "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
    const TOKEN: &str = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6\
                         Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

    fn key() -> DecodingKey {
        DecodingKey::from_secret(&URL_SAFE_NO_PAD.decode(KEY).unwrap())
    }

    fn verified(token: &str, algorithm: Algorithm) -> Result<Value, Error> {
        install();
        let mut validation = Validation::new(algorithm);
        validation.validate_exp = false;
        Ok(decode::<Value>(token, &key(), &validation)?.claims)
    }

    #[test]
    fn the_published_example_is_verified_and_nothing_close_to_it() {
        assert_eq!(verified(TOKEN, Algorithm::HS256).unwrap()["iss"], "joe");
        let (rest, signature) = TOKEN.rsplit_once('.').unwrap();
        for forged in [
            format!("{rest}."),
            format!("{rest}.{}", &signature[..20]),
            format!("{rest}.{}", signature.replacen('d', "e", 1)),
            TOKEN.replacen("eyJpc3MiOiJqb2Ui", "eyJpc3MiOiJqb2Yi", 1),
        ] {
            assert!(verified(&forged, Algorithm::HS256).is_err(), "{forged}");
        }
    }

    #[test]
    fn no_other_algorithm_is_there() {
        install();
        for algorithm in
            [Algorithm::HS384, Algorithm::HS512, Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA]
        {
            assert!(verified(TOKEN, algorithm).is_err(), "{algorithm:?}");
            let key = EncodingKey::from_secret(b"a secret of more than thirty-two characters");
            let signed = jsonwebtoken::encode(&jsonwebtoken::Header::new(algorithm), &Value::Null, &key);
            assert!(signed.is_err(), "{algorithm:?}");
        }
    }
}
