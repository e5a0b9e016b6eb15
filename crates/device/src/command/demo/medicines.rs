//! What the practice home's residents are prescribed, and its admission.

use super::people::{Lodger, RESIDENTS};
use super::play::Play;
use super::{at, say};
use crate::command::page::count;
use crate::command::{Fault, Output};
use chrono::{Datelike, Days as DayCount, NaiveDate};
use mar::command::{Ask, AskOrder, AskResident};
use mar::fact::Actor;
use mar::ids::{OrderId, ResidentId};
use mar::medicine::{CdCategory, Ingredient, Medicine};
use mar::order::{Content, Dose, Flags, Prn, Protocol, SameMeaning, Source, Stated};
use mar::quantity::{Amount, Quantity, Unit};
use mar::resident::{Allergies, Allergy, AllergyKind, Identity};
use mar::schedule::{Days, Schedule, TimeOfDay};
use mar::time::{Minutes, Timestamp, at_civil};

/// Admits everybody with their orders: the nurse writes, the senior checks a page at a time.
pub(super) fn admit(play: &mut Play, first: NaiveDate, out: &mut Output<'_>) -> Result<(), Fault> {
    let (nurse, senior) = (play.nurse(), play.senior());
    let mut orders = 0;
    for (number, lodger) in RESIDENTS.iter().enumerate() {
        let id = ResidentId(play.device.fresh());
        let identity = identity(lodger)?;
        play.ask_all(
            nurse,
            vec![
                Ask::Resident(id, AskResident::WriteIdentity(identity)),
                Ask::Resident(id, AskResident::WriteAllergies(allergies(lodger))),
            ],
        )?;
        let start = at_civil(play.zone, first, at(0, 0));
        let contents = orders_of(number, &Calendar { first, start, play })?;
        let mut written = Vec::new();
        for content in contents {
            let order = OrderId(play.device.fresh());
            written.push(Ask::Order(
                id,
                AskOrder::Write {
                    order,
                    content,
                    same_meaning: Some(SameMeaning::Same),
                    allergy_decided: None,
                    intended: None,
                    label_read: None,
                },
            ));
        }
        orders += written.len();
        play.ask_all(nurse, written)?;
        check_page(play, senior, id)?;
        play.residents.push(id);
    }
    say(
        out,
        format!(
            "  {} with {}, each written by one and checked by another.",
            count(RESIDENTS.len(), "resident"),
            count(orders, "order")
        ),
    );
    Ok(())
}

fn check_page(play: &mut Play, senior: Actor, id: ResidentId) -> Result<(), Fault> {
    let picture = play.device.picture();
    let versions = picture.residents.get(&id).map(|resident| {
        let lines = resident.orders.values().flat_map(|history| {
            history.versions().into_iter().map(|v| (history.id, v.version.id)).collect::<Vec<_>>()
        });
        lines.collect::<Vec<_>>()
    });
    let lines = versions.unwrap_or_default();
    play.ask_all(senior, vec![Ask::Resident(id, AskResident::CheckPage(lines))])?;
    Ok(())
}

fn identity(lodger: &Lodger) -> Result<Identity, Fault> {
    let mut identity = Identity::named(lodger.family, lodger.given);
    identity.known_as = lodger.known_as.map(str::to_owned);
    identity.title = Some(lodger.title.to_owned());
    identity.born = lodger.born.parse().ok();
    let number = lodger.nhs_number.parse();
    identity.nhs_number = Some(number.map_err(|f| Fault::Unexpected(format!("{f}")))?);
    identity.unit = lodger.unit.to_owned();
    identity.room = lodger.room.to_owned();
    identity.how_i_take = lodger.how_i_take.to_owned();
    identity.thickener = lodger.thickener.map(str::to_owned);
    identity.gp = "Dr A Okoro, Elm Surgery, 01632 960 322".to_owned();
    identity.pharmacy = "Lane Pharmacy, 01632 960 411".to_owned();
    Ok(identity)
}

fn allergies(lodger: &Lodger) -> Allergies {
    if lodger.allergies.is_empty() {
        return Allergies::NoneKnown { by: "the resident and the GP".to_owned(), on: None };
    }
    let each = |(substance, reaction): &(&str, &str)| Allergy {
        substance: (*substance).to_owned(),
        code: None,
        reaction: Some((*reaction).to_owned()),
        kind: Some(AllergyKind::Allergy),
    };
    Allergies::Recorded(lodger.allergies.iter().map(each).collect())
}

