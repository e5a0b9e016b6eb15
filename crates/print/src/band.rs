//! What stands on every page: whose it is, allergies, where it comes from, the key of codes.

use fast_qr::{ECL, QRBuilder};

use crate::PrintFault;
use crate::codes::Key;
use crate::dates::{long, moment};
use crate::page::{Area, BLACK, PAGE_HEIGHT, PALE, WHITE};
use crate::photograph;
use crate::press::{Align, Flow, LaidFlow, Press};
use crate::sheet::{Allergies, CodeKey, Home, Provenance, Resident};
use crate::text::{Setting, Span};

/// The punch margin: nothing is printed nearer to the edge that is bound (W-21).
pub(crate) const PUNCH: f32 = 18.0;
/// Margin on the other sides.
pub(crate) const MARGIN: f32 = 7.0;

const STRIP: f32 = 6.6;
const WARNING: f32 = 5.6;
const GAP: f32 = 1.5;
const PHOTO: (f32, f32) = (25.0, 35.0);
/// QR, fingerprint and sheet id share one corner of at most 20 mm (W-24).
const CORNER: f32 = 20.0;

/// The left edge and the width of what is printed on a page.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Column {
    pub(crate) x: f32,
    pub(crate) w: f32,
}

/// What a page says about itself at its top.
#[derive(Debug, Clone)]
pub(crate) struct Heading<'a> {
    pub(crate) title: &'a str,
    /// "medicines 1 to 4 of 11".
    pub(crate) part: &'a str,
    pub(crate) page: usize,
    pub(crate) pages: usize,
}

/// The foot of every page.
#[derive(Debug, Clone)]
pub(crate) struct Foot {
    column: Column,
    key: Key,
    rules: LaidFlow,
}

impl Foot {
    /// Returns the key of codes and the rules of writing, broken to `column`.
    pub(crate) fn new(
        press: &mut Press<'_>,
        (home, codes): (&Home, &[CodeKey]),
        column: Column,
        rules: &str,
    ) -> Self {
        let key = Key::new(press, codes, column.w);
        let mut text = rules.to_owned();
        for (label, number) in [
            ("Late or missed dose:", &home.late_dose_number),
            ("Out of hours:", &home.out_of_hours_number),
        ] {
            let number = number.as_deref().unwrap_or("____________________");
            text.push_str(&format!(" {label} {number}."));
        }
        let mut flow = Flow::new();
        flow.line(Setting::regular(7.0), text);
        let rules = flow.lay(press.typesetter, column.w);
        Self { column, key, rules }
    }

    /// Returns the y at which the foot begins.
    pub(crate) fn top(&self) -> f32 {
        PAGE_HEIGHT - MARGIN + 1.0 - self.key.height - self.rules.height - 1.2
    }

    /// Draws the foot at the bottom of the page.
    pub(crate) fn draw(&self, press: &mut Press<'_>) {
        let (x, y) = (self.column.x, self.top());
        press.page().strokes(&[(x, y, x + self.column.w, y)], 0.25, BLACK);
        self.key.draw(press, (x, y + 0.6));
        press.flow((x, y + 0.9 + self.key.height), &self.rules);
    }
}

/// Returns the y below the strip at the top of a page.
pub(crate) fn strip_bottom(home: &Home) -> f32 {
    MARGIN + STRIP + if home.practice { WARNING } else { 0.0 }
}

/// Draws the strip at the top of a page: home, title, period, page x of y. Returns the y below.
///
/// # Errors
/// `PrintFault::Heading` when the home's name or the title is too long for the strip.
pub(crate) fn strip(
    press: &mut Press<'_>,
    home: &Home,
    column: Column,
    heading: &Heading<'_>,
) -> Result<f32, PrintFault> {
    let y = MARGIN;
    if home.practice {
        press.watermark("PRACTICE");
    }
    let name = match &home.unit {
        Some(unit) => format!("{} · {unit}", home.name),
        None => home.name.clone(),
    };
    let page = format!("Page {} of {}", heading.page, heading.pages);
    let page = if heading.part.is_empty() { page } else { format!("{page} · {}", heading.part) };
    press.page().fills(&[Area::new(column.x, y, column.w, STRIP - 0.6)], PALE);
    let mut x = column.x + 1.0;
    for (share, align, size, text) in [
        (0.36, Align::Left, 10.0, name.as_str()),
        (0.32, Align::Centre, 11.0, heading.title),
        (0.32, Align::Right, 9.0, page.as_str()),
    ] {
        let area = Area::new(x, y, share * (column.w - 2.0) - 1.5, STRIP - 0.6);
        strip_text(press, area, (align, size), text)?;
        x += share * (column.w - 2.0);
    }
    if !home.practice {
        return Ok(strip_bottom(home));
    }
    let words = "PRACTICE – NOT A REAL RESIDENT – GIVE NOTHING FROM THIS SHEET";
    bar(press, (column.x, y + STRIP, column.w), words);
    Ok(strip_bottom(home))
}

