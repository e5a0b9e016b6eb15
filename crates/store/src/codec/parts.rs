//! Parts that several kinds share: amounts, medicines, schedules, codes of closed lists.

use chrono::{Datelike, NaiveDate};
use mar::ids::VersionId;
use mar::medicine::{CdCategory, Ingredient, Medicine};
use mar::order::{Dose, Prn, Protocol, Stated};
use mar::outcome::{Effect, Outcome, Practice};
use mar::quantity::{Amount, Quantity, Unit};
use mar::resident::ExternalId;
use mar::schedule::{Days, Schedule, SlotId, SlotKey, TimeOfDay};
use mar::time::{Minutes, Timestamp};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// Gives each variant of a closed list a number that stands for it for ever.
macro_rules! codes {
    ($type:ident, $write:ident, $read:ident: $($variant:ident = $code:literal),* $(,)?) => {
        pub(super) fn $write(value: $type) -> u8 {
            match value {
                $($type::$variant => $code,)*
            }
        }

        pub(super) fn $read(code: u8) -> Option<$type> {
            match code {
                $($code => Some($type::$variant),)*
                _ => None,
            }
        }
    };
}
pub(super) use codes;

codes!(CdCategory, cd_code, cd_of:
    None = 0, Schedule1 = 1, Schedule2 = 2, Schedule2ExemptCustody = 3, Schedule3 = 4,
    Schedule3ExemptCustody = 5, Schedule3Phenobarbital = 6, Schedule3Temazepam = 7,
    Schedule4Anabolic = 8, Schedule4Benzodiazepine = 9, Schedule5 = 10, Unknown = 11,
);

codes!(Effect, effect_code, effect_of: Good = 0, Partly = 1, None = 2, Asleep = 3);

codes!(Practice, practice_code, practice_of:
    NilByMouth = 0, GivenByProfessional = 1, GivenElsewhere = 2, GivenCovertly = 3,
    MadeAvailable = 4, SeenTaken = 5, SeenNotTaken = 6, DroppedReplaced = 7, NotKnown = 8,
    Rescheduled = 9,
);

/// Practices stand above this number among the outcomes.
const PRACTICES: u8 = 100;

pub(super) fn outcome_code(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::Given => 0,
        Outcome::PartGiven => 1,
        Outcome::SelfAdministered => 2,
        Outcome::Prompted => 3,
        Outcome::Refused => 4,
        Outcome::RefusedDestroyed => 5,
        Outcome::Vomited => 6,
        Outcome::Asleep => 7,
        Outcome::NotRequired => 8,
        Outcome::Hospital => 9,
        Outcome::Leave => 10,
        Outcome::Held => 11,
        Outcome::ClinicalReading => 12,
        Outcome::OutOfStock => 13,
        Outcome::OmittedInError => 14,
        Outcome::Other => 15,
        Outcome::OnPaper => 16,
        Outcome::Practice(practice) => PRACTICES + practice_code(practice),
    }
}

pub(super) fn outcome_of(code: u8) -> Option<Outcome> {
    Some(match code {
        0 => Outcome::Given,
        1 => Outcome::PartGiven,
        2 => Outcome::SelfAdministered,
        3 => Outcome::Prompted,
        4 => Outcome::Refused,
        5 => Outcome::RefusedDestroyed,
        6 => Outcome::Vomited,
        7 => Outcome::Asleep,
        8 => Outcome::NotRequired,
        9 => Outcome::Hospital,
        10 => Outcome::Leave,
        11 => Outcome::Held,
        12 => Outcome::ClinicalReading,
        13 => Outcome::OutOfStock,
        14 => Outcome::OmittedInError,
        15 => Outcome::Other,
        16 => Outcome::OnPaper,
        practice => Outcome::Practice(practice_of(practice.checked_sub(PRACTICES)?)?),
    })
}

/// Days since the first day of the first year.
pub(super) fn date(date: NaiveDate) -> i32 {
    date.num_days_from_ce()
}

pub(super) fn date_of(days: i32) -> Option<NaiveDate> {
    NaiveDate::from_num_days_from_ce_opt(days)
}