/// The days that schedules hang on.
struct Calendar<'p> {
    first: NaiveDate,
    start: Timestamp,
    play: &'p Play,
}

impl Calendar<'_> {
    fn at(&self, hour: u32, minute: u32) -> Timestamp {
        at_civil(self.play.zone, self.first, at(hour, minute))
    }

    /// The weekday on which the weekly medicine falls due in the days that are played.
    fn weekday(&self) -> Days {
        Days::of(&[(self.first + DayCount::new(1)).weekday()])
    }

    fn other_weekday(&self) -> Days {
        Days::of(&[(self.first + DayCount::new(2)).weekday()])
    }
}

/// Name, form, strength and code of a product, and what one piece of it holds.
struct Product {
    name: &'static str,
    form: &'static str,
    strength: &'static str,
    dmd: Option<&'static str>,
    holds: &'static [(&'static str, &'static str, &'static str)],
    cd: CdCategory,
}

const fn product(
    name: &'static str,
    form: &'static str,
    strength: &'static str,
    dmd: Option<&'static str>,
    holds: &'static [(&'static str, &'static str, &'static str)],
) -> Product {
    Product { name, form, strength, dmd, holds, cd: CdCategory::None }
}

fn medicine(product: &Product, per: &str) -> Result<Medicine, Fault> {
    let mut ingredients = Vec::new();
    for (name, value, unit) in product.holds {
        let amount = Some(Amount::new(quantity(value)?, unit));
        let (name, per) = ((*name).to_owned(), Some(Unit::new(per)));
        ingredients.push(Ingredient { name, code: None, amount, per });
    }
    Ok(Medicine {
        name: product.name.to_owned(),
        form: Some(product.form.to_owned()),
        strength: Some(product.strength.to_owned()),
        dmd: product.dmd.map(str::to_owned),
        release: None,
        ingredients,
        cd: product.cd,
    })
}

fn quantity(text: &str) -> Result<Quantity, Fault> {
    text.parse().map_err(|fault: mar::quantity::QuantityFault| Fault::Unexpected(fault.to_string()))
}

fn fixed(value: &str, unit: &str) -> Result<Dose, Fault> {
    Ok(Dose::Fixed(Amount::new(quantity(value)?, unit)))
}

fn order(
    product: &Product,
    dose: Dose,
    schedule: Schedule,
    label: &str,
    calendar: &Calendar<'_>,
) -> Result<Content, Fault> {
    Ok(Content {
        medicine: medicine(product, dose.unit().as_str())?,
        route: "oral".to_owned(),
        dose,
        indication: None,
        instruction: None,
        schedule,
        start: calendar.start,
        stop: None,
        course_doses: None,
        source: Source::Label,
        label: Some(label.to_owned()),
        min_gap: None,
        flags: Flags::default(),
        limit_group: None,
    })
}

fn rounds(ids: &[&str]) -> Schedule {
    let rounds = ids.iter().map(|id| (*id).to_owned()).collect();
    Schedule::Rounds { rounds, days: Days::ALL }
}

fn clock_times(texts: &[&str], days: Days) -> Result<Schedule, Fault> {
    let times: Result<Vec<TimeOfDay>, _> = texts.iter().map(|t| t.parse()).collect();
    let times = times.map_err(|fault| Fault::Unexpected(format!("{fault}")))?;
    Ok(Schedule::Times { times, days })
}

fn when_required(interval: u32, most: Amount, what_for: &str, signs: &str) -> Schedule {
    Schedule::WhenRequired(Prn {
        min_interval: Stated::As(Minutes(interval)),
        max_24h: Stated::As(most),
        protocol: Protocol {
            what_for: what_for.to_owned(),
            signs: signs.to_owned(),
            can_ask: Some(true),
            choose: "one first, the second if it is no better after an hour".to_owned(),
            expected_effect: "better within an hour".to_owned(),
            try_first: "a change of position, a warm drink".to_owned(),
            call_prescriber_when: "needed every day for three days".to_owned(),
            ..Protocol::default()
        },
    })
}

