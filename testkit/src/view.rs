//! What two streams of HTTP/1 responses have in common, however they were cut.
//!
//! The rule: a view is lenient and total. It is not a parser to check responses with; what it does not
//! understand it leaves as it is, so that two runs are then compared byte for byte.

/// A stream of HTTP/1 responses without what the cutting of the input may change: interim
/// `100 Continue` responses are left out, and the chunks of a chunked body are joined.
///
/// A response without a body of its own to a `HEAD` is known by the next response standing in its place.
///
/// ```
/// use bakestone_testkit::http1_view;
///
/// let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
/// let one = format!("HTTP/1.1 100 Continue\r\n\r\n{head}5\r\nhello\r\n0\r\n\r\n");
/// let two = format!("{head}2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n");
/// assert_eq!(http1_view(one.as_bytes()), http1_view(two.as_bytes()));
/// ```
pub fn http1_view(stream: &[u8]) -> Vec<u8> {
    let mut rest = stream;
    let mut view = Vec::with_capacity(stream.len());
    while let Some((head, after)) = head(rest) {
        rest = after;
        let status = head.split(|byte| *byte == b' ').nth(1).unwrap_or_default();
        if status == b"100" {
            continue;
        }
        view.extend_from_slice(head);
        rest = match status {
            b"101" => break,
            [b'1', ..] | b"204" | b"304" => rest,
            _ if rest.starts_with(b"HTTP/1.") => rest,
            _ if is_chunked(head) => join_chunks(rest, &mut view),
            _ => {
                let length = content_length(head).unwrap_or(rest.len()).min(rest.len());
                view.extend_from_slice(&rest[..length]);
                &rest[length..]
            }
        };
    }
    view.extend_from_slice(rest);
    view
}

/// The head at the front, its empty line included.
fn head(stream: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = stream.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    stream.starts_with(b"HTTP/1.").then(|| stream.split_at(end))
}

fn fields<'a>(head: &'a [u8], name: &'a str) -> impl Iterator<Item = &'a [u8]> {
    head.split(|byte| *byte == b'\n').filter_map(move |line| {
        let colon = line.iter().position(|byte| *byte == b':')?;
        line[..colon].eq_ignore_ascii_case(name.as_bytes()).then(|| line[colon + 1..].trim_ascii())
    })
}

fn is_chunked(head: &[u8]) -> bool {
    fields(head, "transfer-encoding").any(|value| value.to_ascii_lowercase().ends_with(b"chunked"))
}

fn content_length(head: &[u8]) -> Option<usize> {
    std::str::from_utf8(fields(head, "content-length").next()?).ok()?.parse().ok()
}

/// Appends the data of a chunked body to `view`, and then its last chunk and its trailers as they are. A body
/// that is cut off ends in what is left of it.
fn join_chunks<'a>(mut rest: &'a [u8], view: &mut Vec<u8>) -> &'a [u8] {
    while let Some((size, data)) = chunk_size(rest) {
        if size == 0 {
            let end = trailers_end(data).unwrap_or(data.len());
            view.extend_from_slice(b"\r\n0\r\n");
            view.extend_from_slice(&data[..end]);
            return &data[end..];
        }
        let data_here = size.min(data.len());
        view.extend_from_slice(&data[..data_here]);
        rest = &data[data_here..];
        rest = rest.strip_prefix(b"\r\n").unwrap_or(rest);
    }
    rest
}

pub(crate) fn chunk_size(rest: &[u8]) -> Option<(usize, &[u8])> {
    let end = rest.windows(2).position(|two| two == b"\r\n")?;
    let digits = rest[..end].split(|byte| *byte == b';').next()?;
    let size = usize::from_str_radix(std::str::from_utf8(digits.trim_ascii()).ok()?, 16).ok()?;
    Some((size, &rest[end + 2..]))
}

/// Where a trailer section ends, its empty line included.
fn trailers_end(section: &[u8]) -> Option<usize> {
    if section.starts_with(b"\r\n") {
        return Some(2);
    }
    Some(section.windows(4).position(|four| four == b"\r\n\r\n")? + 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(text: &str) -> String {
        String::from_utf8_lossy(&http1_view(text.as_bytes())).into_owned()
    }

    #[test]
    fn interim_responses_go_and_all_else_stays() {
        let ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
        assert_eq!(view(&format!("{ok}HTTP/1.1 100 Continue\r\n\r\n{ok}")), format!("{ok}{ok}"));
        for stream in ["", "HTTP/1.1 20", "not http\r\n\r\n", "HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n"] {
            assert_eq!(view(stream), stream);
        }
    }

    #[test]
    fn a_response_to_head_takes_nothing_from_the_next() {
        let head = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n";
        let next = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        assert_eq!(
            view(&format!("{head}{next}1\r\na\r\n1\r\nb\r\n0\r\n\r\n")),
            format!("{head}{next}ab\r\n0\r\n\r\n")
        );
    }

    #[test]
    fn chunk_boundaries_go_and_trailers_and_truncation_stay() {
        let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n";
        assert_eq!(
            view(&format!("{head}2;x=y\r\nab\r\n0\r\nA: b\r\n\r\nHTTP/1.1 ")),
            format!("{head}ab\r\n0\r\nA: b\r\n\r\nHTTP/1.1 ")
        );
        assert_eq!(view(&format!("{head}a\r\nabc")), format!("{head}abc"));
        assert_ne!(view(&format!("{head}3\r\nabc\r\n")), view(&format!("{head}3\r\nabc\r\n0\r\n\r\n")));
    }

    #[test]
    fn a_tunnel_is_left_alone() {
        let tunnel = "HTTP/1.1 101 Switching Protocols\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n";
        assert_eq!(view(tunnel), tunnel);
    }
}
