//! Which characters a text may hold, and how one that it may not is shown.
//!
//! A text that people type or that another program sends ends up on a terminal and on paper. There
//! a line break forges a line, an escape character rewrites the screen, and a mark that turns the
//! writing direction shows a dose in another order. So [`flaw`] refuses them where a text comes
//! in, and [`shown`] makes those visible that came in by another way. Letters of every script
//! pass, with their accents and with the joiners that some of them need.

use std::borrow::Cow;

/// The most characters of a name: of a person, a device, a room.
pub const NAME_MAX: usize = 120;
/// The most characters of words on one line: a reason, directions, a medicine's name.
pub const WORDS_MAX: usize = 2_000;
/// The most characters of words that may take several lines: a label as it was sent.
pub const LINES_MAX: usize = 8_000;

/// What kind of text something is: how long it may be, and whether on several lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A name, on one line.
    Name,
    /// Words on one line.
    Words,
    /// Words that keep their line breaks.
    Lines,
}

impl Form {
    const fn longest(self) -> usize {
        match self {
            Self::Name => NAME_MAX,
            Self::Words => WORDS_MAX,
            Self::Lines => LINES_MAX,
        }
    }
}

/// One text of something that is asked, with the words that name its field to a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Text<'t> {
    /// The field: `family name`.
    pub field: &'static str,
    /// What stands in it.
    pub text: &'t str,
    /// What kind of text it is.
    pub form: Form,
}

impl Text<'_> {
    /// Returns why this text is not taken.
    ///
    /// # Errors
    /// With the field, what is wrong, and the words before it.
    pub fn check(&self) -> Result<(), TextFault> {
        let fault = |flaw, after| TextFault { field: self.field, flaw, after };
        let long = self.text.chars().count();
        if long > self.form.longest() {
            let flaw = Flaw::TooLong { long, longest: self.form.longest() };
            return Err(fault(flaw, String::new()));
        }
        let broken = |kind: Unfit| kind == Unfit::LineBreak && self.form == Form::Lines;
        match unfit(self.text).find(|(_, _, kind)| !broken(*kind)) {
            None => Ok(()),
            Some((at, character, kind)) => {
                Err(fault(Flaw::Unfit { character, kind }, words_before(&self.text[..at])))
            }
        }
    }
}

/// Checks a text that does not come in a command: a name at setup, the name of a device.
///
/// # Errors
/// As [`Text::check`].
pub fn check(field: &'static str, text: &str, form: Form) -> Result<(), TextFault> {
    Text { field, text, form }.check()
}

/// A text that is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.words())]
pub struct TextFault {
    /// The field in words.
    pub field: &'static str,
    /// What is wrong.
    pub flaw: Flaw,
    /// The words just before it; empty at the beginning.
    pub after: String,
}

/// What is wrong with a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// A character that no text may hold.
    Unfit {
        /// Which.
        character: char,
        /// What it would do.
        kind: Unfit,
    },
    /// Too many characters.
    TooLong {
        /// How many there are.
        long: usize,
        /// How many may be.
        longest: usize,
    },
}

/// What a character that no text may hold would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unfit {
    /// Begins a new line.
    LineBreak,
    /// Jumps to a column.
    Tab,
    /// Steers a screen or a printer.
    Control,
    /// Turns the writing direction.
    Turns,
    /// Cannot be seen.
    Hidden,
    /// Means nothing, or something else on each machine.
    NoLetter,
}

impl TextFault {
    fn words(&self) -> String {
        let field = self.field;
        let (character, kind) = match self.flaw {
            Flaw::TooLong { long, longest } => {
                return format!(
                    "the {field} is too long: {long} characters, and at most {longest} fit: \
                     shorten it"
                );
            }
            Flaw::Unfit { character, kind } => (u32::from(character), kind),
        };
        let after = if self.after.is_empty() {
            "at its beginning".to_owned()
        } else {
            format!("after “{}”", self.after)
        };
        match kind {
            Unfit::LineBreak => {
                format!("there is a line break in the {field}, {after}: write it on one line")
            }
            Unfit::Tab => format!("there is a tab in the {field}, {after}: write a space instead"),
            Unfit::Control => format!(
                "there is a control character in the {field}, {after} (U+{character:04X}): type \
                 it again"
            ),
            Unfit::Turns => format!(
                "there is a hidden character in the {field}, {after} (U+{character:04X}). It can \
                 change the order of what is read: type it again, do not paste it"
            ),
            Unfit::Hidden => format!(
                "there is a character that nobody can see in the {field}, {after} \
                 (U+{character:04X}): type it again, do not paste it"
            ),
            Unfit::NoLetter => format!(
                "there is a character in the {field} that cannot be shown, {after} \
                 (U+{character:04X}): type it again"
            ),
        }
    }
}

