//! The parameters of a path: by their order as one value or as a tuple, by their names as a struct or a map.
//!
//! The rule: what is found out when the application is built, with values that are made up, is found out by
//! the code that later takes the client's.

use std::cell::Cell;

use serde_core::de::value::SeqDeserializer;
use serde_core::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::misfit::{Misfit, Problem};
use super::value::Value;
use crate::router::Params;

/// The parameters, as what they are to be.
#[derive(Clone, Copy)]
pub(super) enum Parameters<'a> {
    /// Of a request.
    Found(&'a Params),
    /// Of a pattern that has these names; noted is how many of them were taken by their order.
    MadeUp(&'a [&'a str], &'a Cell<Option<usize>>),
}

/// One parameter.
struct Parameter<'a> {
    name: &'a str,
    value: Value<'a>,
    /// Whether its converter has spoken for the value.
    typed: bool,
}

impl<'a> Parameters<'a> {
    fn len(self) -> usize {
        match self {
            Self::Found(params) => params.len(),
            Self::MadeUp(names, _) => names.len(),
        }
    }

    fn get(self, index: usize) -> Option<Parameter<'a>> {
        match self {
            Self::Found(params) => {
                let (name, value, typed) = params.value(index)?;
                Some(Parameter { name, value: Value::new(value), typed })
            }
            Self::MadeUp(names, _) => {
                Some(Parameter { name: names.get(index)?, value: Value::made_up(), typed: false })
            }
        }
    }

    /// Notes that the first `count` are taken, and none after them.
    fn note(self, count: usize) {
        if let Self::MadeUp(_, taken) = self {
            taken.set(Some(count));
        }
    }

    fn first(self) -> Result<Parameter<'a>, Misfit> {
        self.note(1);
        self.get(0).ok_or_else(|| Misfit::new(Problem::TooFew(1)))
    }

    /// A type may judge a value after it was handed over. Where there is but one, it is that.
    pub(super) fn blame_the_only_one(self, misfit: Misfit) -> Misfit {
        match (self.get(0), &misfit.problem) {
            (Some(only), Problem::Custom(_)) if self.len() == 1 => blame(misfit, only.name, only.typed),
            _ => misfit,
        }
    }

    fn up_to(self, end: usize) -> Access<'a> {
        Access { parameters: self, next: 0, end, value: None }
    }
}

impl<'a> Parameter<'a> {
    /// Makes something of the value, and tells of the parameter if that fails.
    fn take<T>(self, make: impl FnOnce(Value<'a>) -> Result<T, Misfit>) -> Result<T, Misfit> {
        let Self { name, typed, value } = self;
        make(value).map_err(|misfit| blame(misfit, name, typed))
    }
}

/// The misfit of the parameter `name`.
fn blame(misfit: Misfit, name: &str, typed: bool) -> Misfit {
    let problem = match misfit.problem {
        Problem::Wrong { .. } | Problem::Custom(_) if typed => Problem::NotFound,
        problem => problem,
    };
    Misfit { problem, ..misfit }.of(Some(name.to_owned()))
}

macro_rules! first {
    ($($method:ident($($argument:ident: $type:ty),*);)*) => {$(
        fn $method<V: Visitor<'de>>(self, $($argument: $type,)* visitor: V) -> Result<V::Value, Misfit> {
            self.first()?.take(|value| value.$method($($argument,)* visitor))
        }
    )*};
}

