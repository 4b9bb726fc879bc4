//! New keys: a keyed hash of the record that founds a customer, so that a repeated run mints the same key and nobody can guess one from an
//! e-mail address or a customer number.

use hmac::{Hmac, KeyInit, Mac};
use rayon::prelude::*;
use sha2::Sha256;

use super::allot::{Allotted, Holder};
use super::overlap::{Overlaps, position};
use super::records::Records;
use crate::table::CustomerKey;
use crate::table::keys::PreviousKeys;

/// Separates what a key is minted for from any other use of the secret.
const DOMAIN: &str = "stammkunde/key/v1";
/// ASCII unit separator: in no source name, and the nonce after it is digits only, so no two messages are equal.
const SEPARATOR: u8 = 0x1f;

/// A key for each cluster.
pub(super) struct Keyed<'a> {
    /// For each cluster where its key comes from; none is free.
    pub holder_of: Vec<Holder>,
    /// For each key of the last version its cluster, or [`super::records::NONE`].
    pub cluster_of: Vec<u32>,
    living: &'a [CustomerKey],
    origins: &'a [CustomerKey],
    pinned: &'a [CustomerKey],
    minted: Vec<CustomerKey>,
}

impl Keyed<'_> {
    /// The key of a cluster.
    pub fn key(&self, cluster: u32) -> CustomerKey {
        match self.holder_of[cluster as usize] {
            Holder::Living(key) => self.living[key as usize],
            Holder::Origin(key) => self.origins[key as usize],
            Holder::Pinned(key) => self.pinned[key as usize],
            Holder::Minted(key) => self.minted[key as usize],
            Holder::Free => unreachable!("a cluster without a key gets a new one"),
        }
    }

    /// The cluster of a key of the last version that lives on.
    pub fn cluster_of(&self, key: u32) -> Option<u32> {
        Some(self.cluster_of[key as usize]).filter(|&cluster| cluster != super::records::NONE)
    }
}

/// Every key that was ever used, as the sorted lists that hold them.
#[derive(Clone, Copy)]
struct Used<'a> {
    previous: &'a PreviousKeys,
    /// What people pinned, also where the record is not there or another pin won.
    pinned: &'a [CustomerKey],
}

impl Used<'_> {
    fn holds(self, key: CustomerKey) -> bool {
        position(self.previous.identities.keys(), key).is_some()
            || self.previous.is_retired(key)
            || self.previous.redirect(key).is_some()
            || position(self.pinned, key).is_some()
    }
}

/// Mints a key for every cluster without one. A key that was ever used is never minted: the nonce counts on.
pub(super) fn mint<'a>(
    records: &Records<'_>,
    allotted: Allotted,
    overlaps: &Overlaps<'a>,
    previous: &'a PreviousKeys,
    secret: &[u8],
) -> Keyed<'a> {
    let mac = Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes a key of any length (RFC 2104, section 2)");
    let Allotted { mut holder_of, cluster_of } = allotted;
    let mut anchors: Vec<u32> = Vec::new();
    for (cluster, holder) in holder_of.iter_mut().enumerate().filter(|(_, holder)| **holder == Holder::Free) {
        *holder = Holder::Minted(u32::try_from(anchors.len()).expect("there are at most as many clusters as records"));
        anchors.push(records.anchor_of[cluster]);
    }
    let used = Used {
        previous,
        pinned: overlaps.pinned.keys,
    };
    let minted = anchors
        .into_par_iter()
        .map(|anchor| mint_one(&mac, records.name(anchor), used))
        .collect();
    Keyed {
        holder_of,
        cluster_of,
        living: overlaps.living.keys,
        origins: overlaps.origin.keys,
        pinned: overlaps.pinned.keys,
        minted,
    }
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
