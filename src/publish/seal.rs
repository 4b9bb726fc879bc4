//! The checksum of a manifest: it stands in the file itself, so that a flipped bit is found before it is believed.

use bytes::Bytes;
use sha2::{Digest, Sha256};

use super::Manifest;
use super::write::hex;
use crate::error::{Error, Result};

/// What stands in the place of the checksum while it is computed.
const BLANK: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// Sets the checksum; gives the bytes of the file.
pub(super) fn seal(manifest: &mut Manifest) -> Result<Bytes> {
    manifest.checksum = Some(BLANK.to_owned());
    let text =
        serde_json::to_string_pretty(manifest).map_err(|error| Error::internal("a manifest cannot be written").because(error))? + "\n";
    let checksum = hex(&Sha256::digest(&text));
    // The last one: a name of a table may be anything.
    let place = text.rfind(BLANK).expect("the checksum was set and is written last");
    let sealed = format!("{}{checksum}{}", &text[..place], &text[place + BLANK.len()..]);
    manifest.checksum = Some(checksum);
    Ok(sealed.into())
}

/// Whether a file is as it was sealed. One without a checksum is of an early build and counts as whole.
pub(super) fn is_whole(bytes: &[u8], manifest: &Manifest) -> bool {
    let Some(checksum) = &manifest.checksum else { return true };
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let Some(place) = text.rfind(checksum.as_str()).filter(|_| checksum.len() == BLANK.len()) else {
        return false;
    };
    let blank = format!("{}{BLANK}{}", &text[..place], &text[place + BLANK.len()..]);
    hex(&Sha256::digest(blank)) == *checksum
}