/// Draws words in white on a black bar as wide as the page, at (x, y, width).
pub(crate) fn bar(press: &mut Press<'_>, (x, y, w): (f32, f32, f32), words: &str) {
    let bar = Area::new(x, y, w, WARNING - 0.6);
    press.page().fills(&[bar], BLACK);
    let least = Setting::bold(7.0);
    let setting = press.shrunk(words, Setting::bold(10.0), (bar.w - 2.0, 7.0)).unwrap_or(least);
    let width = press.width(words, setting);
    let at = (bar.x + (bar.w - width) / 2.0, bar.bottom() - 1.2);
    press.ink(at, (setting, WHITE), words);
}

/// Draws what says that something cannot be read, one bar each; returns the y below.
pub(crate) fn unread<'a>(
    press: &mut Press<'_>,
    (x, mut y, w): (f32, f32, f32),
    said: impl Iterator<Item = &'a String>,
) -> f32 {
    for words in said {
        bar(press, (x, y, w), words);
        y += WARNING;
    }
    y
}

/// Returns the height of so many bars, mm.
pub(crate) fn unread_height<'a>(said: impl Iterator<Item = &'a String>) -> f32 {
    said.map(|_| WARNING).sum()
}

/// Sets one text of the strip: on one line, smaller where it is long, else on two lines.
fn strip_text(
    press: &mut Press<'_>,
    area: Area,
    (align, size): (Align, f32),
    text: &str,
) -> Result<(), PrintFault> {
    if let Some(setting) = press.shrunk(text, Setting::bold(size), (area.w, 7.5)) {
        press.label(area, align, setting, text);
        return Ok(());
    }
    let mut flow = Flow::new();
    flow.line(Setting::bold(6.5), text);
    let laid = flow.lay(press.typesetter, area.w);
    if laid.height > area.h {
        return Err(PrintFault::Heading { text: text.to_owned() });
    }
    press.flow((area.x, area.y + 0.1), &laid);
    Ok(())
}

/// The band below the strip that says whose page it is, laid out once for all pages.
#[derive(Debug, Clone)]
pub(crate) struct Band<'a> {
    column: Column,
    resident: &'a Resident,
    provenance: &'a Provenance,
    flows: [LaidFlow; 4],
    origin: LaidFlow,
    height: f32,
}

impl<'a> Band<'a> {
    /// Lays out the band for pages of this column.
    pub(crate) fn new(
        press: &mut Press<'_>,
        resident: &'a Resident,
        (provenance, period): (&'a Provenance, &str),
        column: Column,
    ) -> Self {
        let widths = widths(column);
        let flows = [
            who(resident).lay(press.typesetter, widths[0]),
            allergies(&resident.allergies).lay(press.typesetter, widths[1] - 4.0),
            taking(resident).lay(press.typesetter, widths[2] - 2.0),
            sources(resident, period).lay(press.typesetter, widths[3]),
        ];
        let origin = origin(provenance).lay(press.typesetter, column.w);
        let mut height = PHOTO.1;
        for (index, flow) in flows.iter().enumerate() {
            // The allergy box needs room for its border.
            let frame = if index == 1 { 4.0 } else { 0.0 };
            height = height.max(flow.height + frame);
        }
        Self { column, resident, provenance, flows, origin, height }
    }

    /// Returns the band's height with the line below it, mm.
    pub(crate) fn height(&self) -> f32 {
        self.below() + self.origin.height + 1.4
    }

    /// The height of all but the line of origin, mm.
    fn below(&self) -> f32 {
        self.height + unread_height(self.unread())
    }

    fn unread(&self) -> impl Iterator<Item = &'a String> {
        self.provenance.unread.iter().chain(&self.resident.unread)
    }

