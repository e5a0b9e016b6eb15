//! One A4 landscape page, drawn in millimetres from its top left corner.

use printpdf::{
    Color, Greyscale, LinePoint, Op, PaintMode, PdfFontHandle, Point, Polygon, PolygonRing, Pt,
    TextItem, TextMatrix, WindingOrder, XObjectId, XObjectTransform,
};

use crate::document::{Embedding, font_id, natural_width};
use crate::fonts::Run;

/// Width of the paper, mm.
pub(crate) const PAGE_WIDTH: f32 = 297.0;
/// Height of the paper, mm.
pub(crate) const PAGE_HEIGHT: f32 = 210.0;
/// Millimetres in a point.
pub(crate) const MM_PER_PT: f32 = 25.4 / 72.0;

/// Black ink.
pub(crate) const BLACK: f32 = 0.0;
/// Bare paper, for letters on a black ground.
pub(crate) const WHITE: f32 = 1.0;
/// Rules that must not outshout the writing; still there on a worn photocopier.
pub(crate) const GREY: f32 = 0.45;
/// Ground of weekend columns and headings.
pub(crate) const PALE: f32 = 0.9;

/// A rectangle, mm from the page's top left corner.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Area {
    pub(crate) x: f32,
    pub(crate) y: f32,
    pub(crate) w: f32,
    pub(crate) h: f32,
}

impl Area {
    /// Returns the rectangle with this corner and size.
    pub(crate) fn new(x: f32, y: f32, w: f32, h: f32) -> Self {
        Self { x, y, w, h }
    }

    /// Returns the y of the lower edge.
    pub(crate) fn bottom(&self) -> f32 {
        self.y + self.h
    }

    /// Returns the x of the right edge.
    pub(crate) fn right(&self) -> f32 {
        self.x + self.w
    }

    /// Returns the rectangle made smaller by `by` on every side.
    pub(crate) fn inset(&self, by: f32) -> Self {
        Self::new(self.x + by, self.y + by, self.w - 2.0 * by, self.h - 2.0 * by)
    }
}

/// A straight line from one point to another, mm.
pub(crate) type Stroke = (f32, f32, f32, f32);

/// A JPEG and where it goes.
#[derive(Debug)]
pub(crate) struct Picture {
    pub(crate) jpeg: Vec<u8>,
    pub(crate) pixels_wide: u16,
    pub(crate) pixels_high: u16,
    /// One colour channel instead of three.
    pub(crate) grey: bool,
    pub(crate) area: Area,
}

impl Picture {
    /// Returns the operation that puts the picture on its page.
    pub(crate) fn ops(&self, id: &XObjectId) -> Vec<Op> {
        let transform = XObjectTransform {
            translate_x: Some(across(self.area.x)),
            translate_y: Some(up(self.area.bottom())),
            scale_x: Some(across(self.area.w).0),
            scale_y: Some(across(self.area.h).0),
            ..XObjectTransform::default()
        };
        vec![Op::UseXobject { id: id.clone(), transform }]
    }
}

/// What has been drawn on one page so far.
#[derive(Debug, Default)]
pub(crate) struct Page {
    ops: Vec<Op>,
    pictures: Vec<Picture>,
}

/// Where and how a shaped line is set.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spot {
    pub(crate) x: f32,
    pub(crate) baseline: f32,
    /// Points.
    pub(crate) size: f32,
    /// 0 is black, 1 is white.
    pub(crate) ink: f32,
}

impl Page {
    /// Returns the drawing operations and the pictures that lie over them.
    pub(crate) fn into_parts(self) -> (Vec<Op>, Vec<Picture>) {
        (self.ops, self.pictures)
    }

    /// Sets one shaped line.
    pub(crate) fn text(&mut self, embedding: &mut Embedding, run: &Run, spot: Spot) {
        if run.glyphs.is_empty() {
            return;
        }
        self.ops.push(fill_colour(spot.ink));
        self.ops.push(Op::StartTextSection);
        let em = spot.size * MM_PER_PT;
        let mut glyphs = run.glyphs.as_slice();
        while let Some(first) = glyphs.first() {
            // Glyphs of one face at one height go into one showing operation.
            let count =
                glyphs.iter().take_while(|g| g.face == first.face && g.y == first.y).count();
            let (part, rest) = glyphs.split_at(count);
            glyphs = rest;
            self.ops.push(Op::SetFont {
                font: PdfFontHandle::External(font_id(first.face)),
                size: Pt(spot.size),
            });
            self.ops.push(Op::SetTextMatrix {
                matrix: TextMatrix::Translate(
                    across(spot.x + first.x * em),
                    up(spot.baseline - first.y * em),
                ),
            });
            self.ops.push(Op::ShowText { items: vec![shown(embedding, part)] });
        }
        self.ops.push(Op::EndTextSection);
    }

    /// Sets one shaped line turned anticlockwise by `degrees` about its start.
    pub(crate) fn slanted(
        &mut self,
        embedding: &mut Embedding,
        run: &Run,
        spot: Spot,
        degrees: f32,
    ) {
        let (sin, cos) = degrees.to_radians().sin_cos();
        let em = spot.size * MM_PER_PT;
        self.ops.push(fill_colour(spot.ink));
        self.ops.push(Op::StartTextSection);
        for glyph in &run.glyphs {
            let (x, baseline) = (spot.x + glyph.x * em * cos, spot.baseline - glyph.x * em * sin);
            self.ops.push(Op::SetFont {
                font: PdfFontHandle::External(font_id(glyph.face)),
                size: Pt(spot.size),
            });
            self.ops.push(Op::SetTextMatrix {
                matrix: TextMatrix::Raw([cos, sin, -sin, cos, across(x).0, up(baseline).0]),
            });
            // Ground, not writing: it must not turn up among the words when text is copied.
            let ground = crate::fonts::Glyph { text: "".into(), ..glyph.clone() };
            let one = std::slice::from_ref(&ground);
            self.ops.push(Op::ShowText { items: vec![shown(embedding, one)] });
        }
        self.ops.push(Op::EndTextSection);
    }

