//! What came as names and values: the query, forms, cookies.

use bakestone::{
    Cookies, Error, Form, HeaderMap, HeaderValue, Json, MultiMap, Path, Query, Redirect, Result, StatusCode,
    Text, header,
};
use serde_json::{Value, json};

/// The pairs of the query, in their order.
pub(super) fn query(Query(pairs): Query<MultiMap>) -> Json<MultiMap> {
    Json(pairs)
}

/// The pairs of an urlencoded body, in their order.
pub(super) async fn form(Form(pairs): Form<MultiMap>) -> Json<MultiMap> {
    Json(pairs)
}

pub(super) fn cookies(Cookies(pairs): Cookies) -> Json<MultiMap> {
    Json(pairs)
}

/// Everything that a request carries, in one answer.
pub(super) async fn record(
    Path((user, record)): Path<(u64, u64)>,
    Query(query): Query<MultiMap>,
    headers: HeaderMap,
    Json(data): Json<Value>,
) -> Result<Json<Value>> {
    if !headers.contains_key(header::AUTHORIZATION) {
        return Err(Error::from_status(StatusCode::UNAUTHORIZED));
    }
    let query: serde_json::Map<String, Value> =
        query.iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
    Ok(Json(json!({"params": {"user": user, "record": record}, "query": query, "data": data})))
}

/// The value as a field, if it can be one.
pub(super) fn field(Query(query): Query<MultiMap>) -> Result<(StatusCode, HeaderMap, Text<&'static str>)> {
    let value = HeaderValue::from_bytes(query.get("v").unwrap_or_default().as_bytes());
    let value =
        value.map_err(|_| Error::new(StatusCode::BAD_REQUEST, "`v` cannot be the value of a field"))?;
    let mut headers = HeaderMap::new();
    headers.insert("x-v", value);
    Ok((StatusCode::OK, headers, Text("")))
}

/// A redirect to where the query says, which is what a suite asks for and no application should do.
pub(super) fn redirect(status: Option<Path<u16>>, Query(query): Query<MultiMap>) -> Result<Redirect> {
    let redirect = Redirect::to(query.get("to").unwrap_or("/"));
    let Some(Path(status)) = status else { return Ok(redirect) };
    let status = StatusCode::from_u16(status).ok().filter(StatusCode::is_redirection);
    let status = status.ok_or_else(|| Error::bad_request("the status must be a number from 300 to 399"))?;
    Ok(redirect.with_status(status))
}
