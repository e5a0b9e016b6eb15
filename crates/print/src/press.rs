//! Where a document is put together: the pages drawn so far, and flows of text measured and set.

use crate::PrintFault;
use crate::document::{About, Embedding, write};
use crate::fonts::{Typesetter, Weight};
use crate::page::{Area, BLACK, Page, Spot, WHITE};
use crate::text::{Line, Setting, Span, measure, wrap};

/// A document being drawn. The last page is the one drawn on.
pub(crate) struct Press<'t> {
    pub(crate) typesetter: &'t mut Typesetter,
    embedding: Embedding,
    pages: Vec<Page>,
}

/// Where a line stands across the width it is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Align {
    Left,
    Centre,
    Right,
}

/// Text that runs down a column: paragraphs and rows of tags.
#[derive(Debug, Clone, Default)]
pub(crate) struct Flow {
    items: Vec<Item>,
}

#[derive(Debug, Clone)]
enum Item {
    Paragraph { spans: Vec<Span>, before: f32 },
    Tags { tags: Vec<String>, before: f32 },
}

/// A flow broken to a width, ready to be drawn.
#[derive(Debug, Clone)]
pub(crate) struct LaidFlow {
    parts: Vec<Laid>,
    /// mm.
    pub(crate) height: f32,
}

#[derive(Debug, Clone)]
enum Laid {
    Line { y: f32, setting: Setting, line: Line },
    Tag { x: f32, y: f32, width: f32, text: String },
}

const TAG: Setting = Setting::bold(7.5);
const TAG_HEIGHT: f32 = 3.7;
const TAG_PADDING: f32 = 0.9;

impl Flow {
    /// Returns an empty flow.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Adds a paragraph in one setting.
    pub(crate) fn line(&mut self, setting: Setting, text: impl Into<String>) -> &mut Self {
        self.spans(0.0, vec![Span { text: text.into(), setting }])
    }

    /// Adds a paragraph of a bold label and what it says.
    pub(crate) fn labelled(&mut self, size: f32, label: &str, text: &str) -> &mut Self {
        self.spans(
            0.0,
            vec![
                Span { text: label.to_owned(), setting: Setting::regular(size) },
                Span { text: text.to_owned(), setting: Setting::bold(size) },
            ],
        )
    }

    /// Adds a paragraph of several settings, `before` mm below the last.
    pub(crate) fn spans(&mut self, before: f32, spans: Vec<Span>) -> &mut Self {
        if spans.iter().any(|s| !s.text.trim().is_empty()) {
            self.items.push(Item::Paragraph { spans, before });
        }
        self
    }

    /// Adds a row of tags, white on black, `before` mm below the last item.
    pub(crate) fn tags(&mut self, before: f32, tags: &[String]) -> &mut Self {
        if !tags.is_empty() {
            self.items.push(Item::Tags { tags: tags.to_vec(), before });
        }
        self
    }

    /// Breaks the flow to `width` mm.
    pub(crate) fn lay(&self, typesetter: &mut Typesetter, width: f32) -> LaidFlow {
        let mut parts = Vec::new();
        let mut y = 0.0;
        for item in &self.items {
            match item {
                Item::Paragraph { spans, before } => {
                    y += if parts.is_empty() { 0.0 } else { *before };
                    let largest =
                        spans.iter().map(|s| s.setting).max_by(|a, b| a.size.total_cmp(&b.size));
                    let Some(setting) = largest else { continue };
                    for line in wrap(typesetter, spans, width) {
                        parts.push(Laid::Line { y, setting, line });
                        y += setting.pitch();
                    }
                }
                Item::Tags { tags, before } => {
                    y += if parts.is_empty() { 0.0 } else { *before };
                    y = lay_tags(typesetter, tags, (y, width), &mut parts);
                }
            }
        }
        LaidFlow { parts, height: y }
    }
}

/// Places tags side by side, a new row when one is full; returns the y below the last row.
fn lay_tags(
    typesetter: &mut Typesetter,
    tags: &[String],
    (mut y, width): (f32, f32),
    parts: &mut Vec<Laid>,
) -> f32 {
    let mut x = 0.0;
    for tag in tags {
        let inner = (width - 2.0 * TAG_PADDING).max(1.0);
        // A tag too long for the column goes onto further rows of its own, as tags.
        let spans = [Span { text: tag.clone(), setting: TAG }];
        for line in wrap(typesetter, &spans, inner) {
            let tag_width = line.width + 2.0 * TAG_PADDING;
            if x > 0.0 && x + tag_width > width {
                x = 0.0;
                y += TAG_HEIGHT + 0.5;
            }
            let text = line
                .pieces
                .iter()
                .flat_map(|p| p.run.glyphs.iter())
                .map(|g| &*g.text)
                .collect::<String>();
            parts.push(Laid::Tag { x, y, width: tag_width, text });
            x += tag_width + 0.8;
        }
    }
    y + TAG_HEIGHT + 0.4
}

