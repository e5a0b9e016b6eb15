//! A place in the tree that knows its path, and notes each value of an unexpected shape.

use std::cell::RefCell;

use chrono::NaiveDate;
use serde_json::{Map, Value};

use super::proposal::{Notice, SentDate};

/// What was noticed while reading; shared by every [`At`] of a file.
pub(crate) type Notices = RefCell<Vec<Notice>>;

/// An object of the tree, the path to it, and where to note what is odd about it.
#[derive(Clone)]
pub(crate) struct At<'a> {
    pub(crate) body: &'a Map<String, Value>,
    pub(crate) path: String,
    notices: &'a Notices,
}

impl<'a> At<'a> {
    pub(crate) fn new(body: &'a Map<String, Value>, path: String, notices: &'a Notices) -> Self {
        Self { body, path, notices }
    }

    /// Returns the path of the element `name` below this one.
    pub(crate) fn path_of(&self, name: &str) -> String {
        format!("{}.{name}", self.path)
    }

    /// Notes something a person should know about the element `name`; empty for this one.
    pub(crate) fn note(&self, name: &str, text: impl Into<String>) {
        if self.notices.borrow().len() >= super::record::ROWS_MAX {
            return;
        }
        let place = if name.is_empty() { self.path.clone() } else { self.path_of(name) };
        self.notices.borrow_mut().push(Notice { place, text: text.into() });
    }

    fn expected(&self, name: &str, what: &str, found: &Value) {
        let found = match found {
            Value::Null => "nothing",
            Value::Bool(_) => "true or false",
            Value::Number(_) => "a number",
            Value::String(_) => "text",
            Value::Array(_) => "a list",
            Value::Object(_) => "a group of elements",
        };
        self.note(name, format!("expected {what}, found {found}; it was left out"));
    }

    pub(crate) fn kind(&self) -> &'a str {
        self.body.get("resourceType").and_then(Value::as_str).unwrap_or_default()
    }

    /// Returns whether the element stands there at all, in whatever shape.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.body.get(name).is_some_and(|value| !value.is_null())
    }

    /// Returns the group `name`; the first one where a list stands.
    pub(crate) fn get(&self, name: &str) -> Option<At<'a>> {
        self.each(name).into_iter().next()
    }

    /// Returns the groups of the list `name`. A single group that is not in a list is read as a
    /// list of one: real senders write it (`basedOn`, `generalPractitioner`).
    pub(crate) fn each(&self, name: &str) -> Vec<At<'a>> {
        let below = |value: &'a Value, path: String| match value {
            Value::Object(body) => Some(At::new(body, path, self.notices)),
            Value::Null => None,
            Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                self.expected(name, "a group of elements", value);
                None
            }
        };
        match self.body.get(name) {
            None => Vec::new(),
            Some(Value::Array(values)) => values
                .iter()
                .enumerate()
                .filter_map(|(i, value)| below(value, format!("{}[{i}]", self.path_of(name))))
                .collect(),
            Some(value) => below(value, self.path_of(name)).into_iter().collect(),
        }
    }

    /// Returns the text `name`, as it was sent. `None` when it is missing, empty or no text.
    pub(crate) fn text(&self, name: &str) -> Option<&'a str> {
        self.texts(name).into_iter().next()
    }

    /// Returns the texts of the list `name`; a single text is a list of one.
    pub(crate) fn texts(&self, name: &str) -> Vec<&'a str> {
        let one = |value: &'a Value| match value {
            Value::String(text) if text.trim().is_empty() => None,
            Value::String(text) => Some(text.as_str()),
            Value::Null => None,
            Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
                self.expected(name, "text", value);
                None
            }
        };
        match self.body.get(name) {
            None => Vec::new(),
            Some(Value::Array(values)) => values.iter().filter_map(one).collect(),
            Some(value) => one(value).into_iter().collect(),
        }
    }

    /// Returns a number in the digits it was sent in. A text of digits counts as one: real
    /// senders write quantities so.
    pub(crate) fn number(&self, name: &str) -> Option<String> {
        match self.body.get(name)? {
            Value::Number(number) => {
                let digits = number.to_string();
                // A whole number is the same with and without `.0`.
                Some(digits.strip_suffix(".0").map_or(digits.clone(), str::to_owned))
            }
            Value::String(text) if is_number(text.trim()) => Some(text.trim().to_owned()),
            Value::Null => None,
            value @ (Value::Bool(_) | Value::String(_) | Value::Array(_) | Value::Object(_)) => {
                self.expected(name, "a number", value);
                None
            }
        }
    }

    pub(crate) fn boolean(&self, name: &str) -> Option<bool> {
        match self.body.get(name)? {
            Value::Bool(value) => Some(*value),
            Value::Null => None,
            value @ (Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_)) => {
                self.expected(name, "true or false", value);
                None
            }
        }
    }

    pub(crate) fn date(&self, name: &str) -> Option<SentDate> {
        let text = self.text(name)?;
        let day = text.get(..10).unwrap_or(text);
        let day = NaiveDate::parse_from_str(day, "%Y-%m-%d").ok();
        let is_part = text.len() < 10 && text.bytes().all(|b| b.is_ascii_digit() || b == b'-');
        if day.is_none() && !is_part {
            self.note(name, format!("`{}` is no date", shortened(text)));
        }
        Some(SentDate { as_sent: text.to_owned(), day })
    }

    /// Returns the extensions whose address ends in a name that holds `name`: the same extension
    /// has several addresses and version suffixes.
    pub(crate) fn extensions(&self, name: &str) -> Vec<At<'a>> {
        let holds = |at: &At<'a>| {
            let url = at.body.get("url").and_then(Value::as_str).unwrap_or_default();
            url.rsplit('/').next().is_some_and(|last| last.contains(name))
        };
        match self.body.get("extension") {
            Some(Value::Array(_) | Value::Object(_)) => {
                self.each("extension").into_iter().filter(holds).collect()
            }
            Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) | None => {
                Vec::new()
            }
        }
    }

    pub(crate) fn extension(&self, name: &str) -> Option<At<'a>> {
        self.extensions(name).into_iter().next()
    }

    /// Returns what was sent but is read by nobody here: every element not in `read`.
    pub(crate) fn rest(&self, read: &[&str]) -> Value {
        let rest = self
            .body
            .iter()
            .filter(|(name, _)| !read.contains(&name.as_str()))
            .map(|(name, value)| (name.clone(), value.clone()));
        Value::Object(rest.collect())
    }
}

fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    !digits.is_empty()
        && digits.len() <= 20
        && digits.bytes().all(|b| b.is_ascii_digit() || b == b'.')
        && digits.bytes().filter(|&b| b == b'.').count() <= 1
}

/// Returns a text short enough to stand in a sentence.
pub(crate) fn shortened(text: &str) -> String {
    const LONGEST: usize = 60;
    let mut short: String = text.chars().take(LONGEST).collect();
    if text.chars().count() > LONGEST {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_read_in_its_own_digits_and_nothing_else_is_one() {
        let body = serde_json::json!({
            "whole": 28.0, "half": 2.5, "text": " 0.125 ", "word": "two", "list": [1], "huge": 1e300
        });
        let notices = Notices::default();
        let at = At::new(body.as_object().expect("a group"), "Quantity".to_owned(), &notices);
        let read = |name: &str| at.number(name);
        assert_eq!(read("whole").as_deref(), Some("28"));
        assert_eq!(read("half").as_deref(), Some("2.5"));
        assert_eq!(read("text").as_deref(), Some("0.125"));
        assert_eq!(read("huge").as_deref(), Some("1e+300"), "it is no amount, and says so later");
        assert_eq!((read("word"), read("list"), read("none")), (None, None, None));
        let places: Vec<_> = notices.borrow().iter().map(|notice| notice.place.clone()).collect();
        assert_eq!(places, ["Quantity.word", "Quantity.list"]);
    }

    #[test]
    fn a_date_keeps_the_sender_s_text_whatever_it_is() {
        let body = serde_json::json!({"day": "2026-03-29T01:30:00Z", "year": "2010", "no": "soon"});
        let notices = Notices::default();
        let at = At::new(body.as_object().expect("a group"), "Patient".to_owned(), &notices);
        let day = at.date("day").expect("sent");
        assert_eq!(day.day, NaiveDate::from_ymd_opt(2026, 3, 29));
        assert_eq!(at.date("year").expect("sent").day, None);
        assert_eq!(at.date("no").expect("sent").as_sent, "soon");
        assert_eq!(notices.borrow().len(), 1);
    }
}
