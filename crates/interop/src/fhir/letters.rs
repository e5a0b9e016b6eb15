//! The characters of a file's texts, looked at before anything else reads them.
//!
//! Another program's text may hold characters that steer a screen or turn what is read. A line
//! break becomes a space; what nobody sees is left out; anything else becomes `�`, which a person
//! sees and the reader of directions refuses. What was changed is told with its place.

use mar::text::{self, Unfit};
use serde_json::Value;

use super::at::Notices;
use super::proposal::Notice;
use super::record::ROWS_MAX;

/// Makes every text below `root` safe to show, and notes what was changed where.
pub(crate) fn clean(root: &mut Value, notices: &Notices) {
    let kind = root.get("resourceType").and_then(Value::as_str).unwrap_or("the file");
    let mut place = vec![text::shown(kind).into_owned()];
    walk(root, &mut place, notices);
}

fn walk(value: &mut Value, place: &mut Vec<String>, notices: &Notices) {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
        Value::String(sent) => {
            if let Some(clean) = cleaned(sent, place, notices) {
                *sent = clean;
            }
        }
        Value::Array(values) => {
            for (at, value) in values.iter_mut().enumerate() {
                place.push(format!("[{at}]"));
                walk(value, place, notices);
                place.pop();
            }
        }
        Value::Object(values) => {
            for (name, value) in values {
                place.push(format!(".{name}"));
                walk(value, place, notices);
                place.pop();
            }
        }
    }
}

/// Returns a text as it is taken over; `None` when it is as it was sent.
fn cleaned(sent: &str, place: &[String], notices: &Notices) -> Option<String> {
    text::flaw(sent)?;
    let clean = text::taken_over(sent);
    let steers = |kind: Unfit| !matches!(kind, Unfit::LineBreak | Unfit::Tab);
    let found = text::flaws(sent).find(|(_, kind)| steers(*kind));
    if let Some((character, _)) = found
        && notices.borrow().len() < ROWS_MAX
    {
        let number = format!("U+{:04X}", u32::from(character));
        let what = if clean.contains(char::REPLACEMENT_CHARACTER) {
            format!(
                "the file has a character here that can hide or turn what is read ({number}). It \
                 is shown as �: ask the sender what was meant"
            )
        } else {
            format!("a character that nobody can see was left out ({number})")
        };
        notices.borrow_mut().push(Notice { place: place.concat(), text: what });
    }
    Some(clean.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check(sent: &str, expected: &str, warned: usize) {
        let mut root = json!({
            "resourceType": "Bundle",
            "entry": [{"resource": {"name": [{"family": sent}]}}],
        });
        let notices = Notices::default();
        clean(&mut root, &notices);
        assert_eq!(root["entry"][0]["resource"]["name"][0]["family"], expected);
        let notices = notices.into_inner();
        assert_eq!(notices.len(), warned, "{notices:?}");
        for notice in notices {
            assert_eq!(notice.place, "Bundle.entry[0].resource.name[0].family");
        }
    }

    #[test]
    fn a_line_break_is_a_space_and_what_steers_a_screen_is_seen() {
        check("Zoë محمد O'Brien", "Zoë محمد O'Brien", 0);
        check("by post:\r\n1 High Street\tBournemouth\n", "by post: 1 High Street Bournemouth", 0);
        check("\u{feff}Sh\u{200b}aw\u{200f}", "Shaw", 1);
        check("Sh\u{1b}[2Jaw\u{0}", "Sh�[2Jaw�", 1);
        check("take 5\u{202e}01 mg", "take 5�01 mg", 1);
    }
}
