//! One value: a text, as the type that it is to be.

use std::borrow::Cow;
use std::str::FromStr;

use serde_core::de::value::StringDeserializer;
use serde_core::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error, IntoDeserializer, Unexpected, VariantAccess, Visitor,
};

use super::files::UPLOADED_FILE;
use super::misfit::{Found, Misfit};

/// The value of a name that occurs once.
#[derive(Clone, Debug)]
pub(super) struct Value<'a> {
    text: Cow<'a, str>,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Sent,
    MadeUp,
    /// The file of this number, which has no text.
    File(u64),
}

impl<'a> Value<'a> {
    pub(super) fn new(text: impl Into<Cow<'a, str>>) -> Self {
        Self { text: text.into(), kind: Kind::Sent }
    }

    /// A value that as many types as possible take: it stands for one that a client might send.
    pub(super) fn made_up() -> Self {
        Self { text: Cow::Borrowed("1"), kind: Kind::MadeUp }
    }

    /// A file of a form.
    pub(super) fn file(number: u64) -> Self {
        Self { text: Cow::Borrowed(""), kind: Kind::File(number) }
    }

    pub(super) fn is_blank(&self) -> bool {
        self.text.is_empty() && !self.is_file()
    }

    fn is_file(&self) -> bool {
        matches!(self.kind, Kind::File(_))
    }

    fn is_made_up(&self) -> bool {
        self.kind == Kind::MadeUp
    }
}

impl Value<'_> {
    fn found(&self) -> Found {
        match self.kind {
            Kind::File(_) => Found::File,
            _ if self.is_blank() => Found::Blank,
            _ => Found::Text,
        }
    }

    fn wrong(&self, expected: impl Into<Cow<'static, str>>) -> Misfit {
        Misfit::wrong(expected, self.found())
    }

    fn parse<T: FromStr>(&self, expected: impl Into<Cow<'static, str>>) -> Result<T, Misfit> {
        self.text.parse().map_err(|_| self.wrong(expected))
    }
}

macro_rules! whole_numbers {
    ($($method:ident => $visit:ident, $type:ty;)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
            match self.text.parse::<$type>() {
                Ok(number) => visitor.$visit(number),
                Err(_) => Err(self.wrong(format!("a whole number from {} to {}", <$type>::MIN, <$type>::MAX))),
            }
        }
    )*};
}

impl<'de> Deserializer<'de> for Value<'_> {
    type Error = Misfit;

    /// Text, since there is nothing that tells more.
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        if self.is_file() {
            return Err(self.wrong("text"));
        }
        visitor.visit_string(self.text.into_owned())
    }

    whole_numbers! {
        deserialize_u8 => visit_u8, u8;
        deserialize_u16 => visit_u16, u16;
        deserialize_u32 => visit_u32, u32;
        deserialize_u64 => visit_u64, u64;
        deserialize_u128 => visit_u128, u128;
        deserialize_i8 => visit_i8, i8;
        deserialize_i16 => visit_i16, i16;
        deserialize_i32 => visit_i32, i32;
        deserialize_i64 => visit_i64, i64;
        deserialize_i128 => visit_i128, i128;
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        let number: f32 = self.parse("a number")?;
        // `inf` and `nan` parse, and are what nobody means to take from a client.
        if number.is_finite() { visitor.visit_f32(number) } else { Err(self.wrong("a number")) }
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        let number: f64 = self.parse("a number")?;
        if number.is_finite() { visitor.visit_f64(number) } else { Err(self.wrong("a number")) }
    }

    /// Also what a checkbox sends.
    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match &*self.text {
            "true" | "on" | "1" | "yes" => visitor.visit_bool(true),
            "false" | "off" | "0" | "no" => visitor.visit_bool(false),
            _ => Err(self.wrong("`true` or `false`")),
        }
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_char(self.parse("one character")?)
    }

    /// A blank value is none: an input that was left empty is sent all the same.
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        if self.is_blank() || self.is_made_up() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        if self.is_blank() { visitor.visit_unit() } else { Err(self.wrong("nothing")) }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        match self.kind {
            Kind::File(number) if name == UPLOADED_FILE => visitor.visit_u64(number),
            _ if name == UPLOADED_FILE => Err(self.wrong("a file")),
            _ => visitor.visit_newtype_struct(self),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        match variants.first() {
            Some(first) if self.is_made_up() => visitor.visit_enum(Value::new(*first)),
            _ if self.is_file() => Err(self.wrong("text")),
            _ => visitor.visit_enum(self),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_unit()
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        Err(Misfit::invalid_type(Unexpected::Seq, &visitor))
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Misfit> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        Err(Misfit::invalid_type(Unexpected::Map, &visitor))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        self.deserialize_map(visitor)
    }

    serde_core::forward_to_deserialize_any! { str string bytes byte_buf identifier }
}

impl<'de> IntoDeserializer<'de, Misfit> for Value<'_> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

/// The name of a variant; variants that hold something have no form as text.
impl<'de> EnumAccess<'de> for Value<'_> {
    type Error = Misfit;
    type Variant = UnitOnly;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, UnitOnly), Misfit> {
        let name: StringDeserializer<Misfit> = self.text.into_owned().into_deserializer();
        Ok((seed.deserialize(name)?, UnitOnly))
    }
}

pub(super) struct UnitOnly;

impl<'de> VariantAccess<'de> for UnitOnly {
    type Error = Misfit;

    fn unit_variant(self) -> Result<(), Misfit> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, _: T) -> Result<T::Value, Misfit> {
        Err(Misfit::unsupported("a variant with a value has no form as text"))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, Misfit> {
        Err(Misfit::unsupported("a variant with values has no form as text"))
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], _: V) -> Result<V::Value, Misfit> {
        Err(Misfit::unsupported("a variant with fields has no form as text"))
    }
}
