/// What `app` answers to `request`, without a server.
pub fn ask(app: bakestone::App, request: &str) -> String {
    use bakestone::machine::{Io, Machine, Now};
    use bytes::Buf;
    use std::task::{Context, Waker};

    let mut session = bakestone::Session::new(app.build().expect("a sound application"));
    let mut io = Io::default();
    io.input.extend_from_slice(request.as_bytes());
    let _ = session.step(Now::default(), &mut io, &mut Context::from_waker(Waker::noop()));
    let answer = io.output.copy_to_bytes(io.output.remaining());
    String::from_utf8_lossy(&answer).into_owned()
}
