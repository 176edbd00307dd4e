//! The floor on tokio: a loop that reads and answers, and looks at nothing.
//!
//! The rule: it knows how long a request is and never what one says, so that what it costs is the kernel's, tokio's and
//! nothing else.

use std::cell::RefCell;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use bakestone_bench_servers::{FixedAnswer, Flags};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;
use tokio::task::LocalSet;

/// How often the date is looked at.
const TICK: Duration = Duration::from_millis(500);

/// Answers each `request_bytes` that come.
async fn converse(
    mut stream: TcpStream,
    request_bytes: usize,
    answer: &RefCell<FixedAnswer>,
) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let (mut input, mut output, mut held) = ([0; 16 << 10], Vec::new(), 0);
    loop {
        let count = stream.read(&mut input).await?;
        if count == 0 {
            return Ok(());
        }
        held += count;
        output.clear();
        while held >= request_bytes {
            held -= request_bytes;
            output.extend_from_slice(answer.borrow().bytes());
        }
        stream.write_all(&output).await?;
    }
}

async fn serve(flags: Flags) -> io::Result<()> {
    let listener = TcpListener::from_std(flags.listen()?)?;
    let answer = Rc::new(RefCell::new(FixedAnswer::new()));
    let ticking = Rc::clone(&answer);
    tokio::task::spawn_local(async move {
        loop {
            tokio::time::sleep(TICK).await;
            ticking.borrow_mut().refresh();
        }
    });
    loop {
        let (stream, _) = listener.accept().await?;
        let answer = Rc::clone(&answer);
        // A connection that breaks is the client's business.
        tokio::task::spawn_local(async move { converse(stream, flags.request_bytes, &answer).await.ok() });
    }
}

fn main() -> io::Result<()> {
    let flags = Flags::from_arguments();
    let runtime = Builder::new_current_thread().enable_all().build()?;
    LocalSet::new().block_on(&runtime, serve(flags))
}
