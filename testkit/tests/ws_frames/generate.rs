//! Streams of frames that are right, and ways to spoil them.

use bakestone::ws::Role;

use crate::seed::Random;
use crate::wire::Wire;

/// A stream of a few messages, whole and in fragments, with control frames in between.
pub(crate) fn stream(role: Role, random: &mut Random) -> Vec<u8> {
    let mut wire = Wire::to(role);
    for _ in 0..1 + random.below(4) {
        message(&mut wire, random);
    }
    if random.below(3) == 0 {
        let code = [1000_u16, 1001, 1009, 1014, 3000, 4999][random.below(6)].to_be_bytes();
        let reason = text(random, 20);
        match random.below(2) {
            0 => wire.frame(0x88, b""),
            _ => wire.frame(0x88, &[&code[..], reason.as_bytes()].concat()),
        }
    }
    wire.bytes
}

fn message(wire: &mut Wire, random: &mut Random) {
    let longest = [4, 40, 300][random.below(3)];
    let (opcode, content) = match random.below(2) {
        0 => (1, text(random, longest).into_bytes()),
        _ => (2, (0..random.below(longest)).map(|_| random.next() as u8).collect()),
    };
    control(wire, random);
    let mut rest = &content[..];
    let mut first = opcode;
    // A text may be cut inside of a character.
    for _ in 0..[0, 0, 1, 3][random.below(4)] {
        let (piece, after) = rest.split_at(random.below(rest.len() + 1));
        wire.frame(first, piece);
        control(wire, random);
        (first, rest) = (0, after);
    }
    wire.frame(0x80 | first, rest);
}

fn control(wire: &mut Wire, random: &mut Random) {
    if random.below(4) == 0 {
        let payload: Vec<u8> = (0..random.below(6)).map(|_| random.next() as u8).collect();
        wire.frame([0x89, 0x8a][random.below(2)], &payload);
    }
}

fn text(random: &mut Random, longest: usize) -> String {
    const CHARACTERS: [char; 8] = ['a', ' ', '\0', 'ü', '€', '\u{d7ff}', '🍞', '\u{10ffff}'];
    (0..random.below(longest)).map(|_| CHARACTERS[random.below(CHARACTERS.len())]).collect()
}

/// Changes, takes out or puts in a byte somewhere; where heads stand, more often than not.
pub(crate) fn spoil(stream: &mut Vec<u8>, random: &mut Random) {
    if stream.is_empty() {
        return;
    }
    let reach = [stream.len(), stream.len(), 2][random.below(3)];
    let at = random.below(reach.min(stream.len()));
    match random.below(5) {
        0 => stream[at] ^= 1 << random.below(8),
        1 => stream[at] = random.next() as u8,
        2 => stream.insert(at, random.next() as u8),
        3 => stream.truncate(at),
        _ => _ = stream.remove(at),
    }
}