/// Reads an optional part: `None` within is a part that is not there, `None` without one that
/// cannot be read.
pub(super) fn optional<W, T>(
    wire: Option<W>,
    read: impl FnOnce(W) -> Option<T>,
) -> Option<Option<T>> {
    match wire {
        None => Some(None),
        Some(wire) => read(wire).map(Some),
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct Quantity1 {
    mantissa: i128,
    scale: u32,
}

impl Quantity1 {
    pub(super) fn of(quantity: Quantity) -> Self {
        let decimal = quantity.decimal();
        Self { mantissa: decimal.mantissa(), scale: decimal.scale() }
    }

    pub(super) fn read(self) -> Option<Quantity> {
        let decimal = Decimal::try_from_i128_with_scale(self.mantissa, self.scale).ok()?;
        Quantity::new(decimal).ok()
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct Amount1 {
    value: Quantity1,
    unit: String,
}

impl Amount1 {
    pub(super) fn of(amount: &Amount) -> Self {
        Self { value: Quantity1::of(amount.value), unit: amount.unit.as_str().to_owned() }
    }

    pub(super) fn read(self) -> Option<Amount> {
        Some(Amount { value: self.value.read()?, unit: Unit::new(&self.unit) })
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct Medicine1 {
    name: String,
    form: Option<String>,
    strength: Option<String>,
    dmd: Option<String>,
    release: Option<String>,
    ingredients: Vec<Ingredient1>,
    cd: u8,
}

#[derive(Serialize, Deserialize)]
struct Ingredient1 {
    name: String,
    code: Option<String>,
    amount: Option<Amount1>,
    per: Option<String>,
}

impl Medicine1 {
    pub(super) fn of(medicine: &Medicine) -> Self {
        let ingredient = |ingredient: &Ingredient| Ingredient1 {
            name: ingredient.name.clone(),
            code: ingredient.code.clone(),
            amount: ingredient.amount.as_ref().map(Amount1::of),
            per: ingredient.per.as_ref().map(|unit| unit.as_str().to_owned()),
        };
        Self {
            name: medicine.name.clone(),
            form: medicine.form.clone(),
            strength: medicine.strength.clone(),
            dmd: medicine.dmd.clone(),
            release: medicine.release.clone(),
            ingredients: medicine.ingredients.iter().map(ingredient).collect(),
            cd: cd_code(medicine.cd),
        }
    }

    pub(super) fn read(self) -> Option<Medicine> {
        let ingredient = |wire: Ingredient1| {
            Some(Ingredient {
                name: wire.name,
                code: wire.code,
                amount: optional(wire.amount, Amount1::read)?,
                per: wire.per.map(|unit| Unit::new(&unit)),
            })
        };
        Some(Medicine {
            name: self.name,
            form: self.form,
            strength: self.strength,
            dmd: self.dmd,
            release: self.release,
            ingredients: self.ingredients.into_iter().map(ingredient).collect::<Option<_>>()?,
            cd: cd_of(self.cd)?,
        })
    }
}

#[derive(Serialize, Deserialize)]
pub(super) enum Dose1 {
    Fixed(Amount1),
    Range { from: Quantity1, to: Quantity1, unit: String },
}

impl Dose1 {
    pub(super) fn of(dose: &Dose) -> Self {
        match dose {
            Dose::Fixed(amount) => Self::Fixed(Amount1::of(amount)),
            Dose::Range { from, to, unit } => Self::Range {
                from: Quantity1::of(*from),
                to: Quantity1::of(*to),
                unit: unit.as_str().to_owned(),
            },
        }
    }

    pub(super) fn read(self) -> Option<Dose> {
        Some(match self {
            Self::Fixed(amount) => Dose::Fixed(amount.read()?),
            Self::Range { from, to, unit } => {
                Dose::Range { from: from.read()?, to: to.read()?, unit: Unit::new(&unit) }
            }
        })
    }
}

#[derive(Serialize, Deserialize)]
enum Stated1<T> {
    As(T),
    NotStated(String),
}

impl<T> Stated1<T> {
    fn of<V>(stated: &Stated<V>, write: impl FnOnce(&V) -> T) -> Self {
        match stated {
            Stated::As(value) => Self::As(write(value)),
            Stated::NotStated { asked } => Self::NotStated(asked.clone()),
        }
    }

    fn read<V>(self, read: impl FnOnce(T) -> Option<V>) -> Option<Stated<V>> {
        Some(match self {
            Self::As(wire) => Stated::As(read(wire)?),
            Self::NotStated(asked) => Stated::NotStated { asked },
        })
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct Prn1 {
    min_interval_minutes: Stated1<u32>,
    max_24h: Stated1<Amount1>,
    what_for: String,
    signs: String,
    can_ask: Option<bool>,
    choose: String,
    expected_effect: String,
    check_after_minutes: Option<u32>,
    try_first: String,
    call_prescriber_when: String,
    review: String,
}

impl Prn1 {
    fn of(prn: &Prn) -> Self {
        let protocol = &prn.protocol;
        Self {
            min_interval_minutes: Stated1::of(&prn.min_interval, |minutes| minutes.0),
            max_24h: Stated1::of(&prn.max_24h, Amount1::of),
            what_for: protocol.what_for.clone(),
            signs: protocol.signs.clone(),
            can_ask: protocol.can_ask,
            choose: protocol.choose.clone(),
            expected_effect: protocol.expected_effect.clone(),
            check_after_minutes: protocol.check_after.map(|minutes| minutes.0),
            try_first: protocol.try_first.clone(),
            call_prescriber_when: protocol.call_prescriber_when.clone(),
            review: protocol.review.clone(),
        }
    }

    fn read(self) -> Option<Prn> {
        Some(Prn {
            min_interval: self.min_interval_minutes.read(|minutes| Some(Minutes(minutes)))?,
            max_24h: self.max_24h.read(Amount1::read)?,
            protocol: Protocol {
                what_for: self.what_for,
                signs: self.signs,
                can_ask: self.can_ask,
                choose: self.choose,
                expected_effect: self.expected_effect,
                check_after: self.check_after_minutes.map(Minutes),
                try_first: self.try_first,
                call_prescriber_when: self.call_prescriber_when,
                review: self.review,
            },
        })
    }
}

#[derive(Serialize, Deserialize)]
pub(super) enum Schedule1 {
    Times { times: Vec<u16>, days: u8 },
    Rounds { rounds: Vec<String>, days: u8 },
    EveryDays { n: u16, anchor: i32, times: Vec<u16> },
    EveryWeeks { n: u16, anchor: i32, days: u8, times: Vec<u16> },
    EveryHours { n: u16, anchor: i64 },
    Once { at: i64 },
    WhenRequired(Box<Prn1>),
}

impl Schedule1 {
    pub(super) fn of(schedule: &Schedule) -> Self {
        let minutes = |times: &[TimeOfDay]| times.iter().map(|time| time.minutes()).collect();
        match schedule {
            Schedule::Times { times, days } => {
                Self::Times { times: minutes(times), days: days.bits() }
            }
            Schedule::Rounds { rounds, days } => {
                Self::Rounds { rounds: rounds.clone(), days: days.bits() }
            }
            Schedule::EveryDays { n, anchor, times } => {
                Self::EveryDays { n: *n, anchor: date(*anchor), times: minutes(times) }
            }
            Schedule::EveryWeeks { n, anchor, days, times } => Self::EveryWeeks {
                n: *n,
                anchor: date(*anchor),
                days: days.bits(),
                times: minutes(times),
            },
            Schedule::EveryHours { n, anchor } => Self::EveryHours { n: *n, anchor: anchor.0 },
            Schedule::Once { at } => Self::Once { at: at.0 },
            Schedule::WhenRequired(prn) => Self::WhenRequired(Box::new(Prn1::of(prn))),
        }
    }

    pub(super) fn read(self) -> Option<Schedule> {
        let times = |minutes: Vec<u16>| -> Option<Vec<TimeOfDay>> {
            minutes.into_iter().map(TimeOfDay::from_minutes).collect()
        };
        Some(match self {
            Self::Times { times: minutes, days } => {
                Schedule::Times { times: times(minutes)?, days: Days::from_bits(days)? }
            }
            Self::Rounds { rounds, days } => {
                Schedule::Rounds { rounds, days: Days::from_bits(days)? }
            }
            Self::EveryDays { n, anchor, times: minutes } => {
                Schedule::EveryDays { n, anchor: date_of(anchor)?, times: times(minutes)? }
            }
            Self::EveryWeeks { n, anchor, days, times: minutes } => Schedule::EveryWeeks {
                n,
                anchor: date_of(anchor)?,
                days: Days::from_bits(days)?,
                times: times(minutes)?,
            },
            Self::EveryHours { n, anchor } => Schedule::EveryHours { n, anchor: Timestamp(anchor) },
            Self::Once { at } => Schedule::Once { at: Timestamp(at) },
            Self::WhenRequired(prn) => Schedule::WhenRequired(prn.read()?),
        })
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct Slot1 {
    version: [u8; 16],
    date: i32,
    key: SlotKey1,
}

#[derive(Serialize, Deserialize)]
enum SlotKey1 {
    Time(u16),
    Interval(u32),
    Round(String),
}

impl Slot1 {
    pub(super) fn of(slot: &SlotId) -> Self {
        Self {
            version: slot.version.0,
            date: date(slot.date),
            key: match &slot.key {
                SlotKey::Time(time) => SlotKey1::Time(time.minutes()),
                SlotKey::Interval(number) => SlotKey1::Interval(*number),
                SlotKey::Round(id) => SlotKey1::Round(id.clone()),
            },
        }
    }

    pub(super) fn read(self) -> Option<SlotId> {
        Some(SlotId {
            version: VersionId(self.version),
            date: date_of(self.date)?,
            key: match self.key {
                SlotKey1::Time(minutes) => SlotKey::Time(TimeOfDay::from_minutes(minutes)?),
                SlotKey1::Interval(number) => SlotKey::Interval(number),
                SlotKey1::Round(id) => SlotKey::Round(id),
            },
        })
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct External1 {
    system: String,
    value: String,
}

pub(super) fn external(ids: &[ExternalId]) -> Vec<External1> {
    ids.iter().map(|id| External1 { system: id.system.clone(), value: id.value.clone() }).collect()
}

pub(super) fn external_of(ids: Vec<External1>) -> Vec<ExternalId> {
    ids.into_iter().map(|id| ExternalId { system: id.system, value: id.value }).collect()
}
