//! The orders that wait for a person, below the chart: what they are, and nothing to sign (O-02).

use crate::PrintFault;
use crate::mar_chart::block::Grid;
use crate::page::{Area, BLACK, WHITE};
use crate::press::{Flow, LaidFlow, Press};
use crate::sheet::WaitingOrder;
use crate::table::{Content, LaidRow, Table};
use crate::text::{Setting, Span};

/// Height of the black bar above them, mm.
const BAR: f32 = 6.4;
/// Least height of an order's row, mm.
const ROW: f32 = 6.0;
const BAR_TEXT: Setting = Setting::bold(11.0);
const ADVICE: &str = "Not part of the chart yet: nothing is given and nothing is signed from here. \
    Ask whoever leads the shift. When they are checked, print a new sheet.";

/// As many of the orders as a page holds, under their bar.
#[derive(Debug, Clone)]
pub(super) struct WaitingPart {
    title: String,
    advice: LaidFlow,
    table: Table,
    rows: Vec<LaidRow>,
    /// mm.
    pub(super) height: f32,
}

/// Returns the orders in as few parts as a body of `body` mm allows; each says what it is.
///
/// # Errors
/// `PrintFault::DoesNotFit` when the words of one order are higher than the body.
pub(super) fn parts(
    press: &mut Press<'_>,
    grid: &Grid,
    orders: &[WaitingOrder],
    (resident, body): (&str, f32),
) -> Result<Vec<WaitingPart>, PrintFault> {
    if orders.is_empty() {
        return Ok(Vec::new());
    }
    let width = grid.column.w;
    let columns = [
        ("", 6.0),
        ("Medicine", 68.0),
        ("As sent, and as written up here", 105.0),
        ("Waiting since", 36.0),
        ("What is missing", 54.0),
    ];
    let table = Table::new(press, &columns, width);
    let mut flow = Flow::new();
    flow.line(Setting::bold(9.0), ADVICE);
    let advice = flow.lay(press.typesetter, width - 2.4);
    let above = BAR + advice.height + 1.6 + table.head_height();
    let mut groups: Vec<Vec<LaidRow>> = vec![Vec::new()];
    let mut used = above;
    for order in orders {
        let row = table.lay(press, (&cells(order), false), ROW);
        if above + row.height > body {
            return Err(PrintFault::DoesNotFit {
                resident: resident.to_owned(),
                medicine: order.medicine.clone(),
            });
        }
        let group = groups.last_mut().expect("there is always a group being filled");
        if !group.is_empty() && used + row.height > body {
            used = above + row.height;
            groups.push(vec![row]);
        } else {
            used += row.height;
            group.push(row);
        }
    }
    let of = groups.len();
    let part = |(index, rows): (usize, Vec<LaidRow>)| {
        let mut title = "WAITING FOR A CHECK: DO NOT GIVE".to_owned();
        if of > 1 {
            title.push_str(&format!(" (part {} of {of})", index + 1));
        }
        let height = above + rows.iter().map(|row| row.height).sum::<f32>();
        WaitingPart { title, advice: advice.clone(), table: table.clone(), rows, height }
    };
    Ok(groups.into_iter().enumerate().map(part).collect())
}

/// Draws one part with its top at `y`.
pub(super) fn draw(press: &mut Press<'_>, grid: &Grid, part: &WaitingPart, y: f32) {
    let whole = Area::new(grid.column.x, y, grid.column.w, part.height);
    press.page().fills(&[Area::new(whole.x, y, whole.w, BAR)], BLACK);
    press.ink((whole.x + 1.6, y + BAR - 1.9), (BAR_TEXT, WHITE), &part.title);
    let mut at = y + BAR + 0.8;
    press.flow((whole.x + 1.2, at), &part.advice);
    at += part.advice.height + 0.8;
    part.table.draw_head(press, (whole.x, at));
    at += part.table.head_height();
    for row in &part.rows {
        part.table.draw(press, (whole.x, at), row);
        at += row.height;
    }
    press.page().frames(&[whole], 0.9, BLACK);
}

/// The first box is hatched, as every box is in which nothing is signed.
fn cells(order: &WaitingOrder) -> [Content; 5] {
    let mut medicine = Flow::new();
    medicine.line(Setting::bold(10.0), order.medicine.clone());
    let mut said = Flow::new();
    for words in &order.sent {
        let text = format!("As sent: “{words}”");
        said.spans(0.0, vec![Span { text, setting: Setting::regular(9.0) }]);
    }
    if let Some(directions) = &order.directions {
        let spans = [
            Span { text: "Written up:".to_owned(), setting: Setting::regular(9.0) },
            Span { text: directions.clone(), setting: Setting::bold(9.0) },
        ];
        said.spans(0.3, spans.to_vec());
    }
    let mut since = Flow::new();
    since.line(Setting::regular(9.0), order.since.clone());
    let mut missing = Flow::new();
    missing.line(Setting::bold(9.0), order.missing.clone());
    if order.meanwhile {
        let text = "Until then it is given as the chart above says.";
        missing.line(Setting::regular(9.0), text);
    }
    [
        Content::Barred,
        Content::Text(medicine),
        Content::Text(said),
        Content::Text(since),
        Content::Text(missing),
    ]
}
