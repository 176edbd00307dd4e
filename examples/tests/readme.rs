//! The README says what the code does.

use bakestone::Limits;

const README: &str = include_str!("../../README.md");

/// A number of bytes as the README writes it.
fn bytes(count: usize) -> String {
    match count {
        count if count % (1 << 20) == 0 => format!("{} MiB", count >> 20),
        count if count % (1 << 10) == 0 => format!("{} KiB", count >> 10),
        count => count.to_string(),
    }
}

#[test]
fn its_limits_are_the_defaults() {
    let limits = Limits::default();
    let seconds = |time: std::time::Duration| format!("{} s", time.as_secs());
    let rows = [
        format!("| head: bytes, fields | {}, {} | 431 |", bytes(limits.head_bytes), limits.head_fields),
        format!("| target | {} | 414 |", bytes(limits.target_bytes)),
        format!("| chunk extensions of a body | {} | 400 |", bytes(limits.chunk_extension_bytes)),
        format!(
            "| trailers: bytes, fields | {}, {} | 431 |",
            bytes(limits.trailer_bytes),
            limits.trailer_fields
        ),
        format!("| buffered body | {} | 413 |", bytes(limits.buffered_body_bytes)),
        format!(
            "| form: fields; bytes of a field | {},000; {} | 413 |",
            limits.form_fields / 1000,
            bytes(limits.form_field_bytes)
        ),
        format!(
            "| unread body drained to keep the connection | {} | close |",
            bytes(limits.drained_body_bytes as usize)
        ),
        format!(
            "| output kept for a slow reader; read ahead | {}; {} | wait |",
            bytes(limits.output_bytes),
            bytes(limits.read_ahead)
        ),
        format!("| background tasks | {},000 | error |", limits.tasks / 1000),
        format!("| head, from its first byte or the accept | {} | 408 |", seconds(limits.head_time)),
        format!("| idle connection, from the last byte written | {} | close |", seconds(limits.idle_time)),
        format!(
            "| body: a silence; under {} B/s after {} | {} | 408 |",
            limits.minimum_rate,
            seconds(limits.rate_grace_time),
            seconds(limits.body_time)
        ),
        format!(
            "| writing: a silence; under {} B/s after {} | {} | reset |",
            limits.minimum_rate,
            seconds(limits.rate_grace_time),
            seconds(limits.write_time)
        ),
        format!("| linger after the last answer | {} | close |", seconds(limits.linger_time)),
        format!("| drain of the server | {} | reset |", seconds(limits.drain_time)),
    ];
    for row in rows {
        assert!(README.contains(&row), "the README does not say: {row}");
    }
    assert_eq!(limits.handler_time, None);
    assert!(README.contains("| handler | none | 503 |"));
}

#[test]
fn its_first_program_is_the_example() {
    let source = include_str!("../src/hello.rs");
    let program = source.split_once("\n\n").expect("a head comment").1;
    let program = program.split("\n#[cfg(test)]").next().expect("a program").trim_end();
    // What the tour needs to mount it is nothing that a first program has to say.
    let program = program.replace("pub(crate) ", "");
    assert!(
        README.contains(&format!("```rust\n{program}\n```")),
        "the README's program is not the example's"
    );
}

#[test]
fn its_test_is_one_of_ours() {
    let (_, test) = include_str!("patience.rs").split_once("\n\n").expect("a head comment");
    assert!(README.contains(&format!("```rust\n{}\n```", test.trim_end())), "the README's test is not ours");
}

#[test]
fn its_number_of_wire_cases_is_theirs() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../testkit/cases/h1");
    let cases: usize = std::fs::read_dir(folder)
        .expect("the folder of the cases")
        .map(|entry| std::fs::read_to_string(entry.expect("a file").path()).expect("a text"))
        .map(|text| text.lines().filter(|line| line.starts_with("## ")).count())
        .sum();
    assert!(README.contains(&format!(" {cases} cases that a person can\n")), "there are {cases}");
}