/// The last words before a place, short enough for a sentence.
fn words_before(text: &str) -> String {
    const LONGEST: usize = 24;
    let text = text.trim_end();
    let count = text.chars().count();
    let kept: String = text.chars().skip(count.saturating_sub(LONGEST)).collect();
    if count > LONGEST { format!("…{kept}") } else { kept }
}

/// Returns the first character that no text may hold, and what it would do.
#[must_use]
pub fn flaw(text: &str) -> Option<(char, Unfit)> {
    flaws(text).next()
}

/// Returns every character that no text may hold, and what it would do.
pub fn flaws(text: &str) -> impl Iterator<Item = (char, Unfit)> + '_ {
    unfit(text).map(|(_, character, kind)| (character, kind))
}

/// Returns a text as it is shown on one line: line breaks and tabs are spaces, and any other
/// character that would not be seen, or would do something, is its number: `[U+202E]`.
#[must_use]
pub fn shown(text: &str) -> Cow<'_, str> {
    replaced(text, |character, kind, out| match kind {
        // A carriage return with its line feed is one break.
        Unfit::LineBreak if character == '\r' => {}
        Unfit::LineBreak | Unfit::Tab => out.push(' '),
        Unfit::Control | Unfit::Turns | Unfit::Hidden | Unfit::NoLetter => {
            out.push_str(&format!("[U+{:04X}]", u32::from(character)));
        }
    })
}

/// Returns a text of another program as it is taken over: line breaks and tabs are spaces, what
/// nobody sees is left out, and what would do something is the replacement character `�`.
#[must_use]
pub fn taken_over(text: &str) -> Cow<'_, str> {
    replaced(text, |character, kind, out| match kind {
        Unfit::LineBreak if character == '\r' => {}
        Unfit::LineBreak | Unfit::Tab => out.push(' '),
        Unfit::Hidden => {}
        Unfit::Turns if matches!(character, '\u{200E}' | '\u{200F}' | '\u{61C}') => {}
        Unfit::Control | Unfit::Turns | Unfit::NoLetter => {
            out.push(char::REPLACEMENT_CHARACTER);
        }
    })
}

/// Returns a text in which each character that no text may hold is what `replace` writes.
pub fn replaced(text: &str, replace: impl Fn(char, Unfit, &mut String)) -> Cow<'_, str> {
    let mut out = String::new();
    let mut done = 0;
    for (at, character, kind) in unfit(text) {
        out.push_str(&text[done..at]);
        replace(character, kind, &mut out);
        done = at + character.len_utf8();
    }
    if done == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(&text[done..]);
    Cow::Owned(out)
}

/// Every character of a text that no text may hold, with its place in bytes.
fn unfit(text: &str) -> impl Iterator<Item = (usize, char, Unfit)> + '_ {
    let mut before = None;
    text.char_indices().filter_map(move |(at, character)| {
        let kind = kind_of(character, before);
        before = Some(character);
        kind.map(|kind| (at, character, kind))
    })
}

fn kind_of(character: char, before: Option<char>) -> Option<Unfit> {
    match character {
        ' '..='~' | '\u{A0}'..='\u{AC}' | '\u{AE}'..='\u{34E}' => None,
        '\n' | '\r' | '\u{B}' | '\u{C}' | '\u{85}' | '\u{2028}' | '\u{2029}' => {
            Some(Unfit::LineBreak)
        }
        '\t' => Some(Unfit::Tab),
        _ if character.is_control() => Some(Unfit::Control),
        '\u{61C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => {
            Some(Unfit::Turns)
        }
        // Joiners and the choice of a shape belong to a letter of a script that needs them.
        '\u{200C}' | '\u{200D}' | '\u{FE00}'..='\u{FE0F}' | '\u{E0100}'..='\u{E01EF}' => {
            (!before.is_some_and(takes_joiner)).then_some(Unfit::Hidden)
        }
        '\u{AD}'
        | '\u{34F}'
        | '\u{115F}'
        | '\u{1160}'
        | '\u{17B4}'
        | '\u{17B5}'
        | '\u{180B}'..='\u{180F}'
        | '\u{200B}'
        | '\u{2060}'..='\u{206F}'
        | '\u{2800}'
        | '\u{3164}'
        | '\u{FEFF}'
        | '\u{FFA0}'
        | '\u{FFF9}'..='\u{FFFB}'
        | '\u{1D173}'..='\u{1D17A}'
        | '\u{E0000}'..='\u{E00FF}'
        | '\u{E01F0}'..='\u{E0FFF}' => Some(Unfit::Hidden),
        '\u{E000}'..='\u{F8FF}' | '\u{F0000}'..='\u{10FFFF}' => Some(Unfit::NoLetter),
        _ if u32::from(character) & 0xFFFE == 0xFFFE => Some(Unfit::NoLetter),
        '\u{FDD0}'..='\u{FDEF}' => Some(Unfit::NoLetter),
        _ => None,
    }
}

