//! Limits as lines of a tape's head.
//!
//! The rule: only what differs from the default is said, so that a tape reads the same when a default changes for
//! reasons that have nothing to do with it.

use std::time::Duration;

use super::text::{parse_time, time};
use crate::leniency::Leniency;
use crate::limits::Limits;

/// A limit as text and back.
trait Value: Sized {
    fn to_text(&self) -> String;
    fn from_text(text: &str) -> Option<Self>;
}

macro_rules! numbers {
    ($($number:ty),+) => {$(
        impl Value for $number {
            fn to_text(&self) -> String {
                self.to_string()
            }

            fn from_text(text: &str) -> Option<Self> {
                text.parse().ok()
            }
        }
    )+};
}

numbers!(usize, u64, u32);

impl Value for Duration {
    fn to_text(&self) -> String {
        time(*self)
    }

    fn from_text(text: &str) -> Option<Self> {
        parse_time(text)
    }
}

impl Value for Option<Duration> {
    fn to_text(&self) -> String {
        self.map_or("none".to_owned(), time)
    }

    fn from_text(text: &str) -> Option<Self> {
        if text == "none" { Some(None) } else { parse_time(text).map(Some) }
    }
}

macro_rules! limits {
    ($($name:ident)+) => {
        /// The names of all limits.
        #[cfg(test)]
        pub(super) const NAMES: &[&str] = &[$(stringify!($name)),+];

        /// Each limit that is not the default one, with its value.
        pub(super) fn changed(limits: &Limits) -> Vec<(&'static str, String)> {
            let usual = Limits::default();
            let mut changed = Vec::new();
            $(if limits.$name != usual.$name {
                changed.push((stringify!($name), limits.$name.to_text()));
            })+
            changed
        }

        /// Sets the limit of this name; `None` if there is none, or it has no such value.
        pub(super) fn set(limits: &mut Limits, name: &str, value: &str) -> Option<()> {
            match name {
                $(stringify!($name) => limits.$name = Value::from_text(value)?,)+
                _ => return None,
            }
            Some(())
        }
    };
}

limits! {
    head_bytes head_fields target_bytes chunk_extension_bytes trailer_bytes trailer_fields buffered_body_bytes
    form_fields form_bytes form_files form_file_memory_bytes part_head_bytes part_head_fields form_field_bytes
    drained_body_bytes output_bytes read_ahead websocket_message_bytes websocket_frame_bytes
    websocket_queue_bytes tasks head_time idle_time body_time write_time minimum_rate rate_grace_time
    handler_time linger_time websocket_ping_time websocket_pong_time websocket_close_time drain_time
}

/// The names of the switches that are on.
pub(super) fn lenient(leniency: &Leniency) -> impl Iterator<Item = &'static str> {
    let shown = format!("{leniency:?}");
    Leniency::NAMES.iter().copied().filter(move |name| shown.contains(&format!(" {name}: true")))
}