const AMLODIPINE: Product = product(
    "Amlodipine 5mg tablets",
    "tablet",
    "5 mg",
    Some("319283006"),
    &[("amlodipine", "5", "mg")],
);
const ATORVASTATIN: Product = product(
    "Atorvastatin 20mg tablets",
    "tablet",
    "20 mg",
    Some("320030001"),
    &[("atorvastatin", "20", "mg")],
);
const APIXABAN: Product = product(
    "Apixaban 5mg tablets",
    "tablet",
    "5 mg",
    Some("703908001"),
    &[("apixaban", "5", "mg")],
);
const BISOPROLOL: Product = product(
    "Bisoprolol 2.5mg tablets",
    "tablet",
    "2.5 mg",
    Some("318605000"),
    &[("bisoprolol", "2.5", "mg")],
);
const FUROSEMIDE: Product = product(
    "Furosemide 40mg tablets",
    "tablet",
    "40 mg",
    Some("317972000"),
    &[("furosemide", "40", "mg")],
);
const MACROGOL: Product = product("Macrogol compound oral powder sachets", "sachet", "", None, &[]);
const CO_CARELDOPA: Product =
    product("Co-careldopa 25mg/100mg tablets", "tablet", "25 mg/100 mg", None, &[]);
const GTN: Product =
    product("Glyceryl trinitrate 400micrograms/dose pump sublingual spray", "spray", "", None, &[]);
const METFORMIN: Product = product(
    "Metformin 500mg tablets",
    "tablet",
    "500 mg",
    Some("325278007"),
    &[("metformin", "500", "mg")],
);
const RAMIPRIL: Product = product(
    "Ramipril 5mg capsules",
    "capsule",
    "5 mg",
    Some("318902004"),
    &[("ramipril", "5", "mg")],
);
const PARACETAMOL: Product = product(
    "Paracetamol 500mg tablets",
    "tablet",
    "500 mg",
    Some("322236009"),
    &[("paracetamol", "500", "mg")],
);
const FENTANYL: Product = Product {
    cd: CdCategory::Schedule2,
    ..product(
        "Fentanyl 12micrograms/hour transdermal patches",
        "patch",
        "12 micrograms/hour",
        Some("9752311000001101"),
        &[],
    )
};
const DIGOXIN: Product =
    product("Digoxin 125microgram tablets", "tablet", "125 micrograms", Some("317896006"), &[]);
const LACTULOSE: Product =
    product("Lactulose 3.1-3.7g/5ml oral solution", "oral solution", "", None, &[]);
const ORAL_MORPHINE: Product = Product {
    cd: CdCategory::Schedule5,
    ..product(
        "Morphine sulfate 10mg/5ml oral solution",
        "oral solution",
        "10 mg/5 ml",
        Some("36128311000001101"),
        &[("morphine", "2", "mg")],
    )
};
const ZOMORPH: Product = Product {
    cd: CdCategory::Schedule2,
    ..product(
        "Morphine 10mg modified-release capsules",
        "capsule",
        "10 mg",
        Some("36126411000001107"),
        &[("morphine", "10", "mg")],
    )
};
const SENNA: Product = product("Senna 7.5mg tablets", "tablet", "7.5 mg", None, &[]);
const LEVOTHYROXINE: Product = product(
    "Levothyroxine sodium 100microgram tablets",
    "tablet",
    "100 micrograms",
    Some("374296008"),
    &[],
);
const MIRTAZAPINE: Product = product(
    "Mirtazapine 15mg orodispersible tablets",
    "tablet",
    "15 mg",
    Some("375194009"),
    &[("mirtazapine", "15", "mg")],
);
const EMOLLIENT: Product = product("Emollient cream", "cream", "", None, &[]);
const METHOTREXATE: Product = product(
    "Methotrexate 2.5mg tablets",
    "tablet",
    "2.5 mg",
    Some("326874007"),
    &[("methotrexate", "2.5", "mg")],
);
const FOLIC_ACID: Product = product(
    "Folic acid 5mg tablets",
    "tablet",
    "5 mg",
    Some("327550006"),
    &[("folic acid", "5", "mg")],
);
const OMEPRAZOLE: Product = product(
    "Omeprazole 20mg gastro-resistant capsules",
    "capsule",
    "20 mg",
    Some("317291008"),
    &[("omeprazole", "20", "mg")],
);
const AMOXICILLIN: Product = product(
    "Amoxicillin 500mg capsules",
    "capsule",
    "500 mg",
    Some("323510009"),
    &[("amoxicillin", "500", "mg")],
);

/// The orders of one resident, by the place in the list.
fn orders_of(number: usize, c: &Calendar<'_>) -> Result<Vec<Content>, Fault> {
    match number {
        0..=3 => willow_first(number, c),
        4..=7 => middle(number, c),
        _ => rowan_last(number, c),
    }
}

