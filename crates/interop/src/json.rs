//! What is wrong with a JSON text, in words for somebody who did not write the reader.

use serde_json::Error;

/// Returns what is wrong and what was expected: `line 2, column 3: a name in quotes was expected`.
/// The place is left out where there is none.
#[must_use]
pub fn fault_in_words(fault: &Error) -> String {
    let what = what(fault);
    if fault.line() == 0 { what } else { format!("{}: {what}", place(fault)) }
}

/// Returns where the fault stands: `line 2, column 3`.
fn place(fault: &Error) -> String {
    format!("line {}, column {}", fault.line(), fault.column())
}

/// Returns what is wrong and what was expected, without the place.
#[must_use]
pub fn what(fault: &Error) -> String {
    let whole = fault.to_string();
    let said = whole.rsplit_once(" at line ").map_or(whole.as_str(), |(said, _)| said);
    if fault.is_eof() {
        return "the text ends in the middle: is the file whole?".to_owned();
    }
    if fault.is_data() {
        return of_a_field(said);
    }
    let plain = match said {
        "expected value" | "expected ident" => {
            "a value was expected here: words in quotes, a number, true, false or null"
        }
        "key must be a string" => "a name in quotes was expected here",
        "expected `:`" => "a colon was expected here, between a name and its value",
        "expected `,` or `}`" => "a comma or the closing } was expected here",
        "expected `,` or `]`" => "a comma or the closing ] was expected here",
        "trailing comma" => "there is a comma too many before this closing bracket",
        "trailing characters" => "something stands after the end: one record was expected",
        "invalid number" | "number out of range" => "this is no number: write 1 or 0.5",
        "invalid escape"
        | "lone leading surrogate in hex escape"
        | "unexpected end of hex escape"
        | "invalid unicode code point" => "a backslash here begins no known character",
        said if said.starts_with("control character") => {
            "a line break or a control character stands inside quotes: write it as \\n"
        }
        said => said,
    };
    plain.to_owned()
}

/// Words for a value that stands in the wrong place, from the parser's own sentence.
fn of_a_field(said: &str) -> String {
    let quoted = |from: &str| {
        let rest = said.strip_prefix(from)?.strip_prefix('`')?;
        rest.split_once('`').map(|(name, rest)| (name.to_owned(), rest.to_owned()))
    };
    if let Some((name, _)) = quoted("missing field ") {
        return format!("the field `{name}` is missing");
    }
    if let Some((name, _)) = quoted("duplicate field ") {
        return format!("the field `{name}` stands there twice");
    }
    if let Some((name, rest)) = quoted("unknown field ") {
        return format!("there is no field `{name}` here. {}", known("The fields are", &rest));
    }
    if let Some((name, rest)) = quoted("unknown variant ") {
        return format!("`{name}` is not known here. {}", known("Write one of", &rest));
    }
    let parts = said
        .strip_prefix("invalid type: ")
        .or_else(|| said.strip_prefix("invalid value: "))
        .and_then(|rest| rest.rsplit_once(", expected "));
    match parts {
        Some((found, expected)) => {
            format!("{} was expected, and {} was found", kind(expected), found_kind(found))
        }
        None => said.to_owned(),
    }
}

/// The names in "expected one of `a`, `b`".
fn known(lead: &str, rest: &str) -> String {
    let names: Vec<&str> = rest.split('`').skip(1).step_by(2).collect();
    if names.is_empty() { String::new() } else { format!("{lead}: {}", names.join(", ")) }
}

fn kind(expected: &str) -> &str {
    match expected {
        "a string" | "string" | "a borrowed string" => "words in quotes",
        "a boolean" => "true or false",
        "a sequence" => "a list in [ ]",
        "a map" => "a group in { }",
        "u8" | "u16" | "u32" | "u64" | "usize" | "i64" => "a whole number",
        expected if expected.starts_with("struct ") => "a group in { }",
        expected => expected,
    }
}

fn found_kind(found: &str) -> String {
    let (kind, rest) = found.split_once(' ').unwrap_or((found, ""));
    match kind {
        "integer" | "number" => format!("the number {}", rest.trim_matches('`')),
        "floating" => format!("the number {}", rest.trim_start_matches("point ").trim_matches('`')),
        "string" => format!("the text {rest}"),
        "boolean" => rest.trim_matches('`').to_owned(),
        "null" => "null".to_owned(),
        "sequence" => "a list".to_owned(),
        "map" => "a group in { }".to_owned(),
        _ => found.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;
    use serde_json::Value;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let fault = serde_json::from_str::<Value>(text).expect_err("a fault");
        assert_eq!(fault_in_words(&fault), expected);
    }

    #[test]
    fn a_broken_text_is_told_without_the_parser_s_words() {
        check("", "line 1, column 0: the text ends in the middle: is the file whole?");
        check("{\"a\": [1,", "line 1, column 9: the text ends in the middle: is the file whole?");
        let value = "a value was expected here: words in quotes, a number, true, false or null";
        check("nonsense", &format!("line 1, column 2: {value}"));
        check("{\"a\": oops}", &format!("line 1, column 7: {value}"));
        check("{oops}", "line 1, column 2: a name in quotes was expected here");
        check(
            "{\"a\" 1}",
            "line 1, column 6: a colon was expected here, between a name and its value",
        );
        check("{\"a\": 1 2}", "line 1, column 9: a comma or the closing } was expected here");
        check("[1 2]", "line 1, column 4: a comma or the closing ] was expected here");
        check("[1,]", "line 1, column 4: there is a comma too many before this closing bracket");
        check("{} {}", "line 1, column 4: something stands after the end: one record was expected");
        check("\"\\q\"", "line 1, column 3: a backslash here begins no known character");
        check("[1.x]", "line 1, column 4: this is no number: write 1 or 0.5");
        check(
            "\"a\nb\"",
            "line 2, column 0: a line break or a control character stands inside quotes: write \
             it as \\n",
        );
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code, reason = "only what is wrong with it matters")]
    struct Shape {
        family: String,
        kind: Option<Kind>,
        n: Option<u16>,
        times: Option<Vec<String>>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "kebab-case")]
    enum Kind {
        Allergy,
        Intolerance,
    }

    #[test]
    fn a_field_that_does_not_fit_is_named() {
        #[track_caller]
        fn check(text: &str, expected: &str) {
            let value: Value = serde_json::from_str(text).expect("JSON");
            let fault = serde_json::from_value::<Shape>(value).expect_err("a fault");
            assert_eq!(fault_in_words(&fault), expected);
        }
        check("{}", "the field `family` is missing");
        check(
            "{\"family\": \"a\", \"dose\": 1}",
            "there is no field `dose` here. The fields are: family, kind, n, times",
        );
        check(
            "{\"family\": \"a\", \"kind\": \"rash\"}",
            "`rash` is not known here. Write one of: allergy, intolerance",
        );
        check("{\"family\": 5}", "words in quotes was expected, and the number 5 was found");
        check(
            "{\"family\": \"a\", \"n\": \"two\"}",
            "a whole number was expected, and the text \"two\" was found",
        );
        check(
            "{\"family\": \"a\", \"times\": {}}",
            "a list in [ ] was expected, and a group in { } was found",
        );
    }
}
