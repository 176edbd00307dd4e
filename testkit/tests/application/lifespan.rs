//! Start, background work and stop of a whole application.

use super::*;

#[test]
fn l01_l06_hooks_run_in_order_and_back_those_of_mounts_too() {
    let log = Log::default();
    let module = |open: &'static str, close: &'static str| {
        App::new().on_startup(log.hook(open)).on_shutdown(log.hook(close))
    };
    let more = Lifecycle::new().on_startup(log.hook("5")).on_shutdown(log.hook("-5"));
    let app = App::new()
        .on_startup(log.hook("1"))
        .mount("/m", module("6", "-6").mount("/deep", module("7", "-7")))
        .merge(module("8", "-8"))
        .on_shutdown(log.hook("-1"))
        .on_startup(log.hook("2"))
        .lifecycle(
            Lifecycle::new().on_startup(log.hook("3")).merge(Lifecycle::new().on_startup(log.hook("4"))),
        )
        .lifecycle(more);
    let mut server = Server::new(app);
    assert_eq!((server.stage(), log.read().as_str()), (Stage::Running, "1 2 3 4 5 6 7 8"));
    server.life.drain();
    assert_eq!(log.read(), "1 2 3 4 5 6 7 8 -8 -7 -6 -5 -1");
    server.life.expect_closed();
}

#[test]
fn a03_a04_l02_a_start_that_fails_is_told_with_its_place_and_shut_down() {
    for debug in [false, true] {
        let log = Log::default();
        let line = line!() + 2;
        let module =
            App::new().on_startup(fails).on_startup(log.hook("never")).on_shutdown(log.hook("closed-module"));
        let app = App::new().debug(debug).on_shutdown(log.hook("closed")).mount("/m", module);
        let mut server = Server::new(app.on_startup(log.hook("opened")));
        let failure = server.life.machine_mut().take_failure().expect("a hook failed");
        assert_eq!((failure.at.file(), failure.at.line()), (file!(), line));
        assert!(failure.to_string().contains("no database"), "{failure}");
        assert_eq!(log.read(), "opened closed-module closed");
        server.life.expect_closed();
    }
}

#[test]
fn l03_who_ignores_failures_of_the_start_does_so_for_its_own_hooks() {
    let before =
        |log: &Log| App::new().ignore_startup_errors().on_startup(fails).on_startup(log.hook("next"));
    let after = |log: &Log| App::new().on_startup(fails).on_startup(log.hook("next")).ignore_startup_errors();
    let strict = |log: &Log| App::new().on_startup(fails).on_startup(log.hook("next"));
    let plain = |_: &Log| App::new();
    type Make<'a> = &'a dyn Fn(&Log) -> App;
    let table: [(Make<'_>, Make<'_>, Stage, &str); 6] = [
        (&before, &plain, Stage::Running, "failed:no database next"),
        (&after, &plain, Stage::Running, "failed:no database next"),
        (&plain, &after, Stage::Running, "failed:no database next"),
        (&after, &after, Stage::Running, "failed:no database next failed:no database next"),
        (&after, &strict, Stage::Over, "failed:no database next"),
        (&strict, &after, Stage::Over, ""),
    ];
    for (index, (outer, inner, stage, expected)) in table.into_iter().enumerate() {
        let log = Log::default();
        let (_, lifecycle) = outer(&log).mount("/m", inner(&log)).start().unwrap();
        let mut life = Wire::new(lifecycle.observer(log.observer()));
        life.settle();
        assert_eq!((life.machine().stage(), log.read().as_str()), (stage, expected), "{index}");
    }
}

async fn pool(State(pool): State<Pool>) -> Text<String> {
    Text(pool.0.to_string())
}

async fn cause(failure: Failure<Error>) -> Text<String> {
    Text(failure.error().source().map_or_else(|| "no cause".to_owned(), |source| source.to_string()))
}

#[test]
fn l05_a_value_of_the_start_reaches_handlers() {
    let opened = |size: u32| {
        async move |context: Context| {
            context.sleep(SECOND).await;
            Ok::<_, Error>(Pool(size))
        }
    };
    let module = || App::new().route("/", get(pool)).on_error(cause);
    let app = |size| module().state_from(opened(size)).mount("/own", module().state_from(opened(size + 1)));
    let mut server = Server::new(app(1).mount("/outer", module()));
    assert_eq!(server.stage(), Stage::Starting);
    server.life.advance(2 * SECOND);
    assert_eq!(server.stage(), Stage::Running);
    for (path, expected) in [("/", "1"), ("/outer", "1"), ("/own", "2")] {
        assert_eq!(server.ask(&format!("GET {path}"), ""), found(200, expected), "{path}");
    }
    // Without its lifecycle the application is built, and says what is missing.
    let service = app(1).build().unwrap();
    let mut wire = Wire::new(Session::new(service));
    wire.feed(request("GET /own", ""));
    let (status, body) = answer(&wire.take_text());
    assert_eq!(status, 500);
    assert!(body.contains("::Pool`") && body.contains("start-up has not run"), "{body}");
    // Given twice it is an error, however it was given.
    let errors = app(1).state(Pool(2)).start().map(|_| ()).unwrap_err();
    assert_eq!(errors.errors().len(), 1, "{errors}");
    assert!(errors.to_string().contains("there is a state of type"), "{errors}");
}