impl<'de> Deserializer<'de> for Parameters<'_> {
    type Error = Misfit;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        self.deserialize_map(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_map(self.up_to(self.len()))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        self.deserialize_map(visitor)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_seq(self.up_to(self.len()))
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, Misfit> {
        if self.len() < length {
            return Err(Misfit::new(Problem::TooFew(length)));
        }
        self.note(length);
        visitor.visit_seq(self.up_to(length))
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        self.deserialize_tuple(length, visitor)
    }

    /// None without parameters, and where the only one is blank, as that of a `path` converter may be.
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.get(0) {
            None => visitor.visit_none(),
            Some(only) if self.len() == 1 && only.value.is_blank() => visitor.visit_none(),
            Some(_) => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        visitor.visit_unit()
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_unit()
    }

    first! {
        deserialize_bool();
        deserialize_i8();
        deserialize_i16();
        deserialize_i32();
        deserialize_i64();
        deserialize_i128();
        deserialize_u8();
        deserialize_u16();
        deserialize_u32();
        deserialize_u64();
        deserialize_u128();
        deserialize_f32();
        deserialize_f64();
        deserialize_char();
        deserialize_str();
        deserialize_string();
        deserialize_bytes();
        deserialize_byte_buf();
        deserialize_enum(name: &'static str, variants: &'static [&'static str]);
        deserialize_identifier();
    }
}

/// The parameters one by one, with their names or without.
struct Access<'a> {
    parameters: Parameters<'a>,
    next: usize,
    end: usize,
    value: Option<Parameter<'a>>,
}

impl<'a> Access<'a> {
    fn advance(&mut self) -> Option<Parameter<'a>> {
        if self.next == self.end {
            return None;
        }
        self.next += 1;
        self.parameters.get(self.next - 1)
    }
}

impl<'de> SeqAccess<'de> for Access<'_> {
    type Error = Misfit;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Misfit> {
        let Some(parameter) = self.advance() else { return Ok(None) };
        let name = parameter.name;
        parameter.take(|value| seed.deserialize(Element { name, value })).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.end - self.next)
    }
}

impl<'de> MapAccess<'de> for Access<'_> {
    type Error = Misfit;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Misfit> {
        self.value = self.advance();
        match &self.value {
            Some(parameter) => seed.deserialize(Value::new(parameter.name)).map(Some),
            None => Ok(None),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Misfit> {
        match self.value.take() {
            Some(parameter) => parameter.take(|value| seed.deserialize(value)),
            None => Err(Misfit::unsupported("a value is asked for before its name")),
        }
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.end - self.next)
    }
}

/// A parameter in a sequence: its value, or a pair of its name and its value.
struct Element<'a> {
    name: &'a str,
    value: Value<'a>,
}

macro_rules! element {
    ($($method:ident($($argument:ident: $type:ty),*);)*) => {$(
        fn $method<V: Visitor<'de>>(self, $($argument: $type,)* visitor: V) -> Result<V::Value, Misfit> {
            self.value.$method($($argument,)* visitor)
        }
    )*};
}

impl<'de> Deserializer<'de> for Element<'_> {
    type Error = Misfit;

    fn deserialize_tuple<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, Misfit> {
        if length != 2 {
            return self.value.deserialize_tuple(length, visitor);
        }
        visitor.visit_seq(SeqDeserializer::new([Value::new(self.name), self.value].into_iter()))
    }

    element! {
        deserialize_any();
        deserialize_bool();
        deserialize_i8();
        deserialize_i16();
        deserialize_i32();
        deserialize_i64();
        deserialize_i128();
        deserialize_u8();
        deserialize_u16();
        deserialize_u32();
        deserialize_u64();
        deserialize_u128();
        deserialize_f32();
        deserialize_f64();
        deserialize_char();
        deserialize_str();
        deserialize_string();
        deserialize_bytes();
        deserialize_byte_buf();
        deserialize_option();
        deserialize_unit();
        deserialize_unit_struct(name: &'static str);
        deserialize_newtype_struct(name: &'static str);
        deserialize_seq();
        deserialize_tuple_struct(name: &'static str, length: usize);
        deserialize_map();
        deserialize_struct(name: &'static str, fields: &'static [&'static str]);
        deserialize_enum(name: &'static str, variants: &'static [&'static str]);
        deserialize_identifier();
        deserialize_ignored_any();
    }
}
