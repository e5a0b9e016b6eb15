//! Paragraphs: words wrapped to a width, never cut.

use std::sync::Arc;

use crate::fonts::{Run, Typesetter, Weight};
use crate::page::MM_PER_PT;

/// How a piece of text is set.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Setting {
    /// Points.
    pub(crate) size: f32,
    pub(crate) weight: Weight,
}

impl Setting {
    /// Returns `size` points, regular.
    pub(crate) const fn regular(size: f32) -> Self {
        Self { size, weight: Weight::Regular }
    }

    /// Returns `size` points, bold.
    pub(crate) const fn bold(size: f32) -> Self {
        Self { size, weight: Weight::Bold }
    }

    /// Returns the distance between two baselines, mm.
    pub(crate) fn pitch(&self) -> f32 {
        self.size * MM_PER_PT * 1.2
    }

    /// Returns how far below a line's top its baseline lies, mm.
    pub(crate) fn ascent(&self) -> f32 {
        self.size * MM_PER_PT * 0.93
    }
}

/// A piece of a paragraph in one weight.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Span {
    pub(crate) text: String,
    pub(crate) setting: Setting,
}

/// A shaped piece of a line and its place in it.
#[derive(Debug, Clone)]
pub(crate) struct Piece {
    /// Distance from the line's start, mm.
    pub(crate) x: f32,
    pub(crate) run: Arc<Run>,
    pub(crate) size: f32,
}

/// One line of a paragraph.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    pub(crate) pieces: Vec<Piece>,
    /// mm.
    pub(crate) width: f32,
}

/// Returns the width of one line of text, mm.
pub(crate) fn measure(typesetter: &mut Typesetter, text: &str, setting: Setting) -> f32 {
    typesetter.width(text, setting.weight) * setting.size * MM_PER_PT
}

/// Returns `spans` broken into lines no wider than `width` mm. Every character comes back: a
/// word wider than the line is broken inside.
pub(crate) fn wrap(typesetter: &mut Typesetter, spans: &[Span], width: f32) -> Vec<Line> {
    let mut lines: Vec<Vec<Word>> = vec![Vec::new()];
    let mut used = 0.0;
    for word in words(typesetter, spans, width) {
        let line = lines.last_mut().expect("there is always a line being filled");
        let gap = if line.is_empty() || word.glued { 0.0 } else { word.space };
        // A hundredth of a millimetre of rounding is no reason to break a line.
        if !line.is_empty() && used + gap + word.width > width + 0.01 {
            used = word.width;
            lines.push(vec![word]);
        } else {
            used += gap + word.width;
            line.push(word);
        }
    }
    lines.into_iter().map(|words| line(typesetter, words)).collect()
}

/// One unbreakable part of a paragraph.
#[derive(Debug, Clone)]
struct Word {
    text: String,
    setting: Setting,
    width: f32,
    /// Width of the space before it, mm.
    space: f32,
    /// Follows the part before it without a space.
    glued: bool,
}

fn words(typesetter: &mut Typesetter, spans: &[Span], width: f32) -> Vec<Word> {
    let mut words = Vec::new();
    for span in spans {
        let space = measure(typesetter, " ", span.setting);
        for text in span.text.split_whitespace() {
            let mut glued = false;
            for part in fitting_parts(typesetter, text, span.setting, width) {
                let width = measure(typesetter, &part, span.setting);
                words.push(Word { text: part, setting: span.setting, width, space, glued });
                glued = true;
            }
        }
    }
    words
}

/// Returns `word` whole, or where it is wider than a line, in parts that fit.
fn fitting_parts(
    typesetter: &mut Typesetter,
    word: &str,
    setting: Setting,
    width: f32,
) -> Vec<String> {
    if measure(typesetter, word, setting) <= width {
        return vec![word.to_owned()];
    }
    let mut parts = Vec::new();
    let mut part = String::new();
    for c in word.chars() {
        let mut longer = part.clone();
        longer.push(c);
        let too_wide = measure(typesetter, &longer, setting) > width;
        if too_wide && !part.is_empty() && !joins_the_letter_before(c) {
            parts.push(std::mem::take(&mut part));
        }
        part.push(c);
        // A part ends after a stroke or a hyphen when the rest would not fit anyway.
        if matches!(c, '/' | '-') && measure(typesetter, &part, setting) > width * 0.6 {
            parts.push(std::mem::take(&mut part));
        }
    }
    if !part.is_empty() {
        parts.push(part);
    }
    parts
}

/// Accents and vowel marks stay with their letter.
fn joins_the_letter_before(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36F}' | '\u{610}'..='\u{61A}' | '\u{64B}'..='\u{65F}' | '\u{670}')
}

/// Joins neighbouring words of one setting, so that right-to-left words keep their order.
fn line(typesetter: &mut Typesetter, words: Vec<Word>) -> Line {
    let mut pieces: Vec<Piece> = Vec::new();
    let mut x = 0.0;
    let mut words = words.into_iter().peekable();
    let mut first = true;
    while let Some(word) = words.next() {
        let before = if first || word.glued { 0.0 } else { word.space };
        first = false;
        let mut text = word.text;
        while let Some(next) = words.next_if(|next| next.setting == word.setting) {
            if !next.glued {
                text.push(' ');
            }
            text.push_str(&next.text);
        }
        let run = typesetter.run(&text, word.setting.weight);
        let width = run.width * word.setting.size * MM_PER_PT;
        pieces.push(Piece { x: x + before, run, size: word.setting.size });
        x += before + width;
    }
    Line { pieces, width: x }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fonts::with_typesetter;

    fn lines_of(text: &str, width: f32) -> Vec<String> {
        with_typesetter(|t| {
            let spans = [Span { text: text.to_owned(), setting: Setting::regular(9.0) }];
            let lines = wrap(t, &spans, width);
            let fits = |line: &Line| line.width <= width.max(2.0) + 0.5;
            assert!(lines.iter().all(fits), "a line is wider than {width} mm");
            let text = |line: &Line| {
                line.pieces
                    .iter()
                    .flat_map(|p| p.run.glyphs.iter().map(|g| g.text.clone()))
                    .collect()
            };
            lines.iter().map(text).collect()
        })
    }

    #[test]
    fn directions_wrap_between_words_and_none_is_lost() {
        let directions = "Take ONE tablet in the morning and TWO tablets at night with food";
        let lines = lines_of(directions, 30.0);
        assert!(lines.len() > 2);
        assert_eq!(lines.join(" "), directions);
    }

    #[test]
    fn a_word_wider_than_the_box_is_broken_and_not_cut() {
        let name = "Hydroxychloroquinesulfatepseudoephedrinehydrochloride";
        let lines = lines_of(name, 20.0);
        assert!(lines.len() > 2);
        assert_eq!(lines.concat(), name);
    }

    #[test]
    fn a_box_of_no_width_still_keeps_every_letter() {
        assert_eq!(lines_of("abc", 0.1).len(), 3);
    }
}