/// Paracetamol when required: the one that is given on both sides of the cut.
fn paracetamol_prn(c: &Calendar<'_>) -> Result<Content, Fault> {
    let most = Amount::new(quantity("8")?, "tablet");
    let schedule = when_required(240, most, "pain", "holds the knee, does not want to walk");
    let dose = Dose::Range { from: quantity("1")?, to: quantity("2")?, unit: Unit::new("tablet") };
    let label = "Take ONE or TWO every 4 to 6 hours when required. Maximum 8 in 24 hours";
    let order = order(&PARACETAMOL, dose, schedule, label, c)?;
    Ok(Content { indication: Some("pain".to_owned()), ..order })
}

fn willow_first(number: usize, c: &Calendar<'_>) -> Result<Vec<Content>, Fault> {
    let one = || fixed("1", "tablet");
    Ok(match number {
        0 => vec![
            order(&AMLODIPINE, one()?, rounds(&["morning"]), "Take ONE each morning", c)?,
            order(&ATORVASTATIN, one()?, rounds(&["bedtime"]), "Take ONE at night", c)?,
            paracetamol_prn(c)?,
        ],
        1 => {
            let sachets =
                Dose::Range { from: quantity("1")?, to: quantity("2")?, unit: Unit::new("sachet") };
            let mut apixaban =
                order(&APIXABAN, one()?, rounds(&["morning", "tea"]), "Take ONE twice a day", c)?;
            apixaban.flags.anticoagulant = true;
            let alternate = Schedule::EveryDays {
                n: 2,
                anchor: c.first,
                times: vec![TimeOfDay::new(8, 0).unwrap_or_else(morning)],
            };
            vec![
                apixaban,
                order(&BISOPROLOL, one()?, rounds(&["morning"]), "Take ONE each morning", c)?,
                order(&FUROSEMIDE, one()?, alternate, "Take ONE on alternate mornings", c)?,
                order(&MACROGOL, sachets, rounds(&["morning"]), "ONE or TWO sachets each day", c)?,
            ]
        }
        2 => {
            let times = clock_times(&["07:00", "11:00", "15:00", "19:00"], Days::ALL)?;
            let mut careldopa =
                order(&CO_CARELDOPA, one()?, times, "Take ONE four times a day", c)?;
            careldopa.flags.time_critical = true;
            careldopa.indication = Some("Parkinson’s disease".to_owned());
            vec![careldopa, glyceryl_trinitrate(c)?]
        }
        _ => {
            let mut metformin =
                order(&METFORMIN, one()?, rounds(&["morning", "tea"]), "Take ONE twice a day", c)?;
            metformin.instruction = Some("With or just after food".to_owned());
            let capsule = fixed("1", "capsule")?;
            vec![
                metformin,
                order(&RAMIPRIL, capsule, rounds(&["morning"]), "Take ONE each day", c)?,
                paracetamol_prn(c)?,
            ]
        }
    })
}

/// A rescue medicine, with a protocol of its own.
fn glyceryl_trinitrate(c: &Calendar<'_>) -> Result<Content, Fault> {
    let schedule = Schedule::WhenRequired(Prn {
        min_interval: Stated::As(Minutes(5)),
        max_24h: Stated::As(Amount::new(quantity("3")?, "spray")),
        protocol: Protocol {
            what_for: "chest pain".to_owned(),
            signs: "grey, sweating, holds the chest".to_owned(),
            can_ask: Some(true),
            choose: String::new(),
            expected_effect: "the pain goes within five minutes".to_owned(),
            check_after: Some(Minutes(5)),
            try_first: "sit him down and stay with him".to_owned(),
            call_prescriber_when: "it was needed at all".to_owned(),
            review: String::new(),
        },
    });
    let label = "ONE spray under the tongue when required, again after 5 minutes";
    let mut gtn = order(&GTN, fixed("1", "spray")?, schedule, label, c)?;
    gtn.route = "sublingual".to_owned();
    gtn.flags.rescue = true;
    gtn.indication = Some("chest pain".to_owned());
    gtn.instruction = Some("Pain that three sprays do not end: call 999".to_owned());
    Ok(gtn)
}

/// Half past seven, where a time could not be made.
fn morning() -> TimeOfDay {
    TimeOfDay::from_minutes(450).unwrap_or_else(|| unreachable!("450 minutes are a time of day"))
}