    /// Draws straight lines of one thickness (mm) and ink.
    pub(crate) fn strokes(&mut self, strokes: &[Stroke], thickness: f32, ink: f32) {
        let rings = strokes.iter().map(|(x1, y1, x2, y2)| ring(&[(*x1, *y1), (*x2, *y2)]));
        self.outline(rings.collect(), thickness, ink);
    }

    /// Draws the outlines of rectangles.
    pub(crate) fn frames(&mut self, areas: &[Area], thickness: f32, ink: f32) {
        let rings = areas.iter().map(|a| ring(&corners(a)));
        self.outline(rings.collect(), thickness, ink);
    }

    /// Fills rectangles.
    pub(crate) fn fills(&mut self, areas: &[Area], ink: f32) {
        if areas.is_empty() {
            return;
        }
        self.ops.push(fill_colour(ink));
        let rings = areas.iter().map(|a| ring(&corners(a))).collect();
        self.ops.push(polygon(rings, PaintMode::Fill));
    }

    /// Draws a ring with round ends inside `area`: the mark of a printed code.
    pub(crate) fn pill(&mut self, area: Area, thickness: f32, ink: f32) {
        // Four quarter circles; 0.5523 makes a Bézier curve a quarter of a circle.
        let radius = (area.h / 2.0).min(area.w / 2.0);
        let pull = radius * (1.0 - 0.5523);
        let (l, t, r, b) = (area.x, area.y, area.right(), area.bottom());
        let points = [
            (l + radius, t, false),
            (r - radius, t, false),
            (r - pull, t, true),
            (r, t + pull, true),
            (r, t + radius, false),
            (r, b - radius, false),
            (r, b - pull, true),
            (r - pull, b, true),
            (r - radius, b, false),
            (l + radius, b, false),
            (l + pull, b, true),
            (l, b - pull, true),
            (l, b - radius, false),
            (l, t + radius, false),
            (l, t + pull, true),
            (l + pull, t, true),
            (l + radius, t, false),
        ];
        let points = points.map(|(x, y, bezier)| LinePoint { p: point(x, y), bezier });
        self.outline(vec![PolygonRing { points: points.to_vec() }], thickness, ink);
    }

    /// Covers `area` with slanting lines: nothing is to be written here.
    pub(crate) fn hatch(&mut self, area: Area) {
        const STEP: f32 = 1.6;
        let mut strokes = Vec::new();
        let mut offset = STEP;
        while offset < area.w + area.h {
            let (x1, y1) = if offset <= area.h {
                (area.x, area.y + offset)
            } else {
                (area.x + offset - area.h, area.bottom())
            };
            let (x2, y2) = if offset <= area.w {
                (area.x + offset, area.y)
            } else {
                (area.right(), area.y + offset - area.w)
            };
            strokes.push((x1, y1, x2, y2));
            offset += STEP;
        }
        self.strokes(&strokes, 0.12, 0.55);
    }

    /// Puts a photograph on the page.
    pub(crate) fn picture(&mut self, picture: Picture) {
        self.pictures.push(picture);
    }

    fn outline(&mut self, rings: Vec<PolygonRing>, thickness: f32, ink: f32) {
        if rings.is_empty() {
            return;
        }
        self.ops.push(Op::SetOutlineColor { col: grey(ink) });
        self.ops.push(Op::SetOutlineThickness { pt: across(thickness) });
        self.ops.push(polygon(rings, PaintMode::Stroke));
    }
}

/// Returns glyphs as the items of one text operation, kerned by what the face does not say.
fn shown(embedding: &mut Embedding, glyphs: &[crate::fonts::Glyph]) -> TextItem {
    let mut items = Vec::with_capacity(glyphs.len());
    for (index, glyph) in glyphs.iter().enumerate() {
        let natural_end = glyph.x + natural_width(glyph);
        let offset = match glyphs.get(index + 1) {
            Some(next) => ((natural_end - next.x) * 1000.0).round(),
            None => 0.0,
        };
        items.push(printpdf::Codepoint {
            gid: embedding.code(glyph),
            offset,
            cid: Some(glyph.text.to_string()),
        });
    }
    TextItem::GlyphIds(items)
}

fn corners(area: &Area) -> [(f32, f32); 4] {
    [
        (area.x, area.y),
        (area.right(), area.y),
        (area.right(), area.bottom()),
        (area.x, area.bottom()),
    ]
}

fn ring(points: &[(f32, f32)]) -> PolygonRing {
    let points = points.iter().map(|(x, y)| LinePoint { p: point(*x, *y), bezier: false });
    PolygonRing { points: points.collect() }
}

fn polygon(rings: Vec<PolygonRing>, mode: PaintMode) -> Op {
    Op::DrawPolygon { polygon: Polygon { rings, mode, winding_order: WindingOrder::NonZero } }
}

fn fill_colour(ink: f32) -> Op {
    Op::SetFillColor { col: grey(ink) }
}

fn grey(ink: f32) -> Color {
    Color::Greyscale(Greyscale { percent: ink, icc_profile: None })
}

fn point(x: f32, y: f32) -> Point {
    Point { x: across(x), y: up(y) }
}

/// Millimetres to points, to the hundredth: finer is invisible and makes files larger.
fn across(mm: f32) -> Pt {
    Pt((mm / MM_PER_PT * 100.0).round() / 100.0)
}

fn up(mm_from_top: f32) -> Pt {
    across(PAGE_HEIGHT - mm_from_top)
}
