//! A query or a form: names that may occur several times, as a struct, a map or a sequence of pairs.

use serde_core::de::value::{MapDeserializer, SeqDeserializer};
use serde_core::de::{DeserializeSeed, Deserializer, Error, MapAccess, Unexpected, Visitor};

use super::files::UPLOADED_FILE;
use super::misfit::{Found, Misfit};
use super::value::Value;
use crate::message::MultiMap;

/// The fields, as what they are to be.
pub(super) struct Fields<'a> {
    pub(super) fields: &'a MultiMap,
    /// The names of files, each by its number. Only a struct takes files.
    pub(super) files: &'a [String],
}

impl<'a> Fields<'a> {
    fn by_name(self, known: &'static [&'static str]) -> ByName<'a> {
        let fields = self.fields.iter().map(|(name, value)| (name, Value::new(value)));
        let files = self.files.iter().zip(0..).filter(|_| !known.is_empty());
        let files = files.map(|(name, number)| (&**name, Value::file(number)));
        let mut pairs: Vec<(usize, &str, Value<'_>)> =
            fields.chain(files).enumerate().map(|(at, (name, value))| (at, name, value)).collect();
        // The sort is stable, so the values of a name stay in their order.
        pairs.sort_by(|one, other| one.1.cmp(other.1));
        let mut groups: Vec<Group<'a>> = pairs.chunk_by(|a, b| a.1 == b.1).map(Group::new).collect();
        groups.sort_by_key(|group| group.at);
        ByName { groups: groups.into_iter(), current: None, known }
    }
}

impl<'de> Deserializer<'de> for Fields<'_> {
    type Error = Misfit;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_map(self.by_name(&[]))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        visitor.visit_map(self.by_name(fields))
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        let pairs = self.fields.iter().map(|(name, value)| (Value::new(name), Value::new(value)));
        visitor.visit_seq(MapDeserializer::new(pairs))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        if self.fields.is_empty() && self.files.is_empty() {
            visitor.visit_none()
        } else {
            visitor.visit_some(self)
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

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        Err(Misfit::invalid_type(Unexpected::Map, &visitor))
    }

    serde_core::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        tuple tuple_struct map identifier ignored_any
    }
}

/// A name with all its values.
struct Group<'a> {
    /// The place of the first.
    at: usize,
    name: &'a str,
    values: Vec<Value<'a>>,
}

impl<'a> Group<'a> {
    fn new(pairs: &[(usize, &'a str, Value<'a>)]) -> Self {
        let (at, name) = pairs.first().map_or((0, ""), |(at, name, _)| (*at, *name));
        Self { at, name, values: pairs.iter().map(|(_, _, value)| value.clone()).collect() }
    }
}

/// The names, each once, in the order in which they occur first.
struct ByName<'a> {
    groups: std::vec::IntoIter<Group<'a>>,
    current: Option<Group<'a>>,
    /// The names that are the application's own, and may be told.
    known: &'static [&'static str],
}

impl<'de> MapAccess<'de> for ByName<'_> {
    type Error = Misfit;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Misfit> {
        self.current = self.groups.next();
        let Some(group) = &self.current else { return Ok(None) };
        seed.deserialize(Value::new(group.name)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Misfit> {
        let Some(Group { name, values, .. }) = self.current.take() else {
            return Err(Misfit::custom("a value was asked for before its name"));
        };
        let field = self.known.iter().find(|known| **known == name);
        seed.deserialize(Values(values)).map_err(|misfit| misfit.of(field.copied()))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.groups.len())
    }
}

/// The values of one name; there is one at least.
struct Values<'a>(Vec<Value<'a>>);

impl<'a> Values<'a> {
    fn single(&self) -> Result<Value<'a>, Misfit> {
        match &self.0[..] {
            [value] => Ok(value.clone()),
            _ => Err(Misfit::wrong("one value", Found::Several)),
        }
    }

    fn sequence(&self) -> SeqDeserializer<impl Iterator<Item = Value<'a>>, Misfit> {
        SeqDeserializer::new(self.0.iter().cloned())
    }
}

macro_rules! single {
    ($($method:ident($($argument:ident: $type:ty),*);)*) => {$(
        fn $method<V: Visitor<'de>>(self, $($argument: $type,)* visitor: V) -> Result<V::Value, Misfit> {
            self.single()?.$method($($argument,)* visitor)
        }
    )*};
}

impl<'de> Deserializer<'de> for Values<'_> {
    type Error = Misfit;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.single() {
            Ok(value) => value.deserialize_any(visitor),
            Err(_) => self.deserialize_seq(visitor),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_seq(self.sequence())
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, Misfit> {
        if self.0.len() != length {
            let found = if self.0.len() == 1 { Found::Text } else { Found::Several };
            return Err(Misfit::wrong(format!("{length} values"), found));
        }
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        self.deserialize_tuple(length, visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match &self.0[..] {
            [value] if value.is_blank() => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        match name {
            UPLOADED_FILE => self.single()?.deserialize_newtype_struct(name, visitor),
            _ => visitor.visit_newtype_struct(self),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_unit()
    }

    single! {
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
        deserialize_unit();
        deserialize_unit_struct(name: &'static str);
        deserialize_map();
        deserialize_struct(name: &'static str, fields: &'static [&'static str]);
        deserialize_enum(name: &'static str, variants: &'static [&'static str]);
        deserialize_identifier();
    }
}
