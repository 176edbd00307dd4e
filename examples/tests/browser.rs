//! What a real browser makes of it: Chromium, without a window.
//!
//! The rule: a page tells the server what it saw, and the test judges that and what the server was asked for. They are
//! ignored where nobody asks for them, since not every machine has a browser: `cargo test --test browser -- --ignored`.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use bakestone::app::{LastEventId, Next, StaticFiles};
use bakestone::{
    App, Body, Context, Event, FileResponse, FormData, Html, Request, Response, Result, Sse, State, Text,
    get, header, post,
};
use bakestone_std::{Handle, Server};

#[path = "../src/chat/app.rs"]
mod chat;
#[expect(dead_code, reason = "it has a `main` of its own")]
#[path = "../src/ticker.rs"]
mod ticker;
#[expect(dead_code, reason = "it has a `main` of its own")]
#[path = "../src/upload.rs"]
mod upload;

/// How long a browser may take to start and to do what it is to do.
const PATIENCE: Duration = Duration::from_secs(60);

/// A folder of the test's own, removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("browser-{name}"));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).expect("a folder");
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A browser that shows one page, and is gone with its value.
struct Browser(Child);

impl Browser {
    fn open(url: &str, profile: &Path) -> Self {
        let child = Command::new("chromium")
            .args(["--headless=new", "--no-sandbox", "--disable-gpu", "--mute-audio", "--no-first-run"])
            .args(["--disable-dev-shm-usage", "--autoplay-policy=no-user-gesture-required"])
            .arg(format!("--user-data-dir={}", profile.display()))
            .arg(url)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        Self(child.expect("Chromium is installed as `chromium`"))
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A server that shows `page` at `/test`, and what the page told it.
struct Site {
    page: &'static str,
    url: String,
    /// There but for the moment of a restart.
    running: Option<Running>,
    told: Receiver<String>,
    tells: Told,
    /// Each request for something else, and the status that it got: `/path [range] 206`.
    asked: Asked,
}

type Asked = Arc<Mutex<Vec<String>>>;

/// A server in a thread of its own.
type Running = (Handle, JoinHandle<Result<(), String>>);

/// Where the page's words go.
#[derive(Clone)]
struct Told(Arc<Mutex<Sender<String>>>);

fn tell(State(told): State<Told>, words: String) -> Text<&'static str> {
    // A test that has failed listens no more.
    let _ = told.0.lock().expect("nobody panics with it").send(words);
    Text("thanks")
}

impl Site {
    fn start(page: &'static str, app: App) -> Self {
        let (sender, told) = channel();
        let (tells, asked) = (Told(Arc::new(Mutex::new(sender))), Asked::default());
        let (address, running) = serve("127.0.0.1:0", prepared(page, app, &tells, &asked));
        Self { page, url: format!("http://{address}/test"), running: Some(running), told, tells, asked }
    }

    /// Stops the server, and lets another one take its place.
    fn restart(&mut self, app: App) {
        let app = prepared(self.page, app, &self.tells, &self.asked);
        let address = self.url.trim_start_matches("http://").trim_end_matches("/test").to_owned();
        if let Some((handle, thread)) = self.running.take() {
            handle.shutdown();
            thread.join().expect("no panic").expect("it has served");
        }
        self.running = Some(serve(&address, app).1);
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("nobody panics with it").clone()
    }

