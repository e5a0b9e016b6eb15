//! The rules of giving: intervals, totals, gaps, windows. One function each, on the merged record.

mod bar;
mod breach;
mod finding;
mod limits;
mod status;

pub use bar::{Bar, barred};
pub use breach::{Breach, BreachKind, breaches, double_doses};
pub use finding::{Finding, findings};
pub(crate) use limits::is_weekly;
pub use limits::{
    Limit, PastMost, allows, gap_allows, min_gap, past_most, weekly_allows, went_past,
};
pub use status::{LastGiven, PrnStatus, RescueCount, prn_status, rescue_count};

use crate::ids::{AdministrationId, OrderId, VersionId};
use crate::medicine::Ingredient;
use crate::order::{Content, Version};
use crate::picture::{HomePicture, ResidentPicture};
use crate::quantity::{Amount, Quantity};
use crate::schedule::{Slot, SlotId};
use crate::settings::Settings;
use crate::time::{Minutes, Timestamp};
use chrono::NaiveDate;
use std::collections::BTreeMap;

/// Paracetamol for an adult: at most this many mg in 24 hours (P-04).
pub const PARACETAMOL_MG_24H: u32 = 4_000;
/// Paracetamol: at least this long between two doses of any product that holds it (P-04, D-07).
pub const PARACETAMOL_GAP: Minutes = Minutes(4 * 60);
/// A weekly dose is blocked only within this of the last (W-11).
pub const WEEKLY_GAP: Minutes = Minutes(6 * 24 * 60);
/// A weekly dose may be given this late without moving its weekday (W-11).
pub const WEEKLY_LATE: Minutes = Minutes(2 * 24 * 60);

/// One dose of which something was taken, as the limits count it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken<'p> {
    /// Which.
    pub administration: AdministrationId,
    /// Its order.
    pub order: OrderId,
    /// What the version that was followed says.
    pub content: &'p Content,
    /// The slot; `None` for a dose outside slots.
    pub slot: Option<&'p SlotId>,
    /// The true time.
    pub at: Timestamp,
    /// The time at which it counts in rolling totals: the slot's time for a regular dose given in
    /// its window, else the true time (W-01).
    pub counts_at: Timestamp,
    /// How much.
    pub amount: Amount,
}

/// Returns the settings by date of a home, as slot generation asks for them.
pub fn by_date<'h>(
    home: &'h HomePicture,
    fallback: &'h Settings,
) -> impl Fn(NaiveDate) -> &'h Settings {
    move |date| home.settings_on(date).unwrap_or(fallback)
}

/// Returns every dose of the resident since `since` of which something was taken, by true time, of
/// the months that are loaded. Where nobody wrote an amount it is the most that is prescribed: the
/// safe side.
#[must_use]
pub fn taken<'p>(
    home: &HomePicture,
    resident: &'p ResidentPicture,
    since: Timestamp,
) -> Vec<Taken<'p>> {
    let fallback = Settings::new("-", NaiveDate::default());
    let settings = by_date(home, &fallback);
    let mut versions: BTreeMap<OrderId, BTreeMap<VersionId, &'p Version>> = BTreeMap::new();
    let mut found: Vec<Taken<'p>> = Vec::new();
    for administration in resident.administrations.values() {
        let Some((_, record)) = administration.record() else {
            continue;
        };
        let recent = |r: &&crate::fact::Recording| r.outcome.is_taken() && r.given_at >= since;
        let Some(recording) = administration.effective().filter(recent) else {
            continue;
        };
        let Some(history) = resident.orders.get(&record.order) else {
            continue;
        };
        // What was taken counts whatever became of the version it was taken from.
        let of_order = versions.entry(record.order).or_insert_with(|| history.all_written());
        let Some(version) = of_order.get(&record.version).copied() else {
            continue;
        };
        let content = &version.content;
        let slot = record.slot.as_ref();
        let due = slot.and_then(|id| slot_of(version, id, &settings));
        let in_window = due
            .filter(|s| recording.given_at >= s.window.from && recording.given_at <= s.window.to);
        found.push(Taken {
            administration: record.administration,
            order: record.order,
            content,
            slot,
            at: recording.given_at,
            counts_at: in_window.map_or(recording.given_at, |s| s.due),
            amount: recording.amount.clone().unwrap_or_else(|| content.dose.most()),
        });
    }
    found.sort_by_key(|t| (t.at, t.administration));
    found
}

/// Rules look back at least this far: a weekly dose's gap, and the week of P-05.
pub const LOOK_BACK: Minutes = Minutes(8 * 24 * 60);

