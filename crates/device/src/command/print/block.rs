//! One medicine of a chart: one version of one order.

use super::cells::{SoFar, Told, rows};
use super::page::some;
use crate::command::page::moment;
use crate::command::record::Card;
use crate::command::resident::{away_since, whereabouts_in_words};
use crate::command::session::Session;
use ::mar::chart::ChartOrder;
use ::mar::ids::StaffId;
use ::mar::medicine::Medicine;
use ::mar::order::{Content, Prn, Source, State};
use ::mar::picture::{OrderHistory, ResidentPicture};
use ::mar::rules::min_gap;
use ::mar::schedule::{Days, Schedule};
use ::print::sheet::{Block, BlockStanding, Cycle, Doses, SenderWords, WhenRequired};
use std::collections::BTreeSet;

/// Returns one block.
pub(super) fn block<'s>(
    session: &'s Session<'s>,
    resident: &ResidentPicture,
    order: &ChartOrder<'_>,
    cycle: Cycle,
    so_far: &mut SoFar<'s>,
) -> Block {
    let content = &order.version.content;
    let zone = session.zone();
    let history = resident.orders.get(&order.order);
    let settings = session.settings();
    let mut told = Told::new(session, order, so_far);
    let doses = match content.prn() {
        Some(prn) => Doses::WhenRequired(when_required(session, resident, order, prn, &mut told)),
        None => Doses::Scheduled(rows(session, order, cycle, &mut told)),
    };
    let mut records = told.records;
    records.sort_by_key(|r| (r.date, r.note));
    Block {
        medicine: medicine(&content.medicine),
        brand: None,
        directions: order.directions.clone(),
        sender_words: sender_words(content, history),
        route: some(&content.route),
        // The directions end with what it is for and with the instruction.
        indication: None,
        warnings: Vec::new(),
        tags: tags(content),
        no_automatic_checks: content.medicine.dmd.is_none(),
        start: content.start.civil(zone).date(),
        stop: content.stop.map(|stop| stop.civil(zone).date()),
        review: None,
        notes: block_notes(session, order, history),
        source: source(content.source).to_owned(),
        version: version_number(order, history),
        written_by: order.written.staff().map(|id| signed(session, id, &mut so_far.people)),
        checked_by: order
            .checked
            .and_then(|w| w.staff())
            .map(|id| signed(session, id, &mut so_far.people)),
        supply: history.and_then(|h| h.supplies().last().map(|s| s.pack.clone())),
        standing: standing(session, (resident, history), order),
        second_signature: settings.witnessed(content.medicine.cd),
        amount_per_dose: matches!(content.dose, ::mar::order::Dose::Range { .. }),
        carried_forward: None,
        doses,
        records,
    }
}

fn signed(session: &Session<'_>, id: StaffId, people: &mut BTreeSet<StaffId>) -> String {
    people.insert(id);
    session.initials(Some(id))
}

/// Name, form and strength, without saying twice what the name says already.
pub(super) fn medicine(medicine: &Medicine) -> String {
    let mut text = medicine.name.clone();
    let plain = |t: &str| t.to_lowercase().replace(' ', "");
    for more in [&medicine.strength, &medicine.form].into_iter().flatten() {
        if !plain(&text).contains(&plain(more)) {
            text.push_str(&format!(" {more}"));
        }
    }
    text
}

fn sender_words(content: &Content, history: Option<&OrderHistory>) -> Option<SenderWords> {
    let from = match content.source {
        Source::Label => "Label",
        Source::DischargeLetter => "Discharge letter",
        Source::PrescriberMessage => "Prescriber",
        Source::GpRecord => "GP record",
        Source::Spoken => "Spoken",
    };
    let proposed = history.and_then(OrderHistory::proposal).map(|p| p.words.join(" "));
    let words = content.label.as_deref().and_then(some).or_else(|| proposed.and_then(|w| some(&w)));
    words.map(|words| SenderWords { from: from.to_owned(), words })
}

const fn source(source: Source) -> &'static str {
    match source {
        Source::Label => "from the pharmacy’s label",
        Source::DischargeLetter => "from a discharge letter",
        Source::PrescriberMessage => "from a prescriber’s message",
        Source::GpRecord => "from the GP’s record",
        Source::Spoken => "from a spoken instruction",
    }
}

fn tags(content: &Content) -> Vec<String> {
    let mut tags = Vec::new();
    if content.flags.time_critical {
        tags.push("TIME-CRITICAL".to_owned());
    }
    tags.extend(weekday(&content.schedule));
    if content.medicine.cd.is_controlled() {
        tags.push("CD".to_owned());
    }
    if content.prn().is_some() {
        tags.push("PRN".to_owned());
    }
    if content.flags.rescue {
        tags.push("RESCUE".to_owned());
    }
    if content.flags.anticoagulant {
        tags.push("ANTICOAGULANT".to_owned());
    }
    if content.flags.insulin {
        tags.push("INSULIN".to_owned());
    }
    tags
}

/// A weekly medicine's day in words (S-05).
pub(super) fn weekday(schedule: &Schedule) -> Option<String> {
    let one = |days: Days| {
        let mut names = days.iter();
        names.next().filter(|_| names.next().is_none())
    };
    let (day, every) = match schedule {
        Schedule::Times { days, .. } | Schedule::Rounds { days, .. } => (one(*days)?.0, 1),
        Schedule::EveryWeeks { days, n, .. } => (one(*days)?.0, *n),
        Schedule::EveryDays { .. }
        | Schedule::EveryHours { .. }
        | Schedule::Once { .. }
        | Schedule::WhenRequired(_) => return None,
    };
    let name = ::mar::words::days(Days::of(&[day])).replace("on ", "").to_uppercase();
    Some(match every {
        1 => format!("WEEKLY – {name}"),
        n => format!("EVERY {n} WEEKS – {name}"),
    })
}

