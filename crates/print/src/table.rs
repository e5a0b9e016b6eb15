//! Ruled tables: text wrapped in its column, empty boxes big enough to write in.

use crate::codes;
use crate::page::{Area, BLACK, GREY, PALE, Stroke};
use crate::press::{Align, Flow, LaidFlow, Press};
use crate::text::Setting;

/// Least height of a row that somebody writes in, mm (W-21).
pub(crate) const WRITING: f32 = 6.0;

const PADDING: f32 = 0.8;
const HEAD: Setting = Setting::bold(7.0);

/// The columns of a table.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    columns: Vec<(&'static str, f32)>,
    head: f32,
}

/// What stands in one box of a table.
#[derive(Debug, Clone)]
pub(crate) enum Content {
    /// Nothing: a box to write in.
    Empty,
    /// Nothing is to be written here.
    Barred,
    Text(Flow),
    /// A printed code, ringed.
    Code(String),
}

/// A row broken to its columns.
#[derive(Debug, Clone)]
pub(crate) struct LaidRow {
    cells: Vec<LaidContent>,
    /// mm.
    pub(crate) height: f32,
    /// No longer counts: a line goes through it.
    struck: bool,
}

#[derive(Debug, Clone)]
enum LaidContent {
    Empty,
    Barred,
    Text(LaidFlow),
    Code(String),
}

impl Content {
    /// Returns `text` in one setting, or an empty box for `None`.
    pub(crate) fn maybe(setting: Setting, text: Option<&str>) -> Self {
        match text {
            Some(text) => {
                let mut flow = Flow::new();
                flow.line(setting, text);
                Self::Text(flow)
            }
            None => Self::Empty,
        }
    }
}

impl Table {
    /// Returns a table whose columns are as wide as `columns` says, in parts of `width` mm.
    pub(crate) fn new(press: &mut Press<'_>, columns: &[(&'static str, f32)], width: f32) -> Self {
        let parts: f32 = columns.iter().map(|(_, part)| part).sum();
        let columns: Vec<_> =
            columns.iter().map(|(label, part)| (*label, part * width / parts)).collect();
        let mut table = Self { columns, head: 0.0 };
        for index in 0..table.columns.len() {
            let laid = table.lay_head(press, index);
            table.head = table.head.max(laid.height + 0.8);
        }
        table
    }

    fn lay_head(&self, press: &mut Press<'_>, index: usize) -> LaidFlow {
        let (label, width) = self.columns[index];
        let mut flow = Flow::new();
        flow.line(HEAD, label);
        flow.lay(press.typesetter, width - 2.0 * PADDING)
    }

    /// Height of the row of column names, mm.
    pub(crate) fn head_height(&self) -> f32 {
        self.head
    }

    /// Draws the column names with their top left corner at `at`.
    pub(crate) fn draw_head(&self, press: &mut Press<'_>, at: (f32, f32)) {
        let (mut x, y) = at;
        press.page().fills(&[Area::new(x, y, self.width(), self.head)], PALE);
        for index in 0..self.columns.len() {
            let laid = self.lay_head(press, index);
            press.flow((x + PADDING, y + 0.4), &laid);
            x += self.columns[index].1;
        }
        self.rules(press, at, self.head);
    }

    /// Breaks a row to the columns; it is at least `least` mm high.
    pub(crate) fn lay(
        &self,
        press: &mut Press<'_>,
        (cells, struck): (&[Content], bool),
        least: f32,
    ) -> LaidRow {
        let mut height = least;
        let mut laid = Vec::with_capacity(cells.len());
        for (content, (_, width)) in cells.iter().zip(&self.columns) {
            laid.push(match content {
                Content::Empty => LaidContent::Empty,
                Content::Barred => LaidContent::Barred,
                Content::Code(code) => {
                    height = height.max(codes::size(press, code, 8.0).1 + 0.8);
                    LaidContent::Code(code.clone())
                }
                Content::Text(flow) => {
                    let flow = flow.lay(press.typesetter, width - 2.0 * PADDING);
                    height = height.max(flow.height + 1.0);
                    LaidContent::Text(flow)
                }
            });
        }
        LaidRow { cells: laid, height, struck }
    }

    /// Returns a row of empty boxes.
    pub(crate) fn blank(&self, height: f32) -> LaidRow {
        let cells = self.columns.iter().map(|_| LaidContent::Empty).collect();
        LaidRow { cells, height, struck: false }
    }

    /// Draws a row with its top left corner at `at`.
    pub(crate) fn draw(&self, press: &mut Press<'_>, at: (f32, f32), row: &LaidRow) {
        let (mut x, y) = at;
        for (content, (_, width)) in row.cells.iter().zip(&self.columns) {
            match content {
                LaidContent::Empty => {}
                LaidContent::Barred => {
                    press.page().hatch(Area::new(x, y, *width, row.height));
                }
                LaidContent::Text(flow) => press.flow((x + PADDING, y + 0.5), flow),
                LaidContent::Code(code) => {
                    let (wide, high) = codes::size(press, code, 8.0);
                    let middle = y + high / 2.0 + 0.5;
                    codes::ringed(press, (x + (width - wide) / 2.0, middle), code, 8.0);
                }
            }
            x += width;
        }
        self.rules(press, at, row.height);
        if row.struck {
            // Through every line of writing, and still to be read beneath it.
            let mut strokes = Vec::new();
            let mut middle = y + (row.height / 2.0).min(2.2);
            while middle < y + row.height - 0.8 {
                strokes.push((at.0 + 0.6, middle, x - 0.6, middle));
                middle += 3.4;
            }
            press.page().strokes(&strokes, 0.25, BLACK);
        }
    }

    /// Width of the whole table, mm.
    pub(crate) fn width(&self) -> f32 {
        self.columns.iter().map(|(_, width)| width).sum()
    }

    fn rules(&self, press: &mut Press<'_>, (x, y): (f32, f32), height: f32) {
        let mut strokes: Vec<Stroke> = Vec::new();
        let mut across = x;
        for (_, width) in &self.columns[..self.columns.len().saturating_sub(1)] {
            across += width;
            strokes.push((across, y, across, y + height));
        }
        press.page().strokes(&strokes, 0.15, GREY);
        press.page().frames(&[Area::new(x, y, self.width(), height)], 0.2, BLACK);
    }

    /// Draws one line of text over a table.
    pub(crate) fn caption(press: &mut Press<'_>, area: Area, text: &str) {
        press.label(area, Align::Left, Setting::bold(9.0), text);
    }
}
