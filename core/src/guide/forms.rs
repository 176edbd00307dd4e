//! Forms and uploads: both kinds of forms, their files, and where those go.
//!
//! # As a type
//!
//! ```
//! # mod wire { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/guide/ask.rs")); }
//! # use wire::ask;
//! use bakestone::{App, Form, StatusCode, Text, UploadedFile, post};
//! use serde::Deserialize;
//!
//! #[derive(Deserialize)]
//! struct Order {
//!     name: String,
//!     slices: Option<u8>,
//!     #[serde(default)]
//!     gift: bool,
//!     picture: Option<UploadedFile>,
//! }
//!
//! async fn order(Form(order): Form<Order>) -> Text<String> {
//!     let picture = order.picture.map_or("no picture".to_owned(), |file| format!("a picture of {} bytes", file.size()));
//!     Text(format!("{}: {:?} slices, gift {}, {picture}", order.name, order.slices, order.gift))
//! }
//!
//! let app = || App::new().route("/orders", post(order));
//! let request = |kind: &str, body: &str| {
//!     let length = body.len();
//!     format!("POST /orders HTTP/1.1\r\nHost: a\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n{body}")
//! };
//!
//! let urlencoded = request("application/x-www-form-urlencoded", "name=bara+brith&slices=&gift=on");
//! assert!(ask(app(), &urlencoded).ends_with("bara brith: None slices, gift true, no picture"));
//!
//! let parts = "--X\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\nscone\r\n\
//!     --X\r\nContent-Disposition: form-data; name=\"picture\"; filename=\"a.png\"\r\n\r\n123\r\n--X--\r\n";
//! let multipart = request("multipart/form-data; boundary=X", parts);
//! assert!(ask(app(), &multipart).ends_with("scone: None slices, gift false, a picture of 3 bytes"));
//! ```
//!
//! One argument takes both kinds. [`Query`](crate::app::Query) says how each type reads its text; a field that may be
//! missing is an `Option` or has a default, and what does not fit is 400 with the name of the field.
//!
//! [`FormData`](crate::FormData) is the same without a type: `form.get("name")`, `form.field::<u8>("slices")?`,
//! `form.file("picture")?`.
//!
//! # Where files go
//!
//! Up to 1 MiB of a form's files stays in memory; past that a file goes to the disk, into one without a name, which is
//! gone with the process. The handler does not see the difference.
//!
//! | to | take |
//! |---|---|
//! | have the content | [`file.read(limit).await?`](crate::UploadedFile::read) |
//! | go through it, or send it on | [`file.stream()`](crate::UploadedFile::stream) |
//! | keep it under a name | [`file.persist(path).await?`](crate::UploadedFile::persist), or [`copy_to`](crate::UploadedFile::copy_to) |
//! | say the name before it comes | [`FormOptions::upload_to`](crate::FormOptions::upload_to) |
//! | put it elsewhere (an object store, a hash) while it arrives | [`Multipart`](crate::Multipart), part by part |
//!
//! A name is never replaced: a file that is there already is an error, since two clients may well send the same name. And
//! a file is under its name once all of it is there, so a client that goes away in the middle leaves nothing.
//!
//! ```
//! use bakestone::{FormOptions, Request, Result, StatusCode, Error};
//!
//! async fn picture(mut request: Request) -> Result<StatusCode> {
//!     let options = FormOptions::new()
//!         .form_bytes(50 << 20)
//!         .check(|part| match part.filename() {
//!             None => Ok(()),
//!             Some(name) if name.ends_with(".png") => Ok(()),
//!             Some(_) => Err(Error::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "a PNG, please")),
//!         });
//!     let mut form = request.form_with(options).await?;
//!     let name = format!("/var/lib/cakes/{:016x}.png", request.context().connection().seed);
//!     form.file("picture")?.persist(name).await?;
//!     Ok(StatusCode::CREATED)
//! }
//! # let _ = bakestone::post(picture);
//! ```
//!
//! Where the names of the fields do not matter, [`form.into_parts()`](crate::FormData::into_parts) gives all files at once,
//! to keep each. No folder is made for a file: it has to be there when the server starts.
//!
//! What a client calls its file is any text: `../../etc/passwd`, a name of another system, nothing at all.
//! [`safe_filename`](crate::UploadedFile::safe_filename) makes a name for a folder of it. Neither the name nor the content
//! type says what the bytes are.
//!
//! # Limits
//!
//! | what | by default | to change it |
//! |---|---|---|
//! | a form of several parts, files and all | 10 MiB | [`form_bytes`](crate::app::MethodRouter::form_bytes) of the route; `FormOptions::form_bytes` |
//! | an urlencoded form; of several parts the fields together | 2 MiB | [`FormOptions`](crate::FormOptions), [`Limits::buffered_body_bytes`](crate::Limits::buffered_body_bytes) |
//! | one field | 1 MiB | [`Limits::form_field_bytes`](crate::Limits::form_field_bytes) |
//! | fields; files | 1,000 each | [`form_fields`](crate::Limits::form_fields), [`form_files`](crate::Limits::form_files) |
//! | the head of a part | 16 KiB, 16 fields | [`part_head_bytes`](crate::Limits::part_head_bytes) |
//!
//! Past any of them the answer is 413. A proxy in front has a limit of its own: nginx takes 1 MB unless it is told
//! otherwise.
//!
//! # Other sites
//!
//! A browser sends a form to any site, with that site's cookies. There are no tokens here. Cookies that
//! [`SetCookie::new`](crate::SetCookie::new) makes are `SameSite=Lax`, which keeps them out of what other sites post; and
//! `Json<T>` takes no content type that a form can send. What has to be surer needs a token of the application's own.
//!
//! # What goes wrong
//!
//! | it happens | because |
//! |---|---|
//! | 415; 400 before anything is read | the request says neither of the two content types; or that of several parts, without a boundary |
//! | 400 for a box that is not ticked | it is not sent: `#[serde(default)]` |
//! | 413 for a file of 20 MB | the form's limit is 10 MiB; raise it for the route, and in the proxy |
//! | 500 for the second upload of the same name | the path of `upload_to` or `persist` is taken: choose names that no other request takes |
//! | 500 for every upload that is kept | the folder is not there, or not writable: nothing makes it. A test with `MemoryFiles` does not see that, since it has no folders |
//! | 507 | the disk is full |
//! | the file that was there a moment ago is gone | an `UploadedFile` on the disk has no name; `persist` it, or keep it |
//! | 500 on a driver of your own | files are effects, and it answers none: [driving](super::driving#effects) |
