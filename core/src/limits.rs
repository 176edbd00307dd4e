//! Every limit and every deadline, with its default.
//!
//! The rule: a number that bounds a peer stands here and nowhere else.

use std::time::Duration;

use crate::leniency::Leniency;

const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;

/// Bounds on what a peer may send, keep waiting and make us keep.
///
/// Fields may be added, so it is made by changing the defaults, and not by a struct expression.
///
/// ```
/// use bakestone::Limits;
/// use std::time::Duration;
///
/// let mut limits = Limits::default();
/// limits.idle_time = Duration::from_secs(60);
/// assert_eq!(limits.head_bytes, 16 << 10);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of a message's head, skipped empty lines included; past it 431. 16 KiB.
    pub head_bytes: usize,
    /// Fields of a message's head; past it 431. 100.
    pub head_fields: usize,
    /// Bytes of a request's target; past it 414. 8 KiB.
    pub target_bytes: usize,
    /// Bytes of the chunk extensions of one body, together; past it 400. 16 KiB.
    pub chunk_extension_bytes: usize,
    /// Bytes of a trailer section; past it 431. 8 KiB.
    pub trailer_bytes: usize,
    /// Fields of a trailer section; past it 431. 32.
    pub trailer_fields: usize,
    /// Bytes of a body that is buffered whole (`bytes`, `text`, `json`); past it 413. 2 MiB.
    pub buffered_body_bytes: usize,
    /// Fields of a form; past it 413. 1,000.
    pub form_fields: usize,
    /// Bytes of a form of several parts (`multipart/form-data`), files and all; past it 413. 10 MiB.
    pub form_bytes: u64,
    /// Files of a form; past it 413. 1,000.
    pub form_files: usize,
    /// Bytes of the files of a form that are kept in memory, together: past it a file goes to the disk. 1 MiB.
    pub form_file_memory_bytes: usize,
    /// Bytes of a part's header section; past it 413. 16 KiB.
    pub part_head_bytes: usize,
    /// Fields of a part's header section; past it 413. 16.
    pub part_head_fields: usize,
    /// Bytes of one field of a form, its name and its value as they are sent; past it 413. 1 MiB.
    pub form_field_bytes: usize,
    /// Bytes of an unread request body that are read and discarded to keep the connection: a body of a longer
    /// or of an unknown length closes it. 64 KiB.
    pub drained_body_bytes: u64,
    /// Bytes of output kept for a peer that reads slowly: past it the handler waits. As many are read at a time, at most,
    /// of a peer that sends fast. More costs memory, and saves system calls with large bodies. 64 KiB.
    pub output_bytes: usize,
    /// Bytes read ahead while nobody asks for them, to learn of a hang-up. 16 KiB.
    pub read_ahead: usize,
    /// Bytes of a message on a WebSocket, inflated; past it the socket is closed with 1009. 16 MiB.
    pub websocket_message_bytes: usize,
    /// Bytes of a frame's payload on a WebSocket, as it is sent; past it the same. 16 MiB.
    pub websocket_frame_bytes: usize,
    /// Bytes that a WebSocket queues beside the output: past it who sends waits. 64 KiB.
    pub websocket_queue_bytes: usize,
    /// Tasks that one server may have spawned at a time. 10,000.
    pub tasks: usize,

    /// What is taken from a peer although it is not well-formed. Nothing.
    pub leniency: Leniency,

    /// From a head's first byte, or from the accept, to the head's end; past it 408. 10 s.
    pub head_time: Duration,
    /// Between two requests, from the last byte written; past it the connection is closed. 15 s.
    pub idle_time: Duration,
    /// Between two pieces of a body that is waited for; past it 408. Of a message on a WebSocket as well; past it the
    /// connection is reset. 30 s. A body of which little has come is cut off before that, by its
    /// [rate](Self::minimum_rate): one that stops after its first bytes ends at some 10 s.
    pub body_time: Duration,
    /// Between two pieces of output taken by the peer; past it the connection is reset. 30 s.
    pub write_time: Duration,
    /// Bytes a second that a body, a message on a WebSocket and a response must make on average, counted after
    /// [`rate_grace_time`](Self::rate_grace_time) and only while they are waited for. 100; 0 turns it off.
    pub minimum_rate: u32,
    /// How long a transfer may be slower than [`minimum_rate`](Self::minimum_rate). 10 s.
    pub rate_grace_time: Duration,
    /// From the head's end to the response; past it the handler is dropped and answered for with 503. None.
    pub handler_time: Option<Duration>,
    /// From the end of the last response to the close, while the peer may still be sending. 5 s.
    pub linger_time: Duration,
    /// From one ping on a WebSocket to the next; without it none is sent. 30 s.
    pub websocket_ping_time: Option<Duration>,
    /// From a ping to anything that the peer sends; past it the connection is reset. 20 s.
    pub websocket_pong_time: Duration,
    /// From our close of a WebSocket to the peer's; past it the connection is closed without. 5 s.
    pub websocket_close_time: Duration,
    /// From the call to drain to the end of every connection and task. 10 s.
    pub drain_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            head_bytes: 16 * KIB,
            head_fields: 100,
            target_bytes: 8 * KIB,
            chunk_extension_bytes: 16 * KIB,
            trailer_bytes: 8 * KIB,
            trailer_fields: 32,
            buffered_body_bytes: 2 * MIB,
            form_fields: 1_000,
            form_bytes: 10 << 20,
            form_files: 1_000,
            form_file_memory_bytes: MIB,
            part_head_bytes: 16 * KIB,
            part_head_fields: 16,
            form_field_bytes: MIB,
            drained_body_bytes: 64 << 10,
            output_bytes: 64 * KIB,
            read_ahead: 16 * KIB,
            websocket_message_bytes: 16 * MIB,
            websocket_frame_bytes: 16 * MIB,
            websocket_queue_bytes: 64 * KIB,
            tasks: 10_000,
            leniency: Leniency::default(),
            head_time: Duration::from_secs(10),
            idle_time: Duration::from_secs(15),
            body_time: Duration::from_secs(30),
            write_time: Duration::from_secs(30),
            minimum_rate: 100,
            rate_grace_time: Duration::from_secs(10),
            handler_time: None,
            linger_time: Duration::from_secs(5),
            websocket_ping_time: Some(Duration::from_secs(30)),
            websocket_pong_time: Duration::from_secs(20),
            websocket_close_time: Duration::from_secs(5),
            drain_time: Duration::from_secs(10),
        }
    }
}

