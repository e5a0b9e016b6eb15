//! The four faces every page is set in, and the shaping of one line of text with them.
//!
//! No font of the machine is ever used, so that the same input makes the same page everywhere.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use cosmic_text::fontdb::{Database, ID, Source};
use cosmic_text::{
    Attrs, AttrsList, Fallback, Family, FontSystem, LayoutGlyph, ShapeLine, Shaping, Wrap,
};

/// The faces in the order in which [`Glyph::face`] counts them.
pub(crate) const FACES: [FaceFile; 4] = [
    FaceFile {
        name: "NotoSans-Regular",
        bytes: include_bytes!("../../../resources/fonts/NotoSans-Regular.ttf"),
    },
    FaceFile {
        name: "NotoSans-Bold",
        bytes: include_bytes!("../../../resources/fonts/NotoSans-Bold.ttf"),
    },
    FaceFile {
        name: "NotoSansArabic-Regular",
        bytes: include_bytes!("../../../resources/fonts/NotoSansArabic-Regular.ttf"),
    },
    FaceFile {
        name: "NotoSansArabic-Bold",
        bytes: include_bytes!("../../../resources/fonts/NotoSansArabic-Bold.ttf"),
    },
];

/// One shipped font file.
pub(crate) struct FaceFile {
    /// PostScript name, without the tag of a subset.
    pub(crate) name: &'static str,
    /// The whole TrueType file.
    pub(crate) bytes: &'static [u8],
}

/// How heavy a text is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Weight {
    /// Noto Sans Regular, Noto Sans Arabic Regular.
    Regular,
    /// Noto Sans Bold, Noto Sans Arabic Bold.
    Bold,
}

/// One glyph of a shaped line. Lengths are in em, so that a line is shaped once for all sizes.
#[derive(Debug, Clone)]
pub(crate) struct Glyph {
    /// Index into [`FACES`].
    pub(crate) face: usize,
    /// Glyph id in the whole face.
    pub(crate) id: u16,
    /// The characters this glyph stands for; empty for the second and later glyphs of a cluster.
    pub(crate) text: Box<str>,
    /// Distance from the line's start, offset included.
    pub(crate) x: f32,
    /// Height above the baseline.
    pub(crate) y: f32,
    /// Draws nothing and takes no room: it only carries its text. A right-to-left ligature needs
    /// it, because readers of PDF turn such text letter by letter, never inside one glyph.
    pub(crate) silent: bool,
}

/// One line of text as glyphs in the order in which they stand on the page.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    /// From left to right.
    pub(crate) glyphs: Vec<Glyph>,
    /// Advance of the whole line, in em.
    pub(crate) width: f32,
}

/// Shapes text and remembers what it shaped.
pub(crate) struct Typesetter {
    system: FontSystem,
    faces: Vec<ID>,
    shaped: HashMap<(Weight, String), Arc<Run>>,
}

/// How many shaped lines are kept; a MAR has some hundreds of different ones.
const SHAPED_MAX: usize = 4096;

/// A size at which cosmic-text lays a line out; the result is divided by it.
const LAYOUT_SIZE: f32 = 1000.0;

/// Keeps a line that begins with Arabic from turning the whole form right to left: forms are read
/// from the left, and only the words inside them run the other way.
const LEFT_TO_RIGHT_MARK: char = '\u{200E}';

/// Runs `work` with the process's one typesetter; loading the fonts takes longer than a page.
pub(crate) fn with_typesetter<T>(work: impl FnOnce(&mut Typesetter) -> T) -> T {
    static TYPESETTER: OnceLock<Mutex<Typesetter>> = OnceLock::new();
    let shared = TYPESETTER.get_or_init(|| Mutex::new(Typesetter::new()));
    // A panic while shaping leaves only a cache behind, which is still true.
    let mut typesetter = shared.lock().unwrap_or_else(PoisonError::into_inner);
    work(&mut typesetter)
}

/// Tells cosmic-text to look nowhere but in our own faces.
struct OwnFaces;

impl Fallback for OwnFaces {
    fn common_fallback(&self) -> &[&'static str] {
        &["Noto Sans", "Noto Sans Arabic"]
    }

    fn forbidden_fallback(&self) -> &[&'static str] {
        &[]
    }

    fn script_fallback(&self, _script: unicode_script::Script, _locale: &str) -> &[&'static str] {
        &["Noto Sans Arabic"]
    }
}