    /// What the page tells next.
    fn told(&self) -> String {
        self.told
            .recv_timeout(PATIENCE)
            .unwrap_or_else(|_| panic!("the page said nothing: {:?}", self.asked()))
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        if let Some((handle, _)) = &self.running {
            handle.shutdown();
        }
    }
}

/// `app` with the page, and with somebody who writes down what it is asked for.
fn prepared(page: &'static str, app: App, tells: &Told, asked: &Asked) -> App {
    let note = asked.clone();
    let noting = move |request: Request, next: Next| {
        let note = note.clone();
        async move {
            let range = request.headers().get(header::RANGE).and_then(|range| range.to_str().ok());
            let line = format!("{} [{}]", request.raw_path(), range.unwrap_or_default());
            let response: Response = next.run(request).await;
            note.lock().expect("nobody panics with it").push(format!("{line} {}", response.status.as_u16()));
            response
        }
    };
    app.state(tells.clone())
        .route("/test", get(move || Html(page)))
        .route("/told", post(tell))
        .middleware(noting)
}

/// Starts a server; where it listens.
fn serve(address: &str, app: App) -> (String, Running) {
    let server = Server::new().address(address).bind().expect("a free port");
    let address = server.local_addr().expect("an address").to_string();
    let handle = server.handle();
    let thread = thread::spawn(move || bakestone_tokio::run(app, server).map_err(|error| error.to_string()));
    (address, (handle, thread))
}

/// Silence of `seconds`, as a file with holes: 192 kB a second.
fn silence(path: &Path, seconds: u32) {
    const RATE: u32 = 48_000;
    let bytes = seconds * RATE * 4;
    let mut head = Vec::new();
    head.extend_from_slice(b"RIFF");
    head.extend_from_slice(&(36 + bytes).to_le_bytes());
    head.extend_from_slice(b"WAVEfmt ");
    head.extend_from_slice(&16_u32.to_le_bytes());
    // PCM, two channels.
    head.extend_from_slice(&[1, 0, 2, 0]);
    head.extend_from_slice(&RATE.to_le_bytes());
    head.extend_from_slice(&(RATE * 4).to_le_bytes());
    head.extend_from_slice(&[4, 0, 16, 0]);
    head.extend_from_slice(b"data");
    head.extend_from_slice(&bytes.to_le_bytes());
    let mut file = fs::File::create(path).expect("a file");
    file.write_all(&head).expect("written");
    file.set_len(head.len() as u64 + u64::from(bytes)).expect("a file with holes");
}

#[test]
#[ignore = "it needs Chromium"]
fn a_seek_in_a_video_asks_for_the_part_that_is_shown() {
    const PAGE: &str = r#"<!doctype html><video id=v preload=metadata src=/media/silence.wav></video><script>
        const tell = text => fetch('/told', {method: 'POST', body: text});
        v.onerror = () => tell('error ' + v.error.message);
        v.onloadedmetadata = () => { v.currentTime = 1500; };
        v.onseeked = () => tell('at ' + v.currentTime + ' of ' + v.duration);
    </script>"#;
    let folder = Folder::new("video");
    silence(&folder.0.join("silence.wav"), 2000);
    let site = Site::start(PAGE, App::new().files("/media", StaticFiles::folder(&folder.0)));
    let _browser = Browser::open(&site.url, &folder.0.join("profile"));
    assert_eq!(site.told(), "at 1500 of 2000");
    let beyond = |line: &String| {
        let start = line.strip_prefix("/media/silence.wav [bytes=").and_then(|line| line.split_once('-'));
        let start = start.and_then(|(start, _)| start.parse::<u64>().ok());
        start.is_some_and(|start| start > 100_000_000) && line.ends_with(" 206")
    };
    assert!(site.asked().iter().any(beyond), "{:?}", site.asked());
}

#[test]
#[ignore = "it needs Chromium"]
fn a_download_has_the_name_that_it_was_given() {
    const NAME: &str = "K\u{e4}sekuchen \u{1f370} \"gro\u{df}\".txt";
    /// A browser puts something else for what its file system may not like.
    const SAVED: &str = "K\u{e4}sekuchen \u{1f370} _gro\u{df}_.txt";
    const PAGE: &str = "<!doctype html><a id=a href=/cake>cake</a><script>a.click()</script>";
    let folder = Folder::new("download");
    let (profile, saved) = (folder.0.join("profile"), folder.0.join("saved"));
    fs::create_dir_all(profile.join("Default")).expect("a folder");
    fs::create_dir_all(&saved).expect("a folder");
    let preferences =
        serde_json::json!({"download": {"default_directory": saved, "prompt_for_download": false}});
    fs::write(profile.join("Default/Preferences"), preferences.to_string()).expect("written");
    let cake = |request: Request| {
        FileResponse::from(bakestone::Bytes::from("flour")).attachment(NAME).for_request(&request)
    };
    let site = Site::start(PAGE, App::new().route("/cake", get(cake)));
    let _browser = Browser::open(&site.url, &profile);
    let names = || -> Vec<String> {
        let entries = fs::read_dir(&saved).expect("the folder");
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect()
    };
    let began = Instant::now();
    while names() != [SAVED] && began.elapsed() < PATIENCE {
        thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(names(), [SAVED], "{:?}", site.asked());
    assert_eq!(fs::read_to_string(saved.join(SAVED)).expect("the file"), "flour");
}

#[test]
#[ignore = "it needs Chromium"]
fn a_form_arrives_as_it_was_filled_in() {
    const PAGE: &str = r#"<!doctype html><form id=f><input name="who &quot;me&quot;" value="J&ouml;rg &#x1F9C1;">
        <textarea name=note>one
two</textarea><input type=file name=none></form><script>
        const form = new FormData(f);
        form.append('cake', new File(['a\r\n--b\0'], 'K\u00e4se "1"\\2.txt', {type: 'text/plain'}));
        fetch('/bake', {method: 'POST', body: form}).then(answer => answer.text())
            .then(text => fetch('/told', {method: 'POST', body: text}));
    </script>"#;
    async fn bake(mut form: FormData) -> Result<Text<String>> {
        let cake = form.file("cake")?;
        let kind = cake.content_type().map(|kind| kind.essence().to_owned());
        Ok(Text(format!("{:?} {:?} {kind:?} {:?}", *form, cake.filename(), cake.read(100).await?)))
    }
    let folder = Folder::new("form");
    let site = Site::start(PAGE, App::new().route("/bake", post(bake)));
    let _browser = Browser::open(&site.url, &folder.0.join("profile"));
    let expected = "{\"who \\\"me\\\"\": \"J\u{f6}rg \u{1f9c1}\", \"note\": \"one\\r\\ntwo\"} \
                    Some(\"K\u{e4}se \\\"1\\\"\\\\2.txt\") Some(\"text/plain\") b\"a\\r\\n--b\\0\"";
    assert_eq!(site.told(), expected);
}

#[test]
#[ignore = "it needs Chromium"]
fn an_event_source_connects_again_and_says_what_it_saw_last() {
    const PAGE: &str = r#"<!doctype html><script>
        const source = new EventSource('/events'), seen = [];
        source.addEventListener('cake', event => {
            seen.push(event.lastEventId + ' ' + JSON.stringify(event.data));
            if (seen.length === 3) {
                source.close();
                fetch('/told', {method: 'POST', body: seen.join(', ')});
            }
        });
    </script>"#;
    /// One event a connection: the one after the last that was seen.
    async fn one_more(last: Option<LastEventId>, context: Context) -> Sse {
        let last: u32 = last.and_then(|LastEventId(id)| id.parse().ok()).unwrap_or(0);
        Sse::written(&context, move |mut events| async move {
            let event = Event::data(format!("cake\n{}", last + 1)).event("cake").id((last + 1).to_string());
            events.send(event.retry(Duration::from_millis(10))).await?;
            Ok(())
        })
    }
    let folder = Folder::new("events");
    let site = Site::start(PAGE, App::new().route("/events", get(one_more)));
    let _browser = Browser::open(&site.url, &folder.0.join("profile"));
    assert_eq!(site.told(), r#"1 "cake\n1", 2 "cake\n2", 3 "cake\n3""#);
    assert!(site.asked().iter().filter(|line| line.starts_with("/events ")).count() >= 3);
}

#[test]
#[ignore = "it needs Chromium"]
fn two_pages_of_the_chat_talk_to_each_other_also_after_a_restart() {
    const PAGE: &str = r#"<!doctype html>
        <iframe id=ada></iframe><iframe id=bo></iframe><script>
        const both = ['ada', 'bo'], mount = location.search.slice(1);
        ada.src = `${mount}/room/kitchen?name=Ada`;
        bo.src = `${mount}/room/kitchen?name=%3Cb%3EBo`;
        const page = who => document.getElementById(who).contentDocument;
        const tell = value => fetch('/told', {method: 'POST', body: JSON.stringify(value)});
        const until = async found => { while (!both.every(found)) await new Promise(soon => setTimeout(soon, 20)); };
        const part = (who, id) => page(who).getElementById(id);
        const isIn = who => page(who).body?.classList.contains('open');
        const says = (who, text) => {
            part(who, 'text').value = text;
            part(who, 'text').dispatchEvent(new Event('input'));
            part(who, 'say').requestSubmit();
        };
        const said = who => [...page(who).querySelectorAll('.said')]
            .map(line => `${line.querySelector('b').textContent}: ${line.querySelector('p').textContent}`);
        const talk = async (who, text) => {
            const count = said(who).length;
            says(who, text);
            await until(who => said(who).length > count);
        };
        (async () => {
            await until(who => isIn(who) && part(who, 'people').textContent === '2 people');
            await talk('ada', '<img src=x onerror="top.broken = true"><b>hot?</b>');
            await talk('bo', 'yes');
            const markup = both.map(who => page(who).querySelectorAll('#log img, #log b b, #log p *').length);
            await tell([...both.map(said), markup, window.broken ?? 'whole']);
            await until(who => part(who, 'state').textContent.startsWith('The server restarts.'));
            part('bo', 'text').value = 'written meanwhile';
            says('ada', 'nobody hears');
            await until(isIn);
            await talk('ada', 'back');
            await tell([...both.map(said), part('bo', 'text').value]);
        })().catch(error => tell(String(error)));
    </script>"#;
    let mounted = || App::new().mount("/talk", chat::app());
    for (mount, app) in [("", chat::app as fn() -> App), ("/talk", mounted)] {
        let folder = Folder::new("chat");
        let mut site = Site::start(PAGE, app());
        let _browser = Browser::open(&format!("{}?{mount}", site.url), &folder.0.join("profile"));
        let talk = r#"["Ada: <img src=x onerror=\"top.broken = true\"><b>hot?</b>","<b>Bo: yes"]"#;
        assert_eq!(site.told(), format!(r#"[{talk},{talk},[0,0],"whole"]"#));
        site.restart(app());
        // What was shown stays, and what was written is still to be sent, by whoever wrote it.
        let talk = talk.replace(']', r#","Ada: back"]"#);
        assert_eq!(site.told(), format!(r#"[{talk},{talk},"written meanwhile"]"#));
    }
}

#[test]
#[ignore = "it needs Chromium"]
fn the_ticker_is_told_what_it_missed_while_the_server_was_away() {
    const PAGE: &str = r#"<!doctype html><iframe id=frame src=/ticker/></iframe><script>
        const part = id => frame.contentDocument?.getElementById(id);
        const number = id => Number(part(id)?.textContent ?? 0);
        const isOpen = () => part('state')?.classList.contains('open');
        const tell = text => fetch('/told', {method: 'POST', body: text});
        const until = async found => { while (!found()) await new Promise(soon => setTimeout(soon, 20)); };
        (async () => {
            await until(() => isOpen() && number('count') >= 60);
            await tell('begun');
            await until(() => !isOpen());
            const count = number('count');
            await until(() => isOpen() && number('count') >= count + 3);
            // Whoever did not say what it has would be told a whole minute again.
            await tell(`${number('missed')} missed, ${number('count') < count + 30 ? 'none' : 'some'} twice`);
        })().catch(error => tell(String(error)));
    </script>"#;
    let app = || App::new().mount("/ticker", ticker::app());
    let folder = Folder::new("ticker");
    let mut site = Site::start(PAGE, app());
    let _browser = Browser::open(&site.url, &folder.0.join("profile"));
    assert_eq!(site.told(), "begun");
    site.restart(app());
    assert_eq!(site.told(), "0 missed, none twice");
    let asked = site.asked();
    assert!(asked.iter().filter(|line| *line == "/ticker/events [] 200").count() >= 2, "{asked:?}");
}

/// Lets content come no faster than over a line of some megabytes a second.
async fn slowly(mut request: Request, next: Next) -> Response {
    let (mut body, context) = (request.take_body(), request.context().clone());
    request.set_body(Body::written(move |mut out| async move {
        while let Some(piece) = body.chunk().await? {
            context.sleep(Duration::from_millis(2)).await;
            out.send(piece).await?;
        }
        Ok(())
    }));
    next.run(request).await
}

#[test]
#[ignore = "it needs Chromium"]
fn an_upload_shows_how_far_it_is_and_arrives() {
    const PAGE: &str = r#"<!doctype html><iframe id=frame src=/upload/></iframe><script>
        const part = id => frame.contentDocument.getElementById(id);
        const tell = value => fetch('/told', {method: 'POST', body: JSON.stringify(value)});
        const until = async found => { while (!found()) await new Promise(soon => setTimeout(soon, 20)); };
        frame.onload = async () => {
            const chosen = new DataTransfer(), shown = [];
            chosen.items.add(new File([new Uint8Array(16 << 20)], 'flour.bin'));
            chosen.items.add(new File(['butter'], '../<b>.txt'));
            part('files').files = chosen.files;
            new MutationObserver(() => shown.push(part('bar').value)).observe(part('bar'), {attributeFilter: ['value']});
            part('form').requestSubmit();
            await until(() => part('list').childElementCount === 2);
            const rises = shown.filter(value => value).every((value, at, all) => !at || value >= all[at - 1]);
            const saved = [...part('list').querySelectorAll('a')];
            const content = await Promise.all(saved.map(async link => (await (await fetch(link.href)).blob()).size));
            await tell([
                shown.some(value => value > 0 && value < 1), rises, part('bar').hidden, part('state').textContent,
                saved.map(link => link.textContent), content, part('list').querySelectorAll('b').length,
            ]);
        };
    </script>"#;
    let folder = Folder::new("upload");
    let site = Site::start(PAGE, App::new().mount("/upload", upload::app().middleware(slowly)));
    let _browser = Browser::open(&site.url, &folder.0.join("profile"));
    let saved = r#"["_b_.txt","flour.bin"],[6,16777216],0"#;
    assert_eq!(site.told(), format!(r#"[true,true,true,"2 files are saved.",{saved}]"#));
}

/// The tour in a process of its own, which goes with the test.
struct Tour(Child, String);

impl Tour {
    fn start() -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_tour"))
            .arg("127.0.0.1:0")
            .stderr(Stdio::piped())
            .spawn()
            .expect("the tour starts");
        let mut line = String::new();
        let output = child.stderr.take().expect("it is piped");
        BufReader::new(output).read_line(&mut line).expect("a line");
        let address = line.trim().strip_prefix("listening on http://").expect("its address").to_owned();
        Self(child, address)
    }

    /// The status of a GET.
    fn status(&self, path: &str) -> String {
        let mut socket = TcpStream::connect(&self.1).expect("it listens");
        socket.set_read_timeout(Some(PATIENCE)).expect("a time-out");
        write!(socket, "GET {path} HTTP/1.1\r\nHost: tour\r\nConnection: close\r\n\r\n").expect("it reads");
        let mut line = String::new();
        BufReader::new(socket).read_line(&mut line).expect("a status line");
        line.trim_end().to_owned()
    }

    /// The page as it is once it is loaded, and what the browser has against it.
    fn page(&self, path: &str, profile: &Path) -> (String, Vec<String>) {
        let shown = Command::new("chromium")
            .args([
                "--headless=new",
                "--no-sandbox",
                "--disable-gpu",
                "--no-first-run",
                "--disable-dev-shm-usage",
            ])
            .args(["--enable-logging=stderr", "--timeout=2000", "--dump-dom"])
            .arg(format!("--user-data-dir={}", profile.display()))
            .arg(format!("http://{}{path}", self.1))
            .output()
            .expect("Chromium is installed as `chromium`");
        let notes = String::from_utf8_lossy(&shown.stderr).into_owned();
        let notes = notes.lines().filter(|line| line.contains("CONSOLE")).map(str::to_owned).collect();
        (String::from_utf8_lossy(&shown.stdout).into_owned(), notes)
    }
}

impl Drop for Tour {
    fn drop(&mut self) {
        // It is asked to stop, so that it takes the folder of its uploads with it.
        let _ = Command::new("sh").args(["-c", &format!("kill {}", self.0.id())]).status();
        let _ = self.0.wait();
    }
}

#[test]
#[ignore = "it needs Chromium"]
fn the_tour_leads_to_each_example() {
    let (folder, tour) = (Folder::new("tour"), Tour::start());
    let profile = folder.0.join("profile");
    let (index, notes) = tour.page("/", &profile);
    assert!(notes.is_empty() && index.contains("Bakestone by example"), "{notes:?}\n{index}");
    let links: Vec<&str> = index.split("href=\"").skip(1).filter_map(|link| link.split('"').next()).collect();
    assert!(links.len() > 20, "{links:?}");
    for link in links {
        assert_eq!(tour.status(&format!("/{link}")), "HTTP/1.1 200 OK", "{link}");
    }
    // These run scripts, each under a policy that lets it have nothing from elsewhere.
    for name in ["chat", "ticker", "upload", "jobs", "site"] {
        let (page, notes) = tour.page(&format!("/show/{name}"), &profile);
        assert!(notes.is_empty() && page.contains("<iframe"), "{name}: {notes:?}\n{page}");
    }
}
