//! WebSocket frames at the client's end: the same whole, cut and byte by byte, and without compression what a naive reader
//! finds; and what the other end sends, read back. What the bytes mean stands at [`ws::perform`].
#![no_main]

use bakestone::ws::Role;
use bakestone_fuzz::ws;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| ws::perform(Role::Client { mask_seed: 1 }, data));
