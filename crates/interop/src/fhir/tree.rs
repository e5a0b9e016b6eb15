//! Bytes into one tree: JSON as it stands, XML in the shape that JSON has.

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::refused::{Place, Why};
use super::xml;

/// The largest file that is read.
pub const BYTES_MAX: usize = 64 * 1024 * 1024;
/// The most elements that are read: a record of 64 MiB has about three million.
pub const ELEMENTS_MAX: usize = 5_000_000;
/// The deepest nesting that is read; the deepest published record has under thirty levels.
pub const DEPTH_MAX: usize = 100;

/// What a file is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Syntax {
    /// FHIR JSON.
    Json,
    /// FHIR XML.
    Xml,
}

impl fmt::Display for Syntax {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Json => "JSON",
            Self::Xml => "XML",
        })
    }
}

/// A file read into a tree whose root is an object.
pub(crate) struct Tree {
    pub(crate) root: Value,
    pub(crate) syntax: Syntax,
    /// Where the root element begins.
    pub(crate) root_place: Place,
}

/// Where and why a file could not be read into a tree.
pub(crate) type Fault = (Place, Why);

/// Reads `bytes` as JSON or XML, whichever they begin like.
pub(crate) fn read(bytes: &[u8]) -> Result<Tree, Fault> {
    if bytes.len() > BYTES_MAX {
        return Err((Place::File, Why::TooLarge { bytes: bytes.len(), limit: BYTES_MAX }));
    }
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let text = std::str::from_utf8(bytes)
        .map_err(|fault| (Place::of_offset(bytes, fault.valid_up_to()), Why::NotUtf8))?;
    let start = text.len() - text.trim_start().len();
    let root_place = Place::of_offset(bytes, start);
    match text[start..].chars().next() {
        None => Err((Place::File, Why::Empty)),
        Some('{' | '[') => {
            let root = read_json(text)?;
            if !root.is_object() {
                let expected = "one FHIR resource (a JSON object)";
                return Err((root_place, Why::NotFhir { expected, found: "a list".to_owned() }));
            }
            Ok(Tree { root, syntax: Syntax::Json, root_place })
        }
        Some('<') => {
            let (root, root_place) = xml::read(text)?;
            Ok(Tree { root, syntax: Syntax::Xml, root_place })
        }
        Some(_) => {
            let found = text[start..].chars().take(20).collect();
            Err((root_place, Why::NeitherJsonNorXml { found }))
        }
    }
}

fn read_json(text: &str) -> Result<Value, Fault> {
    let budget = Cell::new(ELEMENTS_MAX);
    let mut reader = serde_json::Deserializer::from_str(text);
    let read = Node { budget: &budget, depth: 0 }
        .deserialize(&mut reader)
        .and_then(|value| reader.end().map(|()| value));
    read.map_err(|fault| {
        let place = Place::Text { line: fault.line(), column: fault.column() };
        let said = fault.to_string();
        let why = match said.split(" at line ").next().unwrap_or(&said) {
            TOO_MANY => Why::TooMany { limit: ELEMENTS_MAX },
            TOO_DEEP | "recursion limit exceeded" => Why::TooDeep { limit: DEPTH_MAX },
            _ => Why::Malformed { syntax: "JSON", what: crate::json::what(&fault) },
        };
        (place, why)
    })
}

const TOO_MANY: &str = "too many elements";
const TOO_DEEP: &str = "nested too deep";

/// Reads one JSON value, counting what it makes and refusing a name that stands twice in one
/// object: with `serde_json` alone the later one would silently win, and it may be a dose.
#[derive(Clone, Copy)]
struct Node<'a> {
    budget: &'a Cell<usize>,
    depth: usize,
}

impl Node<'_> {
    fn below<E: serde::de::Error>(self) -> Result<Self, E> {
        if self.depth >= DEPTH_MAX {
            return Err(E::custom(TOO_DEEP));
        }
        Ok(Self { depth: self.depth + 1, ..self })
    }
}

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Value, D::Error> {
        let left = self.budget.get();
        if left == 0 {
            return Err(D::Error::custom(TOO_MANY));
        }
        self.budget.set(left - 1);
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let below = self.below()?;
        let mut values = Vec::new();
        while let Some(value) = list.next_element_seed(below)? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let below = self.below()?;
        let mut values = Map::new();
        while let Some(name) = map.next_key::<String>()? {
            if values.contains_key(&name) {
                let name: String = name.chars().take(60).collect();
                let what = format!("the name `{name}` stands twice in one object");
                return Err(A::Error::custom(what));
            }
            let value = map.next_value_seed(below)?;
            values.insert(name, value);
        }
        Ok(Value::Object(values))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(text: &str) -> String {
        let (place, why) = read(text.as_bytes()).err().expect("refused");
        format!("{place}: {why}")
    }

    #[test]
    fn a_name_that_stands_twice_is_refused_where_it_stands() {
        let said = refused("{\"status\": \"active\",\n \"status\": \"stopped\"}");
        assert!(said.starts_with("line 2, column "), "{said}");
        assert!(said.contains("`status` stands twice"), "{said}");
    }

    #[test]
    fn a_file_cut_short_says_where_it_ends() {
        let said = refused("{\"resourceType\": \"Patient\",\n  \"id\": ");
        assert!(said.starts_with("line 2, column "), "{said}");
    }

    #[test]
    fn nesting_without_end_is_refused_in_both_syntaxes() {
        let json = format!("{{\"a\":{}", "[".repeat(200_000));
        assert!(refused(&json).contains("nested more than 100 deep"));
        let xml = format!("<a xmlns=\"http://hl7.org/fhir\">{}", "<b>".repeat(200_000));
        assert!(refused(&xml).contains("nested more than 100 deep"));
    }

    #[test]
    fn what_is_no_record_at_all_is_said_to_be_so() {
        assert!(refused("").contains("empty"));
        assert!(refused(" \n ").contains("empty"));
        assert!(refused("code,name\n1,2").contains("found `code,name"));
        assert!(refused("[1]").contains("found a list"));
        let latin = read(b"{\"name\": \"Zo\xEB\"}").err().expect("refused");
        assert_eq!(latin, (Place::Text { line: 1, column: 13 }, Why::NotUtf8));
    }

    #[test]
    fn a_byte_order_mark_is_no_fault() {
        assert!(read(b"\xEF\xBB\xBF{}").is_ok());
    }
}