impl Typesetter {
    fn new() -> Self {
        let mut database = Database::new();
        let mut faces = Vec::new();
        for face in &FACES {
            faces.extend(database.load_font_source(Source::Binary(Arc::new(face.bytes))));
        }
        assert_eq!(faces.len(), FACES.len(), "each shipped font file holds exactly one face");
        let system =
            FontSystem::new_with_locale_and_db_and_fallback("en-GB".to_owned(), database, OwnFaces);
        Self { system, faces, shaped: HashMap::new() }
    }

    /// Returns `text` shaped as one line, right-to-left words turned and Arabic letters joined.
    ///
    /// A character that no shipped face has is set as its code point, `[U+0928]`: ugly, but
    /// never silently missing from a name.
    pub(crate) fn run(&mut self, text: &str, weight: Weight) -> Arc<Run> {
        let text = clean(text);
        if let Some(run) = self.shaped.get(&(weight, text.clone())) {
            return Arc::clone(run);
        }
        let mut shown = spell_out(&text, |c| !covered(c));
        let (mut run, missing) = self.shape(&shown, weight);
        if !missing.is_empty() {
            // Each character has a glyph, but not beside the others of its cluster.
            shown = spell_out(&shown, |c| !c.is_ascii() && missing.contains(c));
            let missing;
            (run, missing) = self.shape(&shown, weight);
            if !missing.is_empty() {
                (run, _) = self.shape(&spell_out(&shown, |c| !c.is_ascii()), weight);
            }
        }
        if self.shaped.len() >= SHAPED_MAX {
            self.shaped.clear();
        }
        let run = Arc::new(run);
        self.shaped.insert((weight, text), Arc::clone(&run));
        run
    }

    /// Returns the width of `text` in em.
    pub(crate) fn width(&mut self, text: &str, weight: Weight) -> f32 {
        self.run(text, weight).width
    }

    /// Returns the shaped line, and the characters of clusters for which no glyph was found.
    fn shape(&mut self, text: &str, weight: Weight) -> (Run, String) {
        let line = format!("{LEFT_TO_RIGHT_MARK}{text}");
        let weight = match weight {
            Weight::Regular => cosmic_text::Weight::NORMAL,
            Weight::Bold => cosmic_text::Weight::BOLD,
        };
        let attributes =
            AttrsList::new(&Attrs::new().family(Family::Name("Noto Sans")).weight(weight));
        let shaped = ShapeLine::new(&mut self.system, &line, &attributes, Shaping::Advanced, 4);
        let mut run = Run { glyphs: Vec::new(), width: 0.0 };
        let mut missing = String::new();
        for laid in shaped.layout(LAYOUT_SIZE, None, Wrap::None, None, None) {
            for glyph in laid.glyphs.iter().filter(|glyph| glyph.glyph_id == 0) {
                missing
                    .push_str(line[glyph.start..glyph.end].trim_start_matches(LEFT_TO_RIGHT_MARK));
            }
            let (glyphs, width) = self.glyphs(&line, &laid.glyphs);
            run.glyphs.extend(glyphs);
            run.width = run.width.max(width);
        }
        (run, missing)
    }

    /// Converts cosmic-text's glyphs; the mark in front of the line takes no room.
    fn glyphs(&self, line: &str, laid: &[LayoutGlyph]) -> (Vec<Glyph>, f32) {
        let mark = LEFT_TO_RIGHT_MARK.len_utf8();
        let mut pen = 0.0;
        let mut glyphs = Vec::with_capacity(laid.len());
        for (index, glyph) in laid.iter().enumerate() {
            if glyph.end <= mark {
                continue;
            }
            let face = self
                .faces
                .iter()
                .position(|id| *id == glyph.font_id)
                .expect("cosmic-text was given no other faces");
            let text = if carries_text(laid, index) { &line[glyph.start..glyph.end] } else { "" };
            let (text, turned) = if glyph.level.is_rtl() { last_letter(text) } else { (text, "") };
            glyphs.push(Glyph {
                face,
                id: glyph.glyph_id,
                text: text.into(),
                x: pen / LAYOUT_SIZE + glyph.x_offset,
                y: glyph.y_offset,
                silent: false,
            });
            pen += glyph.w;
            let x = pen / LAYOUT_SIZE;
            glyphs.extend(turned.chars().rev().map(|letter| silent(face, letter, x)));
        }
        (glyphs, pen / LAYOUT_SIZE)
    }
}