/// Returns how far the limits of this order look back: its own interval may be longer than
/// [`LOOK_BACK`] (an injection every three months), and then the last dose still stands in the way.
#[must_use]
pub fn look_back(content: &Content) -> Minutes {
    let stated = content.prn().and_then(|prn| prn.min_interval.value().copied());
    [stated, min_gap(content)].into_iter().flatten().fold(LOOK_BACK, Minutes::max)
}

/// Returns the slot of a version with this id, recomputed from the version; `None` when the version
/// has no such slot.
pub fn slot_of<'s>(
    version: &crate::order::Version,
    id: &SlotId,
    settings: &dyn Fn(NaiveDate) -> &'s Settings,
) -> Option<Slot> {
    crate::schedule::slot_with_id(version, settings, id)
}

/// Whether two orders share their limits (design, section 3): the same named group, or, where
/// neither names one, the same order or an ingredient in common.
#[must_use]
pub fn share_limits((a, of_a): (OrderId, &Content), (b, of_b): (OrderId, &Content)) -> bool {
    if a == b {
        return true;
    }
    match (&of_a.limit_group, &of_b.limit_group) {
        (Some(x), Some(y)) => x == y,
        (Some(_), None) | (None, Some(_)) => false,
        (None, None) => {
            let same = |i: &Ingredient, j: &Ingredient| {
                i.name.eq_ignore_ascii_case(&j.name) || (i.code.is_some() && i.code == j.code)
            };
            let of_b = &of_b.medicine.ingredients;
            of_a.medicine.ingredients.iter().any(|i| of_b.iter().any(|j| same(i, j)))
        }
    }
}

/// Returns how many mg of an ingredient an amount of a medicine holds; `None` when the order does
/// not say, or counts it in another unit.
#[must_use]
pub fn ingredient_mg(content: &Content, ingredient: &str, amount: &Amount) -> Option<Quantity> {
    let found =
        content.medicine.ingredients.iter().find(|i| i.name.eq_ignore_ascii_case(ingredient))?;
    let (each, per) = (found.amount.as_ref()?, found.per.as_ref()?);
    if *per != amount.unit {
        return None;
    }
    let mg = match each.unit.as_str() {
        "mg" => each.value,
        "g" => each.value.times(Quantity::whole(1_000))?,
        "microgram" => {
            Quantity::new((each.value.decimal() / rust_decimal::Decimal::from(1_000)).round_dp(3))
                .ok()?
        }
        _ => return None,
    };
    mg.times(amount.value)
}

/// Classes of which one allergy speaks for all (O-09). For the clinical lead: confirm the lists with
/// a pharmacist; a name that is not here is matched by its own ingredient only.
const CLASSES: &[(&str, &[&str])] = &[
    (
        "penicillin",
        &[
            "amoxicillin",
            "ampicillin",
            "flucloxacillin",
            "phenoxymethylpenicillin",
            "benzylpenicillin",
            "co-amoxiclav",
            "co-fluampicil",
            "piperacillin",
            "pivmecillinam",
            "temocillin",
            // Brands; the ingredient is not always written beside them.
            "amoxil",
            "augmentin",
            "flemoxin",
            "floxapen",
            "magnapen",
            "negaban",
            "selexid",
            "tazocin",
        ],
    ),
    (
        "cephalosporin",
        &[
            "cefalexin",
            "cefuroxime",
            "cefaclor",
            "cefadroxil",
            "cefradine",
            "ceftriaxone",
            "cefixime",
        ],
    ),
    ("sulfonamide", &["sulfamethoxazole", "co-trimoxazole", "sulfadiazine", "sulfasalazine"]),
    (
        "nsaid",
        &[
            "ibuprofen",
            "naproxen",
            "diclofenac",
            "aspirin",
            "indometacin",
            "meloxicam",
            "celecoxib",
            "etoricoxib",
            "ketoprofen",
            "mefenamic acid",
        ],
    ),
    (
        "opioid",
        &[
            "morphine",
            "codeine",
            "co-codamol",
            "dihydrocodeine",
            "tramadol",
            "oxycodone",
            "fentanyl",
            "buprenorphine",
            "co-dydramol",
        ],
    ),
];

/// Whether a medicine belongs to the class that an allergy names, or to the class of the medicine
/// that it names (O-09). All texts in lower case.
#[must_use]
pub fn same_class(substance: &str, medicine: &str, ingredients: &[String]) -> bool {
    CLASSES.iter().any(|(class, members)| {
        let names = substance.contains(class) || members.iter().any(|m| substance.contains(m));
        let belongs = members
            .iter()
            .any(|m| medicine.contains(m) || ingredients.iter().any(|i| i.contains(m)));
        names && belongs
    })
}
