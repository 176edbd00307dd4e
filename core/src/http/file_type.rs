//! The media type of a file, by its name.
//!
//! The rule: the table has what browsers and their servers exchange every day, and what is not in it is not guessed at:
//! a list of all registered types would be longer, never complete, and another one on every machine. Text is UTF-8.

/// The media type of a file of this name, by what stands after its last `.`, in any case; `None` for what is not in the
/// table, which is best sent as `application/octet-stream`.
///
/// ```
/// use bakestone::http::media_type_of;
///
/// assert_eq!(media_type_of("site/INDEX.HTML"), Some("text/html; charset=utf-8"));
/// assert_eq!(media_type_of("backup.tar.gz"), Some("application/gzip"));
/// assert_eq!(media_type_of("Makefile"), None);
/// ```
pub fn media_type_of(name: &str) -> Option<&'static str> {
    let file = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let (_, extension) = file.rsplit_once('.')?;
    // Longer ones are not in the table.
    let mut lower = [0; 16];
    let lower = lower.get_mut(..extension.len())?;
    lower.copy_from_slice(extension.as_bytes());
    lower.make_ascii_lowercase();
    let place = TYPES.binary_search_by(|(extension, _)| extension.as_bytes().cmp(lower)).ok()?;
    TYPES.get(place).map(|(_, media_type)| *media_type)
}

/// Sorted by extension.
const TYPES: [(&str, &str); 82] = [
    ("7z", "application/x-7z-compressed"),
    ("aac", "audio/aac"),
    ("apng", "image/apng"),
    ("atom", "application/atom+xml"),
    ("avi", "video/x-msvideo"),
    ("avif", "image/avif"),
    ("bmp", "image/bmp"),
    ("br", "application/x-brotli"),
    ("bz2", "application/x-bzip2"),
    ("cjs", "text/javascript; charset=utf-8"),
    ("css", "text/css; charset=utf-8"),
    ("csv", "text/csv; charset=utf-8"),
    ("doc", "application/msword"),
    ("docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    ("eot", "application/vnd.ms-fontobject"),
    ("epub", "application/epub+zip"),
    ("flac", "audio/flac"),
    ("gif", "image/gif"),
    ("glb", "model/gltf-binary"),
    ("gltf", "model/gltf+json"),
    ("gz", "application/gzip"),
    ("heic", "image/heic"),
    ("htm", "text/html; charset=utf-8"),
    ("html", "text/html; charset=utf-8"),
    ("ico", "image/vnd.microsoft.icon"),
    ("ics", "text/calendar; charset=utf-8"),
    ("jpeg", "image/jpeg"),
    ("jpg", "image/jpeg"),
    ("js", "text/javascript; charset=utf-8"),
    ("json", "application/json"),
    ("jsonld", "application/ld+json"),
    ("jxl", "image/jxl"),
    ("log", "text/plain; charset=utf-8"),
    ("m3u8", "application/vnd.apple.mpegurl"),
    ("m4a", "audio/mp4"),
    ("m4v", "video/mp4"),
    ("map", "application/json"),
    ("md", "text/markdown; charset=utf-8"),
    ("mjs", "text/javascript; charset=utf-8"),
    ("mkv", "video/matroska"),
    ("mov", "video/quicktime"),
    ("mp3", "audio/mpeg"),
    ("mp4", "video/mp4"),
    ("mpd", "application/dash+xml"),
    ("mpeg", "video/mpeg"),
    ("mpg", "video/mpeg"),
    ("odp", "application/vnd.oasis.opendocument.presentation"),
    ("ods", "application/vnd.oasis.opendocument.spreadsheet"),
    ("odt", "application/vnd.oasis.opendocument.text"),
    ("oga", "audio/ogg"),
    ("ogg", "audio/ogg"),
    ("ogv", "video/ogg"),
    ("opus", "audio/ogg"),
    ("otf", "font/otf"),
    ("pdf", "application/pdf"),
    ("png", "image/png"),
    ("ppt", "application/vnd.ms-powerpoint"),
    ("pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
    ("rss", "application/rss+xml"),
    ("rtf", "application/rtf"),
    ("svg", "image/svg+xml"),
    ("tar", "application/x-tar"),
    ("tif", "image/tiff"),
    ("tiff", "image/tiff"),
    ("ts", "video/mp2t"),
    ("ttf", "font/ttf"),
    ("txt", "text/plain; charset=utf-8"),
    ("vtt", "text/vtt; charset=utf-8"),
    ("wasm", "application/wasm"),
    ("wav", "audio/wav"),
    ("weba", "audio/webm"),
    ("webm", "video/webm"),
    ("webmanifest", "application/manifest+json"),
    ("webp", "image/webp"),
    ("woff", "font/woff"),
    ("woff2", "font/woff2"),
    ("xhtml", "application/xhtml+xml"),
    ("xls", "application/vnd.ms-excel"),
    ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ("xml", "application/xml"),
    ("zip", "application/zip"),
    ("zst", "application/zstd"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::MediaType;

    #[test]
    fn s33_types_by_name() {
        for (name, expected) in [
            ("a.txt", Some("text/plain; charset=utf-8")),
            ("A.JS", Some("text/javascript; charset=utf-8")),
            ("a.b.json", Some("application/json")),
            ("a.tar.gz", Some("application/gzip")),
            (".html", Some("text/html; charset=utf-8")),
            ("folder.html/file", None),
            (r"folder.html\file", None),
            ("file.unknown", None),
            ("file.", None),
            ("file", None),
            ("", None),
            ("a.html ", None),
            ("a.averyverylongextension", None),
            ("a.\u{e9}", None),
        ] {
            assert_eq!(media_type_of(name), expected, "{name}");
        }
    }

    #[test]
    fn the_table_is_sorted_and_sound() {
        assert!(TYPES.is_sorted_by(|one, other| one.0 < other.0));
        for (extension, media_type) in TYPES {
            assert_eq!(media_type_of(&format!("x.{extension}")), Some(media_type));
            assert!(MediaType::parse(media_type).is_some(), "{media_type}");
        }
    }
}