/// Splits the text of a right-to-left glyph into its last letter, which stands leftmost, and the
/// letters before it.
fn last_letter(text: &str) -> (&str, &str) {
    let start = text.char_indices().next_back().map_or(0, |(at, _)| at);
    (&text[start..], &text[..start])
}

fn silent(face: usize, letter: char, x: f32) -> Glyph {
    let text = String::from(letter).into();
    Glyph { face, id: crate::document::space_glyph(face), text, x, y: 0.0, silent: true }
}

/// Whether this glyph is the one of its cluster that stands for the cluster's text: the widest,
/// which is the letter and not its dots or accent.
fn carries_text(laid: &[LayoutGlyph], index: usize) -> bool {
    let this = &laid[index];
    let rivals = laid
        .iter()
        .enumerate()
        .filter(|(_, other)| other.start == this.start && other.end == this.end);
    for (other_index, other) in rivals {
        if other.w > this.w || (other.w == this.w && other_index < index) {
            return false;
        }
    }
    true
}

/// Returns `text` on one line, with the characters that could turn or hide a name made visible.
fn clean(text: &str) -> String {
    // The choice of a shape has no glyph of its own in these faces.
    mar::text::shown(text).chars().filter(|c| !matches!(c, '\u{FE00}'..='\u{FE0F}')).collect()
}

/// Whether some shipped face has a glyph for the character.
fn covered(c: char) -> bool {
    (0..FACES.len()).any(|face| crate::document::has_glyph(face, c))
}

/// Returns `text` with each character that is `unprintable` as its code point.
fn spell_out(text: &str, unprintable: impl Fn(char) -> bool) -> String {
    let mut spelled = String::new();
    for c in text.chars() {
        if unprintable(c) {
            spelled.push_str(&format!("[U+{:04X}]", u32::from(c)));
        } else {
            spelled.push(c);
        }
    }
    spelled
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text_of(run: &Run) -> String {
        run.glyphs.iter().map(|g| &*g.text).collect()
    }

    #[test]
    fn an_arabic_name_is_joined_and_runs_from_the_right() {
        with_typesetter(|t| {
            let joined = t.run("محمد", Weight::Regular);
            let letters: String = text_of(&joined).chars().rev().collect();
            assert_eq!(letters, "محمد");
            let alone = t.run("ح", Weight::Regular).glyphs[0].id;
            assert!(joined.glyphs.iter().all(|g| g.id != alone), "the letter stands joined");
        });
    }

    #[test]
    fn a_ligature_gives_back_both_of_its_letters_in_order() {
        with_typesetter(|t| {
            let run = t.run("علاء", Weight::Bold);
            let letters: String = text_of(&run).chars().rev().collect();
            assert_eq!(letters, "علاء");
            assert!(run.glyphs.iter().any(|g| g.silent), "lam and alef share one glyph");
        });
    }

    #[test]
    fn a_character_without_a_glyph_is_spelled_out_and_never_lost() {
        with_typesetter(|t| {
            let run = t.run("\u{928} Rao", Weight::Bold);
            assert_eq!(text_of(&run), "[U+0928] Rao");
            assert!(run.glyphs.iter().all(|g| g.id != 0));
        });
    }

    #[test]
    fn invisible_turns_cannot_hide_in_a_name() {
        with_typesetter(|t| {
            let run = t.run("Ann\u{202E}a\u{200B}\tLee\u{1B}[2J\nx", Weight::Regular);
            assert_eq!(text_of(&run), "Ann[U+202E]a[U+200B] Lee[U+001B][2J x");
        });
    }

    proptest::proptest! {
        #[test]
        fn no_text_whatever_stops_the_typesetter(text: String, letters in "[\\u{600}-\\u{6FF}a-z ]*") {
            with_typesetter(|t| {
                for text in [&text, &letters] {
                    let run = t.run(text, Weight::Regular);
                    assert!(run.glyphs.iter().all(|g| g.silent || g.id != 0 || g.text.is_empty()));
                }
            });
        }
    }

    #[test]
    fn polish_and_welsh_letters_have_glyphs() {
        with_typesetter(|t| {
            for name in ["Zoë", "Siân", "Łukasz", "Ŵyn", "Nguyễn", "Ο Γιάννης", "Ольга"]
            {
                assert_eq!(text_of(&t.run(name, Weight::Bold)), name);
            }
        });
    }
}
