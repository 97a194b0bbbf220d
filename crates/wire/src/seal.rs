//! Encryption of personal data, and keyed hashes. Callers pass the keys; key storage and erasure are elsewhere.
//!
//! A seal is AES-256-GCM with a random nonce. The stream, kind and field are authenticated with it, so that a
//! ciphertext moved to another fact cannot be opened. One key seals the few hundred fields of one person, far below the
//! 2^32 seals at which random nonces become unsafe.

use std::cell::RefCell;

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    hmac, rand,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use uuid::{Builder, Uuid};

/// The version prefix of a seal: `1.<key id>.<base64url of nonce and ciphertext>`.
const FORM: &str = "1";

/// The place of a seal. It can only be opened with the same place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place<'a> {
    /// The stream, for example `ticket-6f0...`.
    pub stream: &'a str,
    /// The kind that the fact is stored under.
    pub kind: &'a str,
    /// The field's stored name.
    pub field: &'a str,
}

/// Why sealing or opening failed. It contains nothing of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The text is not a seal.
    #[error("not a seal")]
    Malformed,
    /// The key or the place differs, or the seal was altered.
    #[error("the seal does not open with this key at this place")]
    Mismatch,
    /// The cipher or the system's random source failed.
    #[error("the cipher is not available")]
    Unavailable,
}

/// Seals `plain` for its place, with the key of this id.
///
/// # Errors
/// [`SealError::Unavailable`] when the system provides no random bytes.
pub fn seal(key: &[u8; 32], key_id: u64, place: &Place<'_>, plain: &str) -> Result<String, SealError> {
    let cipher = cipher(key)?;
    let nonce = fresh_nonce()?;
    let mut body = Vec::with_capacity(NONCE_LEN + plain.len() + AES_256_GCM.tag_len());
    body.extend_from_slice(&nonce);
    body.extend_from_slice(plain.as_bytes());
    let nonce = Nonce::assume_unique_for_key(nonce);
    let tag = cipher
        .seal_in_place_separate_tag(nonce, place.authenticated(), &mut body[NONCE_LEN..])
        .map_err(|_| SealError::Unavailable)?;
    body.extend_from_slice(tag.as_ref());
    let mut text = format!("{FORM}.{key_id}.");
    BASE64.encode_string(&body, &mut text);
    Ok(text)
}

/// The id of the key that sealed it.
///
/// # Errors
/// [`SealError::Malformed`] when the text is not a seal.
pub fn key_id(sealed: &str) -> Result<u64, SealError> {
    parts(sealed).map(|(key_id, _)| key_id)
}

/// Opens a seal.
///
/// # Errors
/// [`SealError::Malformed`] when the text is not a seal; [`SealError::Mismatch`] when the key or the place differs.
pub fn open(key: &[u8; 32], place: &Place<'_>, sealed: &str) -> Result<String, SealError> {
    let (_, body) = parts(sealed)?;
    let mut body = BASE64.decode(body).map_err(|_| SealError::Malformed)?;
    let (nonce, body) = body.split_first_chunk_mut::<NONCE_LEN>().ok_or(SealError::Malformed)?;
    let nonce = Nonce::assume_unique_for_key(*nonce);
    let plain = cipher(key)?.open_in_place(nonce, place.authenticated(), body).map_err(|_| SealError::Mismatch)?;
    std::str::from_utf8(plain).map(str::to_owned).map_err(|_| SealError::Malformed)
}

impl Place<'_> {
    /// The authenticated data: three texts, each preceded by its length, so that no two places are equal.
    fn authenticated(&self) -> Aad<Vec<u8>> {
        let texts = [self.stream, self.kind, self.field];
        let mut bytes = Vec::with_capacity(texts.iter().map(|text| 8 + text.len()).sum());
        for text in texts {
            bytes.extend_from_slice(&(text.len() as u64).to_be_bytes());
            bytes.extend_from_slice(text.as_bytes());
        }
        Aad::from(bytes)
    }
}

/// The number of nonces drawn at once. One call of the random source costs as much as a seal, whatever its size.
const NONCES_DRAWN: usize = 64;

thread_local! {
    /// Unused nonces. A nonce is taken out and never returned. After `fork` without `exec` a process must not seal,
    /// because both would use the same nonces.
    static STOCK: RefCell<Vec<[u8; NONCE_LEN]>> = const { RefCell::new(Vec::new()) };
}

/// A fresh random nonce.
fn fresh_nonce() -> Result<[u8; NONCE_LEN], SealError> {
    STOCK.with_borrow_mut(|stock| {
        if stock.is_empty() {
            let mut bytes = [0; NONCES_DRAWN * NONCE_LEN];
            rand::fill(&mut bytes).map_err(|_| SealError::Unavailable)?;
            stock.extend_from_slice(bytes.as_chunks().0);
        }
        stock.pop().ok_or(SealError::Unavailable)
    })
}

fn cipher(key: &[u8; 32]) -> Result<LessSafeKey, SealError> {
    UnboundKey::new(&AES_256_GCM, key).map(LessSafeKey::new).map_err(|_| SealError::Unavailable)
}

fn parts(sealed: &str) -> Result<(u64, &str), SealError> {
    let mut parts = sealed.splitn(3, '.');
    match (parts.next(), parts.next().map(str::parse), parts.next()) {
        (Some(FORM), Some(Ok(key_id)), Some(body)) => Ok((key_id, body)),
        _ => Err(SealError::Malformed),
    }
}

/// A secret prepared for keyed hashes. Equal texts have equal hashes; only the holder of the secret can compute them.
#[derive(Clone, Debug)]
pub struct HashKey(hmac::Key);

impl HashKey {
    /// Prepares the secret. Reuse the result: preparing costs as much as a hash.
    #[must_use]
    pub fn new(secret: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret))
    }

    /// HMAC-SHA256 of the parts, each preceded by its length, as 64 hexadecimal digits. `["ab", "c"]` and `["a", "bc"]`
    /// differ.
    #[must_use]
    pub fn hash(&self, parts: &[&[u8]]) -> String {
        hex(self.sign(parts).as_ref())
    }

    /// A UUID of version 8 from the first 16 bytes of the same hash: it cannot be computed without the secret, and
    /// [`is_of_engine`](crate::command::is_of_engine) tells it from the ids of callers.
    #[must_use]
    pub fn uuid(&self, parts: &[&[u8]]) -> Uuid {
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&self.sign(parts).as_ref()[..16]);
        Builder::from_custom_bytes(bytes).into_uuid()
    }

    fn sign(&self, parts: &[&[u8]]) -> hmac::Tag {
        let mut context = hmac::Context::with_key(&self.0);
        for part in parts {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        context.sign()
    }
}

/// [`HashKey::hash`] for a single use.
#[must_use]
pub fn keyed_hash(secret: &[u8; 32], parts: &[&[u8]]) -> String {
    HashKey::new(secret).hash(parts)
}

/// The bytes in hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        for digit in [byte >> 4, byte & 15] {
            text.push(char::from(b"0123456789abcdef"[usize::from(digit)]));
        }
    }
    text
}
