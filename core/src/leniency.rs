//! What the HTTP/1.1 codec takes although it is not well-formed, if it is told to.
//!
//! The rule: a switch is here only if no RFC forbids what it opens and clients are known to need it. Each opens one
//! thing, and what gets through is read in one way and shown in well-formed shape to all that stands behind.

macro_rules! switches {
    ($($(#[doc = $text:literal])+ $name:ident,)+) => {
        /// Switches that make the HTTP/1.1 codec more lenient, in both roles; all are off by default.
        ///
        /// Each is a risk: what one reader takes and another refuses, or reads otherwise, is what request smuggling
        /// lives on (RFC 9112, section 11.2). Switch on what a client of yours needs, and nothing else.
        ///
        /// There is no switch for a bare CR, whitespace before the colon, a Transfer-Encoding other than exactly
        /// `chunked`, one in HTTP/1.0, a chunk size with a sign, with too many digits or with none, or a chunk line
        /// without its CRLF: two readers would disagree where a message ends. There is none for a missing or a
        /// repeated `Host` either, since RFC 9112, section 3.2, demands that those be refused. What is sent is as
        /// strict as ever.
        ///
        /// ```
        /// use bakestone::Limits;
        ///
        /// let mut limits = Limits::default();
        /// limits.leniency.bare_lf = true;
        /// ```
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct Leniency {
            $($(#[doc = $text])+ pub $name: bool,)+
        }

        impl Leniency {
            /// The name of every switch, as that of its field.
            pub const NAMES: &'static [&'static str] = &[$(stringify!($name)),+];

            /// Turns on the switch of this name; false if there is none.
            #[must_use]
            pub fn switch_on(&mut self, name: &str) -> bool {
                match name {
                    $(stringify!($name) => self.$name = true,)+
                    _ => return false,
                }
                true
            }
        }
    };
}

switches! {
    /// A line of a head or of a trailer section may end with LF alone, as may an empty line before a request (RFC
    /// 9112, section 2.2). The lines of the chunked coding still end with CRLF.
    ///
    /// The risk: whoever stands in front and takes the LF for a part of a value sees other fields.
    bare_lf,
    /// A field line may go on in the next one, which begins with whitespace (obs-fold); the line end and the
    /// whitespace around it are read as spaces (RFC 9112, section 5.2). The first line of a section cannot be such
    /// a continuation. One that has nothing but whitespace is still refused, since some take it for the end of the
    /// head; so is one of `Content-Length`, `Host` or `Transfer-Encoding`.
    ///
    /// The risk: whoever stands in front and does not join the lines may take the second for a field of its own.
    line_folding,
    /// A `Content-Length` that says one valid number several times, as a list or on several lines, is that number
    /// once (RFC 9110, section 8.6; RFC 9112, section 6.3). Numbers that differ are still refused.
    ///
    /// The risk: somebody in front has merged messages, and what arrives is not what was sent.
    repeated_content_length,
    /// A message with both `Transfer-Encoding` and `Content-Length` is read by the first; the second is removed,
    /// and the connection closes after the exchange (RFC 9112, sections 6.1 and 6.3).
    ///
    /// The risk: whoever stands in front and goes by the length sees another end. The close keeps the bytes that
    /// follow from being a request; the content itself can be another than the one that was checked in front.
    transfer_encoding_over_content_length,
    /// A request's path and query may hold bytes which ought to be percent-encoded and which browsers and scripts
    /// send as they are: those that are not ASCII, `"`, `<`, `>`, `\` and the grave accent. They are
    /// percent-encoded, so that all that stands behind sees them like those that came encoded (RFC 3986, section
    /// 2.1), and the limit of the target counts them as such. Controls, space and `#` are still refused; `^`, `{`,
    /// `|` and `}` need no switch.
    ///
    /// The risk: whoever stands in front may check another path than the one that is served, above all where `\`
    /// counts as `/`. That is why RFC 9112, section 3.2, advises to refuse such a target or to redirect.
    raw_target,
    /// A target in absolute form may name another server than `Host` does: it wins, and `Host` is replaced (RFC
    /// 9112, section 3.2.2). `Host` must still be there once, and be valid; CONNECT must still agree with it.
    ///
    /// The risk: whoever stands in front and goes by `Host` has let the request through to another site.
    host_mismatch,
}