fn middle(number: usize, c: &Calendar<'_>) -> Result<Vec<Content>, Fault> {
    let one = || fixed("1", "tablet");
    Ok(match number {
        4 => {
            let hours = Schedule::EveryHours { n: 72, anchor: c.at(10, 0) };
            let mut patch =
                order(&FENTANYL, fixed("1", "patch")?, hours, "Apply ONE every 72 hours", c)?;
            patch.route = "transdermal".to_owned();
            patch.indication = Some("pain".to_owned());
            vec![
                patch,
                order(&AMLODIPINE, one()?, rounds(&["morning"]), "Take ONE each morning", c)?,
                paracetamol_prn(c)?,
            ]
        }
        5 => {
            let mut digoxin =
                order(&DIGOXIN, one()?, rounds(&["morning"]), "Take ONE each morning", c)?;
            digoxin.instruction = Some("Take the pulse first".to_owned());
            let night = rounds(&["bedtime"]);
            vec![digoxin, order(&ATORVASTATIN, one()?, night, "Take ONE at night", c)?]
        }
        6 => {
            let most = Amount::new(quantity("30")?, "ml");
            let mut morphine = order(
                &ORAL_MORPHINE,
                Dose::Range { from: quantity("2.5")?, to: quantity("5")?, unit: Unit::new("ml") },
                when_required(240, most, "pain when moved", "cries out, grips the rail"),
                "2.5ml to 5ml every four hours when required",
                c,
            )?;
            morphine.indication = Some("pain when moved".to_owned());
            let twice = rounds(&["morning", "bedtime"]);
            vec![order(&LACTULOSE, fixed("15", "ml")?, twice, "15ml twice a day", c)?, morphine]
        }
        _ => {
            let twelve = clock_times(&["08:00", "20:00"], Days::ALL)?;
            let mut zomorph = order(
                &ZOMORPH,
                fixed("1", "capsule")?,
                twelve,
                "Take ONE every 12 hours. Swallow whole",
                c,
            )?;
            zomorph.min_gap = Some(Minutes(8 * 60));
            let two = fixed("2", "tablet")?;
            vec![zomorph, order(&SENNA, two, rounds(&["bedtime"]), "Take TWO at night", c)?]
        }
    })
}

fn rowan_last(number: usize, c: &Calendar<'_>) -> Result<Vec<Content>, Fault> {
    let one = || fixed("1", "tablet");
    Ok(match number {
        8 => {
            let early = clock_times(&["07:00"], Days::ALL)?;
            let mut levothyroxine =
                order(&LEVOTHYROXINE, one()?, early, "Take ONE each morning before breakfast", c)?;
            levothyroxine.instruction = Some("Before breakfast, with water only".to_owned());
            let morning = rounds(&["morning"]);
            vec![levothyroxine, order(&BISOPROLOL, one()?, morning, "Take ONE each morning", c)?]
        }
        9 => {
            let mut cream = order(
                &EMOLLIENT,
                fixed("1", "application")?,
                rounds(&["morning", "bedtime"]),
                "Apply to both legs twice a day",
                c,
            )?;
            cream.route = "topical".to_owned();
            cream.flags.topical = true;
            let night = rounds(&["bedtime"]);
            vec![order(&MIRTAZAPINE, one()?, night, "Take ONE at night", c)?, cream]
        }
        10 => {
            let weekly = clock_times(&["09:00"], c.weekday())?;
            let folic = clock_times(&["09:00"], c.other_weekday())?;
            let four = fixed("4", "tablet")?;
            let capsule = fixed("1", "capsule")?;
            let label = "Take FOUR tablets (10mg) ONCE A WEEK";
            vec![
                order(&METHOTREXATE, four, weekly, label, c)?,
                order(&FOLIC_ACID, one()?, folic, "Take ONE once a week", c)?,
                order(&OMEPRAZOLE, capsule, rounds(&["morning"]), "Take ONE each morning", c)?,
            ]
        }
        _ => {
            let times = clock_times(&["08:00", "12:30", "17:30", "22:00"], Days::ALL)?;
            let capsule = fixed("1", "capsule")?;
            let thrice = rounds(&["morning", "lunch", "bedtime"]);
            let mut course = order(&AMOXICILLIN, capsule, thrice, "Take ONE three times a day", c)?;
            course.course_doses = Some(21);
            course.indication = Some("chest infection".to_owned());
            let two = fixed("2", "tablet")?;
            vec![order(&PARACETAMOL, two, times, "Take TWO four times a day", c)?, course]
        }
    })
}
