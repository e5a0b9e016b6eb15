//! Printed codes: ringed, so that none can be read as somebody's initials (W-23).

use crate::page::{Area, BLACK, MM_PER_PT};
use crate::press::Press;
use crate::sheet::CodeKey;
use crate::text::Setting;

const KEY: Setting = Setting::regular(7.0);
const KEY_ROW: f32 = 3.9;
const KEY_GAP: f32 = 2.6;

/// Returns the size of a ringed code, mm.
pub(crate) fn size(press: &mut Press<'_>, code: &str, points: f32) -> (f32, f32) {
    let high = points * MM_PER_PT * 1.22;
    let wide = press.width(code, Setting::bold(points)) + points * MM_PER_PT * 0.62;
    (wide.max(high), high)
}

/// Draws a ringed code with its left edge at `x` and its middle at height `middle`.
pub(crate) fn ringed(press: &mut Press<'_>, (x, middle): (f32, f32), code: &str, points: f32) {
    let setting = Setting::bold(points);
    let (wide, high) = size(press, code, points);
    let area = Area::new(x, middle - high / 2.0, wide, high);
    press.page().pill(area, 0.22, BLACK);
    press.label(area, crate::press::Align::Centre, setting, code);
}

/// The key of codes, broken to a width.
#[derive(Debug, Clone)]
pub(crate) struct Key {
    entries: Vec<Entry>,
    /// mm.
    pub(crate) height: f32,
}

#[derive(Debug, Clone)]
struct Entry {
    x: f32,
    y: f32,
    /// Empty for the first entry, which explains initials.
    code: String,
    words: String,
}

impl Key {
    /// Returns the home's letters and words side by side in rows of `width` mm.
    pub(crate) fn new(press: &mut Press<'_>, codes: &[CodeKey], width: f32) -> Self {
        let mut entries = Vec::new();
        let (mut x, mut y) = (0.0, 0.0);
        let initials = [(String::new(), "Key: initials = given.".to_owned())];
        let told = codes.iter().map(|k| (k.code.clone(), k.words.clone()));
        for (code, words) in initials.into_iter().chain(told) {
            let mark = if code.is_empty() { 0.0 } else { size(press, &code, KEY.size).0 + 0.9 };
            let wide = mark + press.width(&words, KEY);
            if x > 0.0 && x + wide > width {
                x = 0.0;
                y += KEY_ROW;
            }
            entries.push(Entry { x, y, code, words });
            x += wide + KEY_GAP;
        }
        Self { entries, height: y + KEY_ROW }
    }

    /// Draws the key with its top left corner at `at`.
    pub(crate) fn draw(&self, press: &mut Press<'_>, at: (f32, f32)) {
        for entry in &self.entries {
            let middle = at.1 + entry.y + KEY_ROW / 2.0;
            let mut x = at.0 + entry.x;
            if !entry.code.is_empty() {
                ringed(press, (x, middle), &entry.code, KEY.size);
                x += size(press, &entry.code, KEY.size).0 + 0.9;
            }
            press.text((x, middle + KEY.size * MM_PER_PT * 0.357), KEY, &entry.words);
        }
    }
}
