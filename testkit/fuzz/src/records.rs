//! Scripts: records of one letter and a payload, with a byte between them that no dictionary word holds.
//!
//! The rule: any bytes are a script, and one that is cut or spliced is still one, so that a fuzzer's mutations
//! move bytes and not meanings.

/// Stands between two records.
pub const SEPARATOR: u8 = 0xff;

/// More records than this are left out: a longer script is only slower.
const RECORDS: usize = 64;

/// The records of a script: what to do, and with what.
pub fn records(script: &[u8]) -> impl Iterator<Item = (u8, &[u8])> + Clone {
    let records = script.split(|byte| *byte == SEPARATOR).take(RECORDS);
    records.filter_map(|record| record.split_first().map(|(letter, payload)| (*letter, payload)))
}

/// The payload's byte at `index`; 0 if it is shorter.
pub fn at(payload: &[u8], index: usize) -> usize {
    payload.get(index).map_or(0, |byte| usize::from(*byte))
}

/// The rest of the payload, from `index` on.
pub fn from(payload: &[u8], index: usize) -> &[u8] {
    payload.get(index..).unwrap_or_default()
}
