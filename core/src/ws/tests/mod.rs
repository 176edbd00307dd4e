//! What a connection does with each byte, which nobody can see from outside.

use bytes::BytesMut;

use super::{Config, Conn, Event, Role, mask};

const MIB: usize = 1 << 20;

/// A message in fragments of so many bytes each.
fn stream(opcode: u8, length: usize, fragment: usize) -> Vec<u8> {
    let mut stream = Vec::new();
    for begin in (0..length).step_by(fragment) {
        let fin = if begin + fragment >= length { 0x80 } else { 0 };
        let part = fragment.min(length - begin);
        stream.push(fin | if begin == 0 { opcode } else { 0 });
        stream.push(0x80 | 127);
        stream.extend((part as u64).to_be_bytes());
        stream.extend([0; 4]);
        stream.resize(stream.len() + part, b'a');
    }
    stream
}

#[test]
fn the_work_is_linear_in_the_bytes() {
    for (length, fragment, at_once) in [
        (16 * MIB, 16 * MIB, 16 << 10),
        (MIB, MIB, 2 * MIB),
        (MIB, MIB, 1460),
        (MIB, MIB, 100),
        (MIB, 1 << 17, 16 << 10),
        (MIB, 1 << 16, 1460),
    ] {
        // A text is unmasked, checked as it comes, and checked as a whole.
        for (opcode, times) in [(1, 3), (2, 1)] {
            let told = format!("{length} bytes, {fragment} in a fragment, {at_once} at once");
            let mut conn = Conn::new(Role::Server, Config::default());
            let (mut input, mut moved, mut received) = (BytesMut::new(), 0, None);
            for piece in stream(opcode, length, fragment).chunks(at_once) {
                let (place, there) = (input.as_ptr(), input.len());
                input.extend_from_slice(piece);
                moved += if input.as_ptr() == place { 0 } else { there };
                if let Event::Message(message) = conn.next(&mut input).unwrap() {
                    received = Some(message.len());
                }
            }
            assert_eq!(received, Some(length), "{told}");
            assert!(conn.examined() <= (times * length) as u64, "{} for {told}", conn.examined());
            assert!(moved <= 2 * length, "{moved} bytes were moved: {told}");
        }
    }
}

#[test]
fn a_text_a_byte_at_a_time_is_looked_at_once() {
    let text = "🍞€ü".repeat(10_000);
    let (mut valid, mut looked_at) = (0, 0);
    for end in 1..=text.len() {
        looked_at += end - valid;
        super::utf8::advance(&text.as_bytes()[..end], &mut valid).unwrap();
    }
    assert_eq!(valid, text.len());
    assert!(looked_at <= 4 * text.len(), "{looked_at} for {}", text.len());
}

#[test]
fn a_mask_is_the_same_at_every_length_and_place() {
    let key = [0x37, 0xfa, 0x21, 0x3d];
    for length in (0..200).chain([1023, 1024, 1025, 4099]) {
        let bytes: Vec<u8> = (0..length).map(|index| index as u8).collect();
        let naive: Vec<u8> = bytes.iter().enumerate().map(|(index, byte)| byte ^ key[index % 4]).collect();
        for cut in 0..length.min(70) {
            let mut masked = bytes.clone();
            let (begin, rest) = masked.split_at_mut(cut);
            mask::apply(begin, key, 0);
            mask::apply(rest, key, cut);
            assert_eq!(masked, naive, "{length} bytes, cut at {cut}");
        }
    }
    let mut masked = [0; 8];
    mask::apply(&mut masked, key, usize::MAX);
    assert_eq!(masked, [0x3d, 0x37, 0xfa, 0x21, 0x3d, 0x37, 0xfa, 0x21]);
}

#[test]
fn input_that_is_taken_away_is_no_panic() {
    for opcode in [1, 2] {
        let stream = stream(opcode, MIB, MIB);
        let mut conn = Conn::new(Role::Server, Config::default());
        let mut input = BytesMut::from(&stream[..1000]);
        for _ in 0..3 {
            assert_eq!(conn.next(&mut input), Ok(Event::NeedInput));
            input.clear();
        }
        let mut input = BytesMut::from(&stream[14..]);
        assert!(matches!(conn.next(&mut input), Ok(Event::Message(_)) | Err(_)));
    }
}
