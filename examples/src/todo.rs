//! A small REST service: `cargo run --bin todo`, then
//!
//! ```console
//! curl http://127.0.0.1:8000/todos -H 'Content-Type: application/json' -d '{"title": "buy flour"}'
//! curl 'http://127.0.0.1:8000/todos?done=false'
//! curl -X PATCH http://127.0.0.1:8000/todos/1 -H 'Content-Type: application/json' -d '{"done": true}'
//! curl -X DELETE http://127.0.0.1:8000/todos/1
//! ```

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use bakestone::app::{Failure, MethodRouter, Next, Query, View};
use bakestone::{
    App, Context, HeaderMap, HeaderValue, IntoResponse, Json, Path, Request, Response, Result, StatusCode,
    Text, get, header,
};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize)]
struct Todo {
    id: u64,
    title: String,
    done: bool,
}

#[derive(Deserialize)]
struct NewTodo {
    title: String,
}

#[derive(Deserialize)]
struct Change {
    title: Option<String>,
    done: Option<bool>,
}

#[derive(Deserialize)]
struct Filter {
    done: Option<bool>,
}

/// What the service itself may have against a request.
#[derive(Debug)]
enum TodoError {
    Missing(u64),
    NoTitle,
    LongTitle,
    Full,
}

impl fmt::Display for TodoError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(id) => write!(f, "there is no todo {id}"),
            Self::NoTitle => f.write_str("a todo needs a title"),
            Self::LongTitle => write!(f, "a title has at most {LONGEST} bytes"),
            Self::Full => f.write_str("there is too much to do already"),
        }
    }
}

impl std::error::Error for TodoError {}

/// The one place where these errors get their status and their shape.
fn explained(failure: Failure<TodoError>) -> impl IntoResponse {
    let status = match *failure {
        TodoError::Missing(_) => StatusCode::NOT_FOUND,
        TodoError::NoTitle | TodoError::LongTitle => StatusCode::UNPROCESSABLE_ENTITY,
        TodoError::Full => StatusCode::INSUFFICIENT_STORAGE,
    };
    (status, Json(BTreeMap::from([("error", failure.to_string())])))
}

/// All todos, by their number. Nothing may grow without a bound, so there are only so many, of such a length.
#[derive(Default)]
struct Todos(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    todos: BTreeMap<u64, Todo>,
    /// A number is never given twice: whoever still has it means another todo.
    last: u64,
}

const MOST: usize = 10_000;
const LONGEST: usize = 200;

impl Todos {
    fn with<T>(&self, work: impl FnOnce(&mut Kept) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    async fn list(self: Arc<Self>, Query(filter): Query<Filter>) -> Json<Vec<Todo>> {
        let wanted = |todo: &&Todo| filter.done.is_none_or(|done| todo.done == done);
        Json(self.with(|kept| kept.todos.values().filter(wanted).cloned().collect()))
    }

    async fn create(self: Arc<Self>, Json(new): Json<NewTodo>) -> Result<impl IntoResponse> {
        let title = titled(new.title)?;
        let todo = self.with(|kept| {
            if kept.todos.len() == MOST {
                return Err(TodoError::Full);
            }
            kept.last += 1;
            let todo = Todo { id: kept.last, title, done: false };
            kept.todos.insert(todo.id, todo.clone());
            Ok(todo)
        })?;
        let place = HeaderValue::try_from(format!("/todos/{}", todo.id))?;
        Ok((StatusCode::CREATED, HeaderMap::from_iter([(header::LOCATION, place)]), Json(todo)))
    }

    async fn show(self: Arc<Self>, Path(id): Path<u64>) -> Result<Json<Todo>> {
        let todo = self.with(|kept| kept.todos.get(&id).cloned());
        Ok(Json(todo.ok_or(TodoError::Missing(id))?))
    }

    async fn change(self: Arc<Self>, Path(id): Path<u64>, Json(change): Json<Change>) -> Result<Json<Todo>> {
        let title = change.title.map(titled).transpose()?;
        let todo = self.with(|kept| {
            let todo = kept.todos.get_mut(&id).ok_or(TodoError::Missing(id))?;
            todo.title = title.unwrap_or_else(|| todo.title.clone());
            todo.done = change.done.unwrap_or(todo.done);
            Ok::<_, TodoError>(todo.clone())
        })?;
        Ok(Json(todo))
    }

    async fn delete(self: Arc<Self>, Path(id): Path<u64>) -> Result<StatusCode> {
        self.with(|kept| kept.todos.remove(&id)).ok_or(TodoError::Missing(id))?;
        Ok(StatusCode::NO_CONTENT)
    }
}

fn titled(title: String) -> Result<String, TodoError> {
    match title.len() {
        _ if title.trim().is_empty() => Err(TodoError::NoTitle),
        length if length > LONGEST => Err(TodoError::LongTitle),
        _ => Ok(title),
    }
}

impl View for Todos {
    fn methods() -> MethodRouter {
        get(Self::list).post(Self::create)
    }

