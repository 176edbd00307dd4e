//! What a form is read as, and within which bounds.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bakestone::{
    App, Error, Form, FormData, FormOptions, Limits, Request, Result, Session, StatusCode, Text,
    UploadedFile, post,
};
use bakestone_testkit::{MemoryFiles, Wire};

use crate::{ends, head, part, request, wire};

/// What is held in memory has a bound of its own, however long a form may be because of its files.
#[test]
fn r15_f17_a_form_may_be_long_because_of_its_files_and_not_of_its_fields() {
    async fn save(mut request: Request) -> Result<Text<String>> {
        let form =
            request.form_with(FormOptions::new().form_bytes(u64::MAX).form_field_bytes(usize::MAX)).await?;
        Ok(Text(form.files().len().to_string()))
    }
    const FORM: &str = "application/x-www-form-urlencoded";
    let mut urlencoded = wire(App::new().route("/", post(save)), &MemoryFiles::new());
    urlencoded.feed(format!(
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Type: {FORM}\r\nContent-Length: 300000000\r\n\r\n"
    ));
    urlencoded.expect_start("HTTP/1.1 413 ");

    let large = "x".repeat((2 << 20) - 1000);
    let mut files = wire(App::new().route("/", post(save)), &MemoryFiles::new());
    files.feed(request(&[part("name=a; filename=a", &large), part("name=b", &large)]));
    ends(&mut files, 200, "1");
    let mut fields = wire(App::new().route("/", post(save)), &MemoryFiles::new());
    let whole = request(&[part("name=a", &"x".repeat(2000)), part("name=b", &large)]);
    fields.feed(&whole[..whole.len() - 20]);
    fields.expect_start("HTTP/1.1 413 ");
}

#[derive(serde::Deserialize)]
struct Cake {
    name: String,
    #[serde(default)]
    slices: Vec<u8>,
    picture: UploadedFile,
    recipe: Option<UploadedFile>,
    #[serde(default)]
    more: Vec<UploadedFile>,
}

async fn bake(Form(cake): Form<Cake>) -> Result<Text<String>> {
    let picture = cake.picture.read(100).await?;
    let more: u64 = cake.more.iter().map(UploadedFile::size).sum();
    let recipe = cake.recipe.map(|recipe| recipe.size());
    Ok(Text(format!("{} {:?} {picture:?} {recipe:?} {more}", cake.name, cake.slices)))
}