fn version_number(order: &ChartOrder<'_>, history: Option<&OrderHistory>) -> u32 {
    let at =
        history.and_then(|h| h.versions().iter().position(|v| v.version.id == order.version.id));
    u32::try_from(at.unwrap_or(0)).unwrap_or(0) + 1
}

fn block_notes(
    session: &Session<'_>,
    order: &ChartOrder<'_>,
    history: Option<&OrderHistory>,
) -> Vec<String> {
    let content = &order.version.content;
    let mut notes = Vec::new();
    if let Some(doses) = content.course_doses {
        notes.push(format!("A course of {doses} doses."));
    }
    if let Some(gap) = min_gap(content).filter(|_| content.prn().is_none()) {
        notes.push(format!("At least {} between doses.", ::mar::words::length(gap)));
    }
    let view = history.and_then(|h| h.version(order.version.id));
    if let Some(alone) = view.and_then(|v| v.alone).filter(|_| order.checked.is_none()) {
        let initials = session.initials(alone.staff());
        notes.push(format!("CHECK OWED: activated by {initials} alone."));
    }
    if order.conflict {
        notes.push("WRITTEN APART from another version: ask before giving.".to_owned());
    }
    let supply = history.and_then(|h| h.supplies().last().copied());
    if let Some(supply) = supply {
        notes.push(format!("Supplied: {}.", supply.product));
        notes.extend(some(&supply.notice));
    }
    notes
}

fn standing(
    session: &Session<'_>,
    (resident, history): (&ResidentPicture, Option<&OrderHistory>),
    order: &ChartOrder<'_>,
) -> BlockStanding {
    let zone = session.zone();
    if let (Some((at, by, why)), true) = (order.stopped, order.ended) {
        return BlockStanding::Stopped(format!("Stopped {}, {by}: {why}", moment(at, zone)));
    }
    if order.ended {
        let until = order.to.map(|to| moment(to, zone)).unwrap_or_default();
        return BlockStanding::Superseded(format!("Ended {until}."));
    }
    let held = held_since(session, order, history);
    match (held, away_since(session, resident)) {
        (Some(held), Some((_, since))) => BlockStanding::Held(format!("{held}. {since}.")),
        (Some(held), None) => BlockStanding::Held(held),
        (None, Some((where_now, since))) => BlockStanding::Away {
            whereabouts: whereabouts_in_words(where_now).to_uppercase(),
            words: since,
        },
        (None, None) => BlockStanding::Active,
    }
}

/// Since when, by whom and why an order is held; `None` for one that is not.
pub(in crate::command) fn held_since(
    session: &Session<'_>,
    order: &ChartOrder<'_>,
    history: Option<&OrderHistory>,
) -> Option<String> {
    let (entry, why) = history.and_then(OrderHistory::hold)?;
    let (by, since) = (session.initials(entry.staff()), moment(entry.wall, session.zone()));
    (order.state == State::Held).then(|| format!("Held since {since} by {by}: {why}"))
}

fn when_required(
    session: &Session<'_>,
    resident: &ResidentPicture,
    order: &ChartOrder<'_>,
    prn: &Prn,
    told: &mut Told<'_, '_>,
) -> WhenRequired {
    let content = &order.version.content;
    // The page itself says when it was printed.
    let card = Card::of(session, resident, (order.order, content, prn));
    let at_printing = if order.ended { Vec::new() } else { card.when_printed() };
    let lines = order.unscheduled.iter().map(|dose| told.prn_line(order, dose)).collect();
    WhenRequired { limits: limits(prn), protocol: protocol(content, prn), at_printing, lines }
}

/// The directions say the limits that are stated; here stands who was asked for the others.
fn limits(prn: &Prn) -> Vec<String> {
    use ::mar::order::Stated;
    let mut asked_for = Vec::new();
    if let Stated::NotStated { asked } = &prn.min_interval {
        asked_for.push(format!("Shortest time between doses: {asked}."));
    }
    if let Stated::NotStated { asked } = &prn.max_24h {
        asked_for.push(format!("Most in 24 hours: {asked}."));
    }
    asked_for
}

fn protocol(content: &Content, prn: &Prn) -> Vec<String> {
    let said = &prn.protocol;
    let can_ask = match said.can_ask {
        Some(true) => "can ask for it",
        Some(false) => "cannot ask for it: look for the signs",
        None => "",
    };
    let check = said.check_after.unwrap_or(::mar::order::EFFECT_CHECK_DEFAULT);
    let check = format!("after {}", ::mar::words::length(check));
    let indicated = content.indication.as_deref().unwrap_or_default();
    let what_for = if said.what_for.trim() == indicated.trim() { "" } else { &said.what_for };
    [
        ("For", what_for),
        ("Signs", said.signs.as_str()),
        ("The resident", can_ask),
        ("Choosing the amount", said.choose.as_str()),
        ("Try first", said.try_first.as_str()),
        ("Expected effect", said.expected_effect.as_str()),
        ("Look for the effect", check.as_str()),
        ("Call the prescriber", said.call_prescriber_when.as_str()),
        ("Review", said.review.as_str()),
    ]
    .into_iter()
    .filter(|(_, words)| !words.trim().is_empty())
    .map(|(what, words)| format!("{what}: {words}"))
    .collect()
}