impl Limits {
    /// The most memory, in bytes, that core keeps alive for one connection, whatever the peer does, where the driver reads
    /// at most [`output_bytes`](Self::output_bytes) at a time, or 16 KiB. What handlers keep for themselves comes on top, and
    /// what a WebSocket is for: a message on its way in, of
    /// [`websocket_message_bytes`](Self::websocket_message_bytes), and the queue on the way out, of
    /// [`websocket_queue_bytes`](Self::websocket_queue_bytes).
    ///
    /// It counts capacity and not content: a growing buffer is at most twice what it holds, and a slice of one
    /// byte keeps its whole block.
    pub fn max_buffered(&self) -> usize {
        // A head's fields stand in a table beside its bytes.
        const FIELD_ENTRY: usize = 192;
        const REST: usize = 16 * KIB;
        let read = self.output_bytes.max(16 * KIB);
        let input = [self.head_bytes.max(self.read_ahead).max(self.trailer_bytes), read];
        let fields = self.head_fields.saturating_add(self.trailer_fields).saturating_mul(FIELD_ENTRY);
        // What waits for the peer, one piece of a body beyond the mark, and the next head.
        let output = [self.output_bytes, 2 * crate::effect::FILE_CHUNK, self.head_bytes];
        // A raw target is encoded into memory of its own.
        let target = if self.leniency.raw_target { self.target_bytes } else { 0 };
        let twice = input.into_iter().chain(output).map(|bytes| bytes.saturating_mul(2));
        twice.chain([fields, target, REST]).fold(0, usize::saturating_add)
    }
}