    /// Draws the band at height `y`; returns the y below it.
    ///
    /// # Errors
    /// `PrintFault::SheetId` when the sheet id does not fit a QR code.
    pub(crate) fn draw(
        &self,
        press: &mut Press<'_>,
        y: f32,
        page: usize,
    ) -> Result<f32, PrintFault> {
        let widths = widths(self.column);
        let top = y;
        let y = unread(press, (self.column.x, y, self.column.w), self.unread());
        photograph::draw(
            press,
            Area::new(self.column.x, y, PHOTO.0, PHOTO.1),
            &self.resident.photograph,
        );
        let mut x = self.column.x + PHOTO.0 + GAP;
        for (index, flow) in self.flows.iter().enumerate() {
            match index {
                1 => {
                    let frame = Area::new(x, y, widths[1], self.height);
                    press.page().frames(&[frame.inset(0.55)], 1.1, BLACK);
                    press.flow((x + 2.0, y + 1.8), flow);
                }
                2 => {
                    let frame = Area::new(x, y, widths[2], self.height);
                    press.page().frames(&[frame.inset(0.1)], 0.2, BLACK);
                    press.flow((x + 1.0, y + 0.6), flow);
                }
                _ => press.flow((x, y), flow),
            }
            x += widths[index] + GAP;
        }
        corner(press, self.provenance, (x, y), page)?;
        let below = y + self.height + 0.8;
        press.flow((self.column.x, below), &self.origin);
        Ok(top + self.height())
    }
}

/// Widths of: who, allergies, how taken, where from.
fn widths(column: Column) -> [f32; 4] {
    let rest = column.w - PHOTO.0 - CORNER - 5.0 * GAP;
    [rest * 0.315, rest * 0.27, rest * 0.225, rest * 0.19]
}

/// Returns name, birth, number and room.
pub(crate) fn who(resident: &Resident) -> Flow {
    let mut flow = Flow::new();
    let name = format!("{}, {}", resident.surname, resident.forenames);
    let mut spans = vec![Span { text: name, setting: Setting::bold(13.0) }];
    if let Some(title) = &resident.title {
        spans.push(Span { text: title.clone(), setting: Setting::regular(10.0) });
    }
    flow.spans(0.0, spans);
    if let Some(known_as) = &resident.known_as {
        flow.labelled(10.0, "known as", known_as);
    }
    let born = match (resident.born, resident.age) {
        (Some(born), Some(age)) => format!("{} (age {age})", long(born)),
        (Some(born), None) => long(born),
        (None, Some(_) | None) => "NOT RECORDED".to_owned(),
    };
    flow.labelled(9.5, "Born", &born);
    let recorded = |value: &Option<String>| value.clone().unwrap_or("NOT RECORDED".to_owned());
    flow.labelled(9.5, "NHS no.", &recorded(&resident.nhs_number));
    flow.labelled(9.5, "Room", &recorded(&resident.room));
    if let Some(notice) = &resident.similar_name {
        flow.tags(0.6, std::slice::from_ref(notice));
    }
    flow
}

/// Returns the allergy box's words: never blank.
pub(crate) fn allergies(allergies: &Allergies) -> Flow {
    let mut flow = Flow::new();
    match allergies {
        Allergies::NotRecorded => {
            flow.line(Setting::bold(12.0), "ALLERGIES NOT RECORDED – CHECK BEFORE GIVING");
        }
        Allergies::NoneKnown { by, on } => {
            flow.line(Setting::bold(9.0), "ALLERGIES AND REACTIONS");
            flow.line(Setting::bold(12.0), "NONE KNOWN");
            flow.line(Setting::regular(9.0), format!("({by}, {})", long(*on)));
        }
        Allergies::Recorded(list) => {
            flow.line(Setting::bold(9.0), "ALLERGIES AND REACTIONS");
            for allergy in list {
                let kind = allergy.kind.as_ref().map(|k| format!(" ({k})")).unwrap_or_default();
                let reaction = allergy.reaction.as_deref().unwrap_or("reaction not recorded");
                flow.spans(
                    0.3,
                    vec![
                        Span {
                            text: format!("{}:", allergy.substance),
                            setting: Setting::bold(10.0),
                        },
                        Span { text: format!("{reaction}{kind}"), setting: Setting::regular(9.0) },
                    ],
                );
            }
        }
    }
    flow
}