    fn routes(app: App) -> App {
        app.route("/todos/{id:int}", get(Self::show).patch(Self::change).delete(Self::delete))
    }
}

/// Says how long each answer took, those included that say no.
async fn timed(context: Context, request: Request, next: Next) -> Response {
    let began = context.now().mono;
    let mut response = next.run(request).await;
    let time = format!("handler;dur={}", context.now().mono.since(began).as_millis());
    if let Ok(time) = HeaderValue::try_from(time) {
        response.headers.insert("server-timing", time);
    }
    response
}

pub(crate) fn app() -> App {
    App::new()
        .middleware(timed)
        .on_error(explained)
        .route("/", get(|| Text("A list of things to do is at /todos\n")))
        .view("/todos", Todos::default())
        .buffered_body_bytes(64 << 10)
}

fn main() -> Result<(), bakestone_std::ServeError> {
    bakestone_tokio::run(app(), "127.0.0.1:8000")
}

#[cfg(test)]
mod tests {
    use super::*;
    use bakestone_testkit::Client;
    use serde_json::json;

    #[test]
    fn a_todo_from_its_making_to_its_end() {
        let client = Client::new(app());
        let flour = json!({"id": 1, "title": "buy flour", "done": false});
        let bake = json!({"id": 2, "title": "bake", "done": false});
        let bought = json!({"id": 1, "title": "buy flour", "done": true});
        client.get("/todos").send().expect_status(200).expect_json(&json!([]));
        let mut made = client.post("/todos").json(&json!({"title": "buy flour"})).send();
        made.expect_status(201).expect_header("location", "/todos/1").expect_json(&flour);
        client.post("/todos").json(&json!({"title": "bake"})).send().expect_status(201).expect_json(&bake);
        client.patch("/todos/1").json(&json!({"done": true})).send().expect_status(200).expect_json(&bought);
        client.get("/todos").query(&[("done", false)]).send().expect_json(&json!([bake]));
        client.get("/todos/1").send().expect_status(200).expect_json(&bought);
        client.delete("/todos/1").send().expect_status(204).expect_empty();
        client.get("/todos/1").send().expect_status(404).expect_json(&json!({"error": "there is no todo 1"}));
    }

    #[test]
    fn what_is_wrong_is_told() {
        let client = Client::new(app());
        client.post("/todos").json(&json!({"title": "bake"})).send();
        for (request, status, told) in [
            (
                client.patch("/todos/1").json(&json!({"title": " "})),
                422,
                r#"{"error":"a todo needs a title"}"#,
            ),
            (client.post("/todos").json(&json!({})), 400, "title"),
            (client.post("/todos").body("{}"), 415, ""),
            (client.get("/todos?done=perhaps"), 400, "done"),
            (client.put("/todos"), 405, "Method Not Allowed"),
            (client.get("/elsewhere"), 404, "Not Found"),
        ] {
            let mut response = request.send();
            response
                .expect_status(status)
                .expect_header("server-timing", "handler;dur=0")
                .expect_contains(told);
        }
        let response = client.get("/todos/7").send();
        assert!(matches!(response.error().unwrap().downcast_ref(), Some(TodoError::Missing(7))));
    }

    #[test]
    fn a_title_is_no_markup() {
        let client = Client::new(app());
        let mut made = client.post("/todos").json(&json!({"title": "<b>"})).send();
        made.expect_header("content-type", "application/json").expect_contains("<b>");
    }
}