impl<'t> Press<'t> {
    /// Returns a document with no page.
    pub(crate) fn new(typesetter: &'t mut Typesetter) -> Self {
        Self { typesetter, embedding: Embedding::new(), pages: Vec::new() }
    }

    /// Begins the next page.
    pub(crate) fn begin_page(&mut self) {
        self.pages.push(Page::default());
    }

    /// The page being drawn.
    pub(crate) fn page(&mut self) -> &mut Page {
        if self.pages.is_empty() {
            self.begin_page();
        }
        self.pages.last_mut().expect("a page was begun just above if there was none")
    }

    /// Sets `text` on one line at (`x`, baseline).
    pub(crate) fn text(&mut self, at: (f32, f32), setting: Setting, text: &str) {
        self.ink(at, (setting, BLACK), text);
    }

    /// Sets `text` on one line in a shade of ink.
    pub(crate) fn ink(&mut self, at: (f32, f32), (setting, ink): (Setting, f32), text: &str) {
        let run = self.typesetter.run(text, setting.weight);
        let spot = Spot { x: at.0, baseline: at.1, size: setting.size, ink };
        if self.pages.is_empty() {
            self.begin_page();
        }
        if let Some(page) = self.pages.last_mut() {
            page.text(&mut self.embedding, &run, spot);
        }
    }

    /// Sets `text` on one line inside `area`, in the middle of its height.
    pub(crate) fn label(&mut self, area: Area, align: Align, setting: Setting, text: &str) {
        let width = self.width(text, setting);
        let x = match align {
            Align::Left => area.x,
            Align::Centre => area.x + (area.w - width) / 2.0,
            Align::Right => area.right() - width,
        };
        // Capitals and figures are about 0.71 em high in both faces.
        let baseline = area.y + area.h / 2.0 + setting.size * crate::page::MM_PER_PT * 0.357;
        self.text((x, baseline), setting, text);
    }

    /// Sets a word across the whole page in pale ink, from the lower left upwards.
    pub(crate) fn watermark(&mut self, text: &str) {
        let setting = Setting { size: 120.0, weight: Weight::Bold };
        let run = self.typesetter.run(text, setting.weight);
        let spot = Spot { x: 52.0, baseline: 178.0, size: setting.size, ink: 0.88 };
        if let Some(page) = self.pages.last_mut() {
            page.slanted(&mut self.embedding, &run, spot, 32.0);
        }
    }

    /// Returns the width of one line, mm.
    pub(crate) fn width(&mut self, text: &str, setting: Setting) -> f32 {
        measure(self.typesetter, text, setting)
    }

    /// Returns `setting` made smaller until `text` fits `width` mm, never below `least` points;
    /// `None` when it does not fit even then.
    pub(crate) fn shrunk(
        &mut self,
        text: &str,
        setting: Setting,
        (width, least): (f32, f32),
    ) -> Option<Setting> {
        let mut smaller = setting;
        while self.width(text, smaller) > width {
            smaller.size -= 0.25;
            if smaller.size < least {
                return None;
            }
        }
        Some(smaller)
    }

    /// Draws a laid flow with its top left corner at `at`.
    pub(crate) fn flow(&mut self, at: (f32, f32), flow: &LaidFlow) {
        for part in &flow.parts {
            match part {
                Laid::Line { y, setting, line } => {
                    let baseline = at.1 + y + setting.ascent();
                    for piece in &line.pieces {
                        let x = at.0 + piece.x;
                        let spot = Spot { x, baseline, size: piece.size, ink: BLACK };
                        if self.pages.is_empty() {
                            self.begin_page();
                        }
                        if let Some(page) = self.pages.last_mut() {
                            page.text(&mut self.embedding, &piece.run, spot);
                        }
                    }
                }
                Laid::Tag { x, y, width, text } => {
                    let area = Area::new(at.0 + x, at.1 + y, *width, TAG_HEIGHT);
                    self.page().fills(&[area], BLACK);
                    let baseline = area.y + TAG_HEIGHT - 1.05;
                    self.ink((area.x + TAG_PADDING, baseline), (TAG, WHITE), text);
                }
            }
        }
    }

    /// Returns the PDF file.
    ///
    /// # Errors
    /// Those of [`write`].
    pub(crate) fn finish(self, about: &About) -> Result<Vec<u8>, PrintFault> {
        write(about, &self.embedding, self.pages)
    }
}