/// Returns thickener, how taken, covert sign, self-administration, weight.
pub(crate) fn taking(resident: &Resident) -> Flow {
    let mut flow = Flow::new();
    let recorded = |value: &Option<String>| value.clone().unwrap_or("not recorded".to_owned());
    flow.labelled(9.0, "Swallowing, thickener:", &recorded(&resident.swallowing));
    flow.labelled(9.0, "Takes medicines:", &recorded(&resident.how_taken));
    if let Some(level) = &resident.self_administration {
        flow.labelled(9.0, "Self-administers:", level);
    }
    if let Some(weight) = &resident.weight {
        flow.labelled(9.0, "Weight:", weight);
    }
    if let Some(symbol) = &resident.covert_symbol {
        flow.line(Setting::bold(11.0), symbol.clone());
    }
    if resident.time_critical {
        flow.tags(0.5, &["TIME-CRITICAL MEDICINES".to_owned()]);
    }
    flow
}

fn sources(resident: &Resident, period: &str) -> Flow {
    let mut flow = Flow::new();
    flow.line(Setting::bold(9.0), period);
    let recorded = |value: &Option<String>| value.clone().unwrap_or("not recorded".to_owned());
    let regular = Setting::regular(7.5);
    for (label, value) in [("GP:", &resident.gp), ("Pharmacy:", &resident.pharmacy)] {
        let spans = vec![
            Span { text: label.to_owned(), setting: Setting::bold(7.5) },
            Span { text: recorded(value), setting: regular },
        ];
        flow.spans(0.8, spans);
    }
    flow
}

/// Returns the line that says what the sheet knew (F-02).
pub(crate) fn origin(provenance: &Provenance) -> Flow {
    let bold = |text: String| Span { text, setting: Setting::bold(7.5) };
    let regular = |text: String| Span { text, setting: Setting::regular(7.5) };
    let complete = match &provenance.complete_to {
        Some(at) => moment(at),
        None => "NOT KNOWN".to_owned(),
    };
    let mut spans = Vec::new();
    if let Some(doubt) = &provenance.clock_doubt {
        spans.push(bold(format!("{doubt} ·")));
    }
    spans.extend([
        regular("Printed".to_owned()),
        bold(moment(&provenance.printed_at)),
        regular("· Data complete to".to_owned()),
        bold(complete),
        regular("· Devices not heard:".to_owned()),
    ]);
    if provenance.unheard.is_empty() {
        spans.push(regular("none".to_owned()));
    } else {
        spans.push(bold(provenance.unheard.join("; ")));
    }
    if let Some(replaces) = &provenance.replaces {
        spans.push(bold(format!("· Replaces sheet {replaces}")));
    }
    let mut flow = Flow::new();
    flow.spans(0.0, spans);
    flow
}

/// Draws QR code, sheet id and fingerprint in one corner.
pub(crate) fn corner(
    press: &mut Press<'_>,
    provenance: &Provenance,
    at: (f32, f32),
    page: usize,
) -> Result<(), PrintFault> {
    const CODE: f32 = 12.4;
    let sheet_id = &provenance.sheet_id;
    let fault = || PrintFault::SheetId { sheet_id: sheet_id.clone() };
    let code = QRBuilder::new(format!("MEDROUND {sheet_id} {page}"))
        .ecl(ECL::M)
        .build()
        .map_err(|_| fault())?;
    let side = CODE / f32::from(u16::try_from(code.size).map_err(|_| fault())?);
    let left = at.0 + (CORNER - CODE) / 2.0;
    let mut dark = Vec::new();
    for row in 0..code.size {
        let mut y = at.1;
        y += side * f32::from(u16::try_from(row).map_err(|_| fault())?);
        let mut start = None;
        for column in 0..=code.size {
            let is_dark = column < code.size && code[row][column].value();
            let x = left + side * f32::from(u16::try_from(column).map_err(|_| fault())?);
            match (is_dark, start) {
                (true, None) => start = Some(x),
                (false, Some(from)) => {
                    dark.push(Area::new(from, y, x - from, side));
                    start = None;
                }
                (true, Some(_)) | (false, None) => {}
            }
        }
    }
    press.page().fills(&dark, BLACK);
    let mut flow = Flow::new();
    flow.line(Setting::bold(7.0), format!("Sheet {sheet_id}"));
    flow.line(Setting::regular(5.5), provenance.fingerprint.clone());
    let laid = flow.lay(press.typesetter, CORNER);
    press.flow((at.0, at.1 + CODE + 0.7), &laid);
    Ok(())
}
