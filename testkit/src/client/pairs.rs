//! Values as the fields of a form.
//!
//! The rule: a list is its items under one name, what is none is left out, and what has no place in a flat form fails the
//! test.

use std::fmt;

use bakestone::http::urlencoded;
use serde_core::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

/// The fields in their order, by way of JSON, whose text keeps it.
struct Pairs(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PairsVisitor).map(Self)
    }
}

struct PairsVisitor;

impl<'de> Visitor<'de> for PairsVisitor {
    type Value = Vec<(String, Value)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a struct, a map, or a list of pairs")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut pairs = Vec::new();
        while let Some(pair) = map.next_entry()? {
            pairs.push(pair);
        }
        Ok(pairs)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut pairs = Vec::new();
        while let Some(pair) = list.next_element()? {
            pairs.push(pair);
        }
        Ok(pairs)
    }
}

/// `value` as `application/x-www-form-urlencoded`.
#[track_caller]
pub(super) fn urlencoded<T: serde_core::Serialize + ?Sized>(value: &T) -> String {
    let json = serde_json::to_string(value).expect("a value that JSON can hold");
    let pairs: Pairs = match serde_json::from_str(&json) {
        Ok(pairs) => pairs,
        Err(error) => panic!("{json} is no form: {error}"),
    };
    let mut fields = Vec::new();
    for (name, value) in pairs.0 {
        match value {
            Value::Array(items) => fields.extend(items.into_iter().filter_map(|item| field(&name, item))),
            value => fields.extend(field(&name, value)),
        }
    }
    urlencoded::serialize(fields)
}

#[track_caller]
fn field(name: &str, value: Value) -> Option<(String, String)> {
    let text = match value {
        Value::Null => return None,
        Value::String(text) => text,
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::Array(_) | Value::Object(_) => panic!("{name} is {value}, which no form holds"),
    };
    Some((name.to_owned(), text))
}
