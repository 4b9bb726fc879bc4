//! New keys: a keyed hash of the record that founds a customer, so that a repeated run mints the same key and nobody can guess one from an
//! e-mail address or a customer number.

use hmac::{Hmac, KeyInit, Mac};
use rayon::prelude::*;
use sha2::Sha256;

use super::overlap::{Records, is_redirected};
use crate::table::CustomerKey;
use crate::table::keys::PreviousKeys;

/// Separates what a key is minted for from any other use of the secret.
const DOMAIN: &str = "stammkunde/key/v1";
/// ASCII unit separator: in no source name, and the nonce after it is digits only, so no two messages are equal.
const SEPARATOR: u8 = 0x1f;

/// A key for each cluster.
pub(super) struct Keyed {
    /// For each cluster its key.
    pub key_of: Vec<CustomerKey>,
    /// For each cluster whether its key is new.
    pub is_new: Vec<bool>,
}

/// Every key that was ever used, as the sorted lists that hold them.
#[derive(Clone, Copy)]
pub(super) struct Used<'a> {
    /// Keys of the last version, sorted.
    pub living: &'a [CustomerKey],
    /// Retired and redirected keys, both sorted.
    pub previous: &'a PreviousKeys,
}

impl Used<'_> {
    fn holds(self, key: CustomerKey) -> bool {
        self.living.binary_search(&key).is_ok()
            || self.previous.retired.binary_search(&key).is_ok()
            || is_redirected(&self.previous.redirects, key)
    }
}

/// Mints a key for every cluster without one. A key that was ever used is never minted: the nonce counts on.
pub(super) fn mint(records: &Records<'_>, allotted: Vec<Option<CustomerKey>>, used: Used<'_>, secret: &[u8]) -> Keyed {
    let mac = Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes a key of any length (RFC 2104, section 2)");
    let is_new = allotted.par_iter().map(Option::is_none).collect();
    let key_of = allotted
        .into_par_iter()
        .zip(&records.anchor_of)
        .map(|(key, &anchor)| key.unwrap_or_else(|| mint_one(&mac, records.record(anchor as usize), used)))
        .collect();
    Keyed { key_of, is_new }
}

/// HMAC-SHA-256 over domain, source, record id and nonce; the first 128 bits.
fn mint_one(mac: &Hmac<Sha256>, (source, record_id): (&str, &str), used: Used<'_>) -> CustomerKey {
    for nonce in 0_u64.. {
        let mut mac = mac.clone();
        mac.update(DOMAIN.as_bytes());
        mac.update(source.as_bytes());
        mac.update(&[SEPARATOR]);
        mac.update(record_id.as_bytes());
        mac.update(&[SEPARATOR]);
        mac.update(nonce.to_string().as_bytes());
        let digest = mac.finalize().into_bytes();
        let (first, _) = digest.split_at(16);
        let key = CustomerKey::from_bits(u128::from_be_bytes(first.try_into().expect("SHA-256 gives 32 bytes")));
        if !used.holds(key) {
            return key;
        }
    }
    unreachable!("fewer than 2^64 keys were ever used")
}
