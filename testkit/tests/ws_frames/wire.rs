//! Frames as they stand on the wire, for either end.
//!
//! The rule: it writes whatever it is told, right or wrong, and shares no code with what is tested.

use bakestone::ws::Role;

/// Frames that go to one end.
pub(crate) struct Wire {
    role: Role,
    pub(crate) bytes: Vec<u8>,
    /// Where the head of each frame begins, and where its payload does.
    pub(crate) places: Vec<(usize, usize)>,
}

impl Wire {
    pub(crate) fn to(role: Role) -> Self {
        Self { role, bytes: Vec::new(), places: Vec::new() }
    }

    /// Bytes as they are.
    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        self.places.push((self.bytes.len(), self.bytes.len()));
        self.bytes.extend(bytes);
    }

    /// A frame with this head; one without a payload breaks off behind the head.
    pub(crate) fn put(&mut self, head: &[u8], payload: Option<&[u8]>) {
        let begin = self.bytes.len();
        self.bytes.extend(head);
        let number = self.places.len() as u8;
        let key = [0x37_u8, 0xfa, 0x21, 0x3d].map(|byte| byte.wrapping_add(number));
        let is_masked = self.role == Role::Server;
        if let Some(second) = self.bytes[begin..].get_mut(1).filter(|_| is_masked) {
            *second |= 0x80;
        }
        if payload.is_some() && is_masked {
            self.bytes.extend(key);
        }
        self.places.push((begin, self.bytes.len()));
        let masks = key.into_iter().cycle().map(|mask| if is_masked { mask } else { 0 });
        self.bytes.extend(payload.unwrap_or_default().iter().zip(masks).map(|(byte, mask)| byte ^ mask));
    }

    /// A frame with this first byte, and a length in its shortest form.
    pub(crate) fn frame(&mut self, first: u8, payload: &[u8]) {
        let mut head = vec![first];
        match payload.len() {
            length @ 0..126 => head.push(length as u8),
            length @ 126..65536 => {
                head.push(126);
                head.extend((length as u16).to_be_bytes());
            }
            length => {
                head.push(127);
                head.extend((length as u64).to_be_bytes());
            }
        }
        self.put(&head, Some(payload));
    }
}