/// Whether a joiner may follow: the scripts that need one begin with Hebrew and Arabic.
fn takes_joiner(before: char) -> bool {
    let joiner = matches!(before, '\u{2000}'..='\u{200F}' | '\u{2028}'..='\u{202F}');
    before >= '\u{590}' && !joiner && !before.is_whitespace()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(text: &str, form: Form) -> String {
        check("family name", text, form).expect_err("refused").to_string()
    }

    #[test]
    fn names_of_all_the_world_are_taken() {
        for name in [
            "Zoë",
            "Siân",
            "Łukasz",
            "محمد",
            "O’Brien",
            "O'Brien",
            "Nguyễn",
            "Zoe\u{308}",
            "می\u{200C}خواهم",
            "क्\u{200D}ष",
            "Ὀδυσσεύς",
            "שָׁלוֹם",
            "山田 太郎",
            "葛\u{E0100}城",
            "❤\u{FE0F}",
            "👩\u{200D}⚕\u{FE0F}",
            "Dr Patel, Bay Surgery, 01202 000000 — ask for Sister",
            "½ tablet\u{A0}(2.5 mg)",
            "",
        ] {
            assert_eq!(check("name", name, Form::Name), Ok(()), "{name:?}");
            assert_eq!(shown(name), name);
            assert_eq!(taken_over(name), name);
        }
    }

    #[test]
    fn a_refusal_names_the_field_the_character_and_the_place() {
        let said = refused("Shaw\nALERT", Form::Name);
        assert_eq!(
            said,
            "there is a line break in the family name, after “Shaw”: write it on one line"
        );
        assert!(refused("\u{1B}[2J", Form::Words).contains("at its beginning (U+001B)"));
        assert!(refused("5\u{202E}01 mg", Form::Words).contains("after “5” (U+202E)"));
        assert!(refused("Sh\u{200B}aw", Form::Words).contains("nobody can see"));
        assert!(refused(&"x".repeat(1 << 20), Form::Name).contains("1048576 characters"));
        let long = format!("{}\u{7}", "word ".repeat(20));
        assert!(refused(&long, Form::Words).contains("after “…"), "the place stays short");
    }

    #[test]
    fn a_label_keeps_its_lines_and_nothing_else() {
        assert_eq!(check("label", "Take TWO\nat night", Form::Lines), Ok(()));
        assert!(check("label", "Take TWO\u{1B}", Form::Lines).is_err());
        assert!(check("reason", "one\ntwo", Form::Words).is_err());
    }

    #[test]
    fn every_character_that_does_something_is_refused_and_shown_without_doing_it() {
        let ranges = [
            0..=0x1F,
            0x7F..=0x9F,
            0x200E..=0x200F,
            0x2028..=0x202E,
            0x2066..=0x2069,
            0x61C..=0x61C,
            0xFEFF..=0xFEFF,
            0xE0001..=0xE007F,
        ];
        for c in ranges.into_iter().flatten().filter_map(char::from_u32) {
            let text = format!("Ann{c}Lee");
            assert!(check("name", &text, Form::Name).is_err(), "{c:?}");
            for safe in [shown(&text), taken_over(&text)] {
                assert_eq!(flaw(&safe), None, "{safe:?}");
                assert!(safe.starts_with("Ann") && safe.ends_with("Lee"), "{safe:?}");
            }
        }
        assert_eq!(shown("Ann\r\nLee\u{202E}"), "Ann Lee[U+202E]");
        assert_eq!(taken_over("Ann\r\nLee\u{202E}\u{FEFF}"), "Ann Lee�");
    }

    #[test]
    fn a_joiner_needs_a_letter_of_a_script_that_joins() {
        for text in ["\u{200D}Shaw", "Sh\u{200C}aw", "م\u{200D}\u{200D}", "م \u{200C}", "1\u{FE0F}"]
        {
            assert!(flaw(text).is_some(), "{text:?}");
        }
    }
}