#[test]
fn l05_a_value_that_cannot_be_made_stops_the_start() {
    async fn no_pool(_: Context) -> Result<Pool> {
        Err(Error::new(StatusCode::BAD_GATEWAY, "no database"))
    }
    let line = line!() + 1;
    let app = || App::new().state_from(no_pool).route("/", get(pool)).on_error(cause);
    let mut server = Server::new(app());
    let failure = server.life.machine_mut().take_failure().expect("the hook failed");
    assert_eq!((failure.at.line(), server.stage()), (line, Stage::Over));
    // Where failures are ignored, the handler says what is missing.
    let server = Server::new(app().ignore_startup_errors());
    assert_eq!((server.stage(), server.ask("GET /", "").0), (Stage::Running, 500));
}

/// Starts two tasks after the response, as the query says.
async fn background(request: Request, log: Log) -> Result<Text<&'static str>> {
    let how = request.raw_query().unwrap_or_default().to_owned();
    let second = log.clone();
    request.context().after_response(move |context| async move {
        log.note("a1");
        context.sleep(SECOND).await;
        log.note("a2");
        Err::<(), _>(Error::internal())
    })?;
    request.context().after_response(move |context| async move {
        second.note("b1");
        context.sleep(SECOND / 2).await;
        second.note("b2");
    })?;
    match how.as_str() {
        "fails" => Err(Error::internal()),
        "panics" => panic!("on purpose"),
        _ => Ok(Text("answer")),
    }
}

#[test]
fn b01_to_b04_background_work_runs_after_the_response_side_by_side() {
    for (query, status) in [("", 200), ("?fails", 500), ("?panics", 500)] {
        let log = Log::default();
        let noted = log.clone();
        let app = App::new().route("/", get(move |request: Request| background(request, noted.clone())));
        let mut server = Server::new(app);
        let mut wire = server.connect();
        wire.hold_output(true);
        wire.feed(request(&format!("GET /{query}"), ""));
        server.life.settle();
        assert_eq!(log.read(), "", "the answer is still on its way");
        assert_eq!(answer(&wire.take_text()).0, status);
        server.life.settle();
        assert_eq!(log.read(), "a1 b1", "{query}");
        // The drain awaits them.
        drop(wire);
        server.life.drain();
        assert_eq!(server.stage(), Stage::Draining);
        server.life.advance(SECOND);
        assert_eq!(log.read(), "a1 b1 b2 a2", "{query}");
        server.life.expect_closed();
    }
}

#[test]
fn b01_one_task_does_one_thing_after_the_other_and_tells_what_failed() {
    let (log, noted) = (Log::default(), Log::default());
    let kept = noted.clone();
    let app = App::new().route(
        "/",
        get(move |context: Context| {
            let noted = kept.clone();
            context.after_response(move |context| async move {
                for step in ["first", "second", "third"] {
                    context.sleep(SECOND).await;
                    noted.note(step);
                }
                fails(context).await
            })
        }),
    );
    let (service, lifecycle) = app.start().unwrap();
    let spawner = lifecycle.spawner();
    let mut life = Wire::new(lifecycle.observer(log.observer()));
    let mut wire = Wire::new(Session::new(service).lifecycle(&spawner));
    life.settle();
    wire.feed(request("GET /", "")).expect_start("HTTP/1.1 200 ");
    life.settle();
    life.advance(2 * SECOND);
    assert_eq!((noted.read().as_str(), log.read().as_str()), ("first second", ""));
    life.advance(SECOND);
    assert_eq!((noted.read().as_str(), log.read().as_str()), ("first second third", "failed:no database"));
    assert_eq!(spawner.tasks(), 0);
}

#[test]
fn b06_a_task_may_start_another_and_periods_tick_in_mounts_too() {
    let log = Log::default();
    let (ticked, spawned) = (log.clone(), log.clone());
    let module = App::new().every(10 * SECOND, move |_| {
        let log = ticked.clone();
        async move { log.note("tick") }
    });
    let app = App::new().mount("/m", module).on_startup(async move |context: Context| {
        context.spawn(move |context| async move {
            context.sleep(15 * SECOND).await;
            context.after_response(move |_| async move { spawned.note("nested") })
        })
    });
    let mut server = Server::new(app);
    server.life.advance(31 * SECOND);
    assert_eq!(log.read(), "tick nested tick tick");
    server.life.drain();
    server.life.expect_closed();
}
