//! File names that are good on every system.
//!
//! The rule: what comes out names a file in the folder it is joined to, and that file only, on Unix and on Windows.

/// The longest name of a file that the common file systems take, in bytes.
const LONGEST: usize = 255;

/// A name made from what a client sent; `None` if nothing is left.
pub(super) fn safe(sent: &str) -> Option<String> {
    let last = sent.rsplit(['/', '\\']).next().unwrap_or_default();
    let kept = last.chars().filter(|character| !is_hidden(*character));
    let replaced: String =
        kept.map(|character| if is_reserved_char(character) { '_' } else { character }).collect();
    // A dot in front hides a file or names a folder; Windows does not see a dot or a space at the end.
    let name = trim(replaced.trim_start_matches(is_dot_or_space));
    let name = if is_reserved(name) { format!("_{name}") } else { name.to_owned() };
    let name = trim(cut(&name));
    (!name.is_empty()).then(|| name.to_owned())
}

/// Control characters, and those that turn the direction of what is shown.
fn is_hidden(character: char) -> bool {
    character.is_control() || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn is_reserved_char(character: char) -> bool {
    matches!(character, '<' | '>' | ':' | '"' | '|' | '?' | '*')
}

fn is_dot_or_space(character: char) -> bool {
    character == '.' || character.is_whitespace()
}

fn trim(name: &str) -> &str {
    name.trim_end_matches(is_dot_or_space)
}

/// Whether Windows takes it for a device, whatever its extension.
fn is_reserved(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_ascii_uppercase();
    if matches!(&stem[..], "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$") {
        return true;
    }
    let number = stem.strip_prefix("COM").or_else(|| stem.strip_prefix("LPT")).unwrap_or_default();
    matches!(
        number,
        "0" | "1" | "2" | "3" | "4" | "5" | "6" | "7" | "8" | "9" | "\u{b9}" | "\u{b2}" | "\u{b3}"
    )
}

fn cut(name: &str) -> &str {
    let mut end = name.len().min(LONGEST);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    &name[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f14_names_are_good_on_every_system() {
        for (sent, expected) in [
            ("cake.txt", Some("cake.txt")),
            ("../../etc/passwd", Some("passwd")),
            (r"C:\files\1k_b.dat", Some("1k_b.dat")),
            (r"a\..\b/c.txt", Some("c.txt")),
            ("a/", None),
            ("", None),
            (".", None),
            ("..", None),
            ("...", None),
            (" . ", None),
            (".htaccess", Some("htaccess")),
            ("..a", Some("a")),
            ("a.", Some("a")),
            ("a. . ", Some("a")),
            ("a\0.php", Some("a.php")),
            ("a\r\nb", Some("ab")),
            ("\u{85}\u{7f}", None),
            ("C:a.txt", Some("C_a.txt")),
            ("a.txt::$DATA", Some("a.txt__$DATA")),
            ("a<b>\"c|d?e*", Some("a_b__c_d_e_")),
            ("con", Some("_con")),
            ("CON.txt", Some("_CON.txt")),
            ("aux .tar.gz", Some("_aux .tar.gz")),
            ("Lpt9.x", Some("_Lpt9.x")),
            ("com\u{b9}", Some("_com\u{b9}")),
            ("conin$", Some("_conin$")),
            (".con", Some("_con")),
            ("com10", Some("com10")),
            ("console", Some("console")),
            ("gpj.\u{202e}exe", Some("gpj.exe")),
            ("n\u{e4}me \u{2603}.txt", Some("n\u{e4}me \u{2603}.txt")),
        ] {
            assert_eq!(safe(sent).as_deref(), expected, "{sent:?}");
        }
    }

    #[test]
    fn a_long_name_is_cut_between_characters() {
        for (sent, length) in [
            ("a".repeat(255), 255),
            ("a".repeat(300), 255),
            ("\u{e4}".repeat(200), 254),
            ("\u{2603}".repeat(100), 255),
            (format!("{}.{}", "a".repeat(253), "b".repeat(9)), 255),
            (format!("{}...{}", "a".repeat(252), "b".repeat(9)), 252),
        ] {
            assert_eq!(safe(&sent).map(|name| name.len()), Some(length), "{sent}");
        }
    }
}