#[test]
fn f08_f16_a_form_as_a_type_with_files() {
    let (name, picture) = (part("name=name", "welsh"), part("name=picture; filename=p.png", "png"));
    let empty = part(r#"name=recipe; filename="""#, "");
    for (parts, status, expected) in [
        (vec![name.clone(), picture.clone()], 200, r#"welsh [] b"png" None 0"#),
        (
            vec![
                part("name=more; filename=1", "12"),
                part("name=slices", "3"),
                picture.clone(),
                part("name=slices", "4"),
                name.clone(),
                part("name=more; filename=2", "345"),
                part("name=recipe; filename=r", "flour"),
            ],
            200,
            r#"welsh [3, 4] b"png" Some(5) 5"#,
        ),
        (vec![name.clone(), picture.clone(), empty], 200, r#"welsh [] b"png" None 0"#),
        (vec![name.clone()], 400, "the form's `picture` is missing"),
        (
            vec![name.clone(), part(r#"name=picture; filename="""#, "")],
            400,
            "the form's `picture` is missing",
        ),
        (
            vec![name.clone(), part("name=picture", "png")],
            400,
            "the form's `picture` must be a file, and is something else",
        ),
        (
            vec![part("name=name; filename=n", "welsh"), picture.clone()],
            400,
            "the form's `name` must be text, and is a file",
        ),
        (
            vec![name.clone(), picture.clone(), picture.clone()],
            400,
            "the form's `picture` must be one value, and is there more than once",
        ),
        (
            vec![name, picture, part("name=slices; filename=n", "3")],
            400,
            "the form's `slices` must be a whole number from 0 to 255, and is a file",
        ),
    ] {
        let mut wire = wire(App::new().route("/", post(bake)), &MemoryFiles::new());
        wire.feed(request(&parts));
        ends(&mut wire, status, expected);
    }
}

#[test]
fn a_form_without_a_type() {
    async fn portrait(mut form: FormData) -> Result<Text<String>> {
        let age: u8 = form.field("age")?;
        let file = form.file("portrait")?;
        Ok(Text(format!("{age} {:?} {} {}", file.filename(), file.size(), form.files().len())))
    }
    let (age, file) = (part("name=age", "7"), part("name=portrait; filename=p", "png"));
    for (parts, status, expected) in [
        (vec![age.clone(), file.clone(), file.clone()], 200, r#"7 Some("p") 3 1"#),
        (vec![file.clone()], 400, "the form's `age` is missing"),
        (vec![age.clone(), age.clone(), file.clone()], 400, "the form's `age` must be one value"),
        (vec![part("name=age", "old"), file], 400, "the form's `age` must be of the needed form"),
        (vec![age.clone()], 400, "the form's `portrait` is missing"),
        (vec![age, part(r#"name=portrait; filename="""#, "")], 400, "the form's `portrait` is missing"),
    ] {
        let mut wire = wire(App::new().route("/", post(portrait)), &MemoryFiles::new());
        wire.feed(request(&parts));
        ends(&mut wire, status, expected);
    }
}

#[test]
fn f15_values_in_their_character_sets() {
    async fn show(form: FormData) -> Text<String> {
        Text(format!("{:?}", *form))
    }
    let latin = "--b\r\nContent-Disposition: form-data; name=a\r\nContent-Type: text/plain; charset=latin1\r\n\r\n\u{e9}\r\n";
    for (parts, status, expected) in [
        (vec![part("name=a", "\u{e9}")], 200, "{\"a\": \"\u{e9}\"}"),
        (vec![latin.to_owned()], 200, "{\"a\": \"\u{c3}\u{a9}\"}"),
        (
            vec![part("name=a", "\u{e9}"), part("name=_charset_", "iso-8859-1")],
            200,
            "{\"a\": \"\u{c3}\u{a9}\", \"_charset_\": \"iso-8859-1\"}",
        ),
        (vec![part("name=_charset_", "klingon")], 415, "the body's character set is not known"),
        (
            vec![part("name=_charset_", "us-ascii"), part("name=a", "\u{e9}")],
            400,
            "the body is not text in us-ascii",
        ),
    ] {
        let mut wire = wire(App::new().route("/", post(show)), &MemoryFiles::new());
        wire.feed(request(&parts));
        ends(&mut wire, status, expected);
    }
}

#[test]
fn progress_is_told_and_parts_come_as_they_arrive() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let note = told.clone();
    let handler = move |mut request: Request| {
        let note = note.clone();
        async move {
            let hook = move |progress: bakestone::message::Progress| {
                note.lock().unwrap().push((progress.received, progress.expected));
            };
            request.form_with(FormOptions::new().on_progress(hook)).await?;
            Result::<_>::Ok(Text("done"))
        }
    };
    let whole = request(&[part("name=x; filename=1", "one")]);
    let length = whole.len() - head(72).len();
    let files = MemoryFiles::new();
    let mut wire = wire(App::new().route("/", post(handler)), &files);
    let (first, rest) = whole.split_at(whole.len() - 10);
    wire.feed(first);
    assert_eq!(*told.lock().unwrap(), [(length as u64 - 10, Some(length as u64))]);
    wire.feed(rest);
    ends(&mut wire, 200, "done");
    assert_eq!(told.lock().unwrap().last(), Some(&(length as u64, Some(length as u64))));
}

/// Names and heads are held in memory as values are, and count as they do.
#[test]
fn f04_names_and_heads_count_too() {
    async fn read(form: FormData) -> Text<String> {
        Text(form.len().to_string())
    }
    let long = "x".repeat(1000);
    let (field, file) = (part(&format!("name={long}"), ""), part(&format!("name={long}; filename=f"), ""));
    let app = || App::new().route("/", post(read).buffered_body_bytes(5000));
    for (parts, status) in [
        (vec![field.clone(); 4], 200),
        (vec![field.clone(); 5], 413),
        (vec![file.clone(); 4], 200),
        (vec![file.clone(), field.clone(), file.clone(), field.clone(), file], 413),
    ] {
        let mut wire = wire(app(), &MemoryFiles::new());
        wire.feed(request(&parts)).expect_start(format!("HTTP/1.1 {status} "));
    }
    let mut limits = Limits::default();
    limits.form_field_bytes = 1000;
    for (parts, status) in
        [(part(&format!("name={long}"), ""), 200), (part(&format!("name={long}"), "v"), 413)]
    {
        let app = App::new().route("/", post(read)).build().unwrap();
        let mut wire = Wire::new(Session::with_limits(app, Arc::new(limits.clone())));
        wire.feed(request(&[parts])).expect_start(format!("HTTP/1.1 {status} "));
    }
}

/// Whoever gives up waiting for the last bytes of a body, behind the form, may wait again.
#[test]
fn the_end_of_a_form_may_be_waited_for_again() {
    async fn count(mut request: Request) -> Result<Text<String>> {
        let context = request.context().clone();
        let mut parts = request.multipart()?;
        let mut count = 0;
        loop {
            match context.timeout(Duration::from_secs(1), parts.next()).await {
                Ok(part) => match part? {
                    Some(_) => count += 1,
                    None => return Ok(Text(count.to_string())),
                },
                Err(_) => count += 100,
            }
        }
    }
    let whole = request(&[part("name=x", "1"), part("name=y", "2")]);
    for left in 1..12 {
        let mut wire = wire(App::new().route("/", post(count)), &MemoryFiles::new());
        wire.feed(&whole[..whole.len() - left])
            .advance(Duration::from_secs(1))
            .feed(&whole[whole.len() - left..]);
        ends(&mut wire, 200, "102");
    }
}

/// What middleware has read whole is there for the form, again and again.
#[test]
fn a_form_is_read_of_a_body_that_is_kept() {
    async fn twice(mut request: Request) -> Result<Text<String>> {
        let length = request.bytes().await?.len();
        let first = request.form().await?.len();
        let second = request.form().await?.len();
        assert_eq!(request.bytes().await?.len(), length);
        Ok(Text(format!("{first} {second}")))
    }
    async fn patient(mut request: Request) -> Result<Text<String>> {
        let narrow = request.form_with(FormOptions::new().form_bytes(10)).await;
        assert_eq!(narrow.unwrap_err().status(), StatusCode::PAYLOAD_TOO_LARGE);
        Ok(Text(request.form().await?.len().to_string()))
    }
    let whole = request(&[part("name=x", "1"), part("name=y", "2")]);
    for (handler, expected) in [(post(twice), "2 2"), (post(patient), "2")] {
        let mut wire = wire(App::new().route("/", handler), &MemoryFiles::new());
        wire.feed(&whole);
        ends(&mut wire, 200, expected);
    }
}

#[test]
fn a_part_is_refused_before_it_is_read() {
    async fn pictures(mut request: Request) -> Result<Text<String>> {
        let options = FormOptions::new().check(|head| {
            match head.filename().is_some_and(|name| name.ends_with(".png")) {
                true => Ok(()),
                false => Err(Error::unsupported_media_type("pictures only")),
            }
        });
        Ok(Text(request.form_with(options).await?.files().len().to_string()))
    }
    for (name, status, expected) in [("a.png", 200, "1"), ("a.exe", 415, "pictures only")] {
        let mut wire = wire(App::new().route("/", post(pictures)), &MemoryFiles::new());
        wire.feed(request(&[part(&format!("name=x; filename={name}"), "content")]));
        ends(&mut wire, status, expected);
    }
}
