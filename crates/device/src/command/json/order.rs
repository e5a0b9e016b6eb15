//! An order as JSON (O-01): what `order add` takes and `order show` gives back.

use super::schedule::{ScheduleFault, instant};
use super::{Misfit, Place, dose, read_schedule, schedule_to_json};
use crate::command::Fault;
use mar::medicine::{CdCategory, Ingredient, Medicine};
use mar::order::{Content, Flags, Source};
use mar::quantity::{Amount, Unit};
use mar::time::{Minutes, Tz};
use serde::Deserialize;
use serde_json::{Value, json};

/// An order as `order add` takes it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrderShape {
    /// The resident's id.
    pub resident: String,
    medicine: MedicineShape,
    route: String,
    dose: Value,
    indication: Option<String>,
    instruction: Option<String>,
    schedule: Value,
    start: String,
    stop: Option<String>,
    course_doses: Option<u32>,
    source: String,
    label: Option<String>,
    min_gap_minutes: Option<u32>,
    #[serde(default)]
    flags: Vec<String>,
    limit_group: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct MedicineShape {
    name: String,
    form: Option<String>,
    strength: Option<String>,
    dmd: Option<String>,
    release: Option<String>,
    #[serde(default)]
    ingredients: Vec<IngredientShape>,
    cd_category: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct IngredientShape {
    name: String,
    code: Option<String>,
    amount: Option<String>,
    unit: Option<String>,
    per: Option<String>,
}

const SOURCES: [(Source, &str); 5] = [
    (Source::Label, "label"),
    (Source::DischargeLetter, "discharge-letter"),
    (Source::PrescriberMessage, "prescriber-message"),
    (Source::GpRecord, "gp-record"),
    (Source::Spoken, "spoken"),
];

const FLAGS: [&str; 4] = ["time-critical", "topical", "anticoagulant", "insulin"];

impl OrderShape {
    /// Returns what the order says. `name` is the file's in messages.
    ///
    /// # Errors
    /// With the field that does not fit, or the kind of schedule that cannot be had yet.
    pub fn content(&self, name: &str, place: Place) -> Result<Content, Fault> {
        let misfit = |m: Misfit| Fault::unreadable(name, m);
        let (schedule, rescue) =
            read_schedule(&self.schedule, place).map_err(|fault| match fault {
                ScheduleFault::Misfit(m) => misfit(m),
                ScheduleFault::NotYet(refusal) => Fault::Refused(refusal.into()),
            })?;
        let start = instant("start", &self.start, place).map_err(misfit)?;
        let stop = self.stop.as_deref().map(|text| instant("stop", text, place));
        Ok(Content {
            medicine: self.medicine().map_err(misfit)?,
            route: self.route.trim().to_owned(),
            dose: super::amount::read_dose(&self.dose).map_err(misfit)?,
            indication: self.indication.clone(),
            instruction: self.instruction.clone(),
            schedule,
            start,
            stop: stop.transpose().map_err(misfit)?,
            course_doses: self.course_doses,
            source: self.source().map_err(misfit)?,
            label: self.label.clone(),
            min_gap: self.min_gap_minutes.map(Minutes),
            flags: self.flags(rescue).map_err(misfit)?,
            limit_group: self.limit_group.clone(),
        })
    }

    fn source(&self) -> Result<Source, Misfit> {
        let found = SOURCES.iter().find(|(_, word)| *word == self.source);
        found.map(|(source, _)| *source).ok_or_else(|| {
            let words: Vec<&str> = SOURCES.iter().map(|(_, word)| *word).collect();
            let what = format!("`{}`: one of {} was expected", self.source, words.join(", "));
            Misfit::new("source", what)
        })
    }

    fn flags(&self, rescue: bool) -> Result<Flags, Misfit> {
        let mut flags = Flags { rescue, ..Flags::default() };
        for (at, flag) in self.flags.iter().enumerate() {
            match flag.as_str() {
                "time-critical" => flags.time_critical = true,
                "topical" => flags.topical = true,
                "anticoagulant" => flags.anticoagulant = true,
                "insulin" => flags.insulin = true,
                other => {
                    let what = format!("`{other}`: one of {} was expected", FLAGS.join(", "));
                    return Err(Misfit::new(format!("flags[{at}]"), what));
                }
            }
        }
        Ok(flags)
    }

    fn medicine(&self) -> Result<Medicine, Misfit> {
        let shape = &self.medicine;
        // What is not stated stays unknown, and the order is refused until it is (O-01).
        let cd = shape.cd_category.as_deref().map_or(Ok(CdCategory::Unknown), |cd| {
            CdCategory::from_code(cd).ok_or_else(|| {
                let what = format!("`{cd}`: one of {} was expected", CdCategory::choices());
                Misfit::new("medicine.cd_category", what)
            })
        })?;
        let ingredients = shape.ingredients.iter().enumerate();
        Ok(Medicine {
            name: shape.name.trim().to_owned(),
            form: shape.form.clone(),
            strength: shape.strength.clone(),
            dmd: shape.dmd.clone(),
            release: shape.release.clone(),
            ingredients: ingredients.map(read_ingredient).collect::<Result<_, _>>()?,
            cd,
        })
    }
}

fn read_ingredient((at, shape): (usize, &IngredientShape)) -> Result<Ingredient, Misfit> {
    let path = |field: &str| format!("medicine.ingredients[{at}].{field}");
    let amount = match (&shape.amount, &shape.unit) {
        (Some(value), Some(unit)) => {
            let value = value.parse().map_err(|fault| Misfit::new(path("amount"), fault))?;
            Some(Amount { value, unit: Unit::new(unit) })
        }
        (None, None) => None,
        (Some(_), None) => return Err(Misfit::new(path("unit"), "an amount needs its unit")),
        (None, Some(_)) => return Err(Misfit::new(path("amount"), "a unit needs its amount")),
    };
    Ok(Ingredient {
        name: shape.name.clone(),
        code: shape.code.clone(),
        amount,
        per: shape.per.as_deref().map(Unit::new),
    })
}

/// Returns a medicine as JSON.
#[must_use]
pub fn medicine_to_json(medicine: &Medicine) -> Value {
    let ingredients: Vec<Value> = medicine
        .ingredients
        .iter()
        .map(|i| {
            let mut shape = json!({ "name": i.name });
            if let Some(code) = &i.code {
                shape["code"] = json!(code);
            }
            if let Some(each) = &i.amount {
                shape["amount"] = json!(each.value.to_string());
                shape["unit"] = json!(each.unit.as_str());
            }
            if let Some(per) = &i.per {
                shape["per"] = json!(per.as_str());
            }
            shape
        })
        .collect();
    let mut shape = json!({
        "name": medicine.name,
        "form": medicine.form,
        "strength": medicine.strength,
        "dmd": medicine.dmd,
        "ingredients": ingredients,
        "cd_category": (medicine.cd != CdCategory::Unknown).then(|| medicine.cd.to_string()),
    });
    if let Some(release) = &medicine.release {
        shape["release"] = json!(release);
    }
    shape
}

/// Returns what an order says as JSON, in the shape that `order add` takes, without the resident.
#[must_use]
pub fn content_to_json(content: &Content, zone: Tz) -> Value {
    let source = SOURCES.iter().find(|(source, _)| *source == content.source);
    let flags: Vec<&str> = [
        content.flags.time_critical,
        content.flags.topical,
        content.flags.anticoagulant,
        content.flags.insulin,
    ]
    .into_iter()
    .zip(FLAGS)
    .filter_map(|(set, word)| set.then_some(word))
    .collect();
    json!({
        "medicine": medicine_to_json(&content.medicine),
        "route": content.route,
        "dose": dose(&content.dose),
        "indication": content.indication,
        "instruction": content.instruction,
        "schedule": schedule_to_json(&content.schedule, content.flags, zone),
        "start": content.start.rfc3339(zone),
        "stop": content.stop.map(|stop| stop.rfc3339(zone)),
        "course_doses": content.course_doses,
        "source": source.map(|(_, word)| *word),
        "label": content.label,
        "min_gap_minutes": content.min_gap.map(|gap| gap.0),
        "flags": flags,
        "limit_group": content.limit_group,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place() -> Place {
        let settings = mar::settings::Settings::new("-", chrono::NaiveDate::default());
        Place { zone: settings.zone, today: "2026-11-21".parse().unwrap() }
    }

    /// The example of the command line's manual.
    fn paracetamol() -> Value {
        json!({
            "resident": "ID",
            "medicine": {
                "name": "Paracetamol 500mg tablets", "form": "tablet", "strength": "500 mg",
                "dmd": "322236009",
                "ingredients": [
                    {"name": "paracetamol", "amount": "500", "unit": "mg", "per": "tablet"}
                ],
                "cd_category": "0000"
            },
            "route": "oral", "dose": {"value": "2", "unit": "tablet"}, "indication": "pain",
            "start": "2026-11-21T00:00:00+00:00", "stop": null, "source": "label",
            "label": "Take TWO four times a day",
            "schedule": {"kind": "times", "times": ["08:00", "12:00", "18:00", "22:00"]}
        })
    }

    fn read(value: Value) -> Result<Content, Fault> {
        let shape: OrderShape = crate::command::json::read_value("order.json", value)?;
        shape.content("order.json", place())
    }

    #[test]
    fn an_order_reads_back_from_what_show_gives() {
        let content = read(paracetamol()).unwrap();
        let mut shown = content_to_json(&content, place().zone);
        shown["resident"] = json!("ID");
        for (field, value) in paracetamol().as_object().unwrap() {
            assert_eq!(shown.get(field), Some(value), "{field}");
        }
        assert_eq!(read(shown).unwrap(), content);
    }

    #[test]
    fn flags_gap_and_course_read_back_too() {
        let mut order = paracetamol();
        order["flags"] = json!(["time-critical", "anticoagulant"]);
        order["min_gap_minutes"] = json!(240);
        order["course_doses"] = json!(21);
        order["limit_group"] = json!("paracetamol");
        order["stop"] = json!("2026-11-28");
        let content = read(order).unwrap();
        assert!(content.flags.time_critical && content.flags.anticoagulant);
        let mut shown = content_to_json(&content, place().zone);
        shown["resident"] = json!("ID");
        assert_eq!(read(shown).unwrap(), content);
    }

    #[test]
    fn what_does_not_fit_is_an_error_that_names_the_field() {
        #[track_caller]
        fn check(field: &str, value: Value, expected: &str) {
            let mut order = paracetamol();
            order[field] = value;
            let fault = read(order).unwrap_err();
            assert_eq!(fault.exit_code(), 4, "{fault}");
            assert!(fault.to_string().contains(expected), "{fault}");
        }
        check("frequency", json!("daily"), "no field `frequency`");
        check("source", json!("memory"), "source");
        check("start", json!("soon"), "start");
        check("flags", json!(["rescue"]), "flags[0]");
        check("dose", json!("2 tablets"), "dose");
        check("medicine", json!({"name": "A", "cd_category": "0099"}), "medicine.cd_category");
        check(
            "medicine",
            json!({"name": "A", "ingredients": [{"name": "a", "amount": "1"}]}),
            "medicine.ingredients[0].unit",
        );
        check("medicine", json!({"name": "A", "brand": "B"}), "no field `brand`");
    }

    #[test]
    fn a_schedule_that_cannot_be_had_yet_is_refused_and_not_unreadable() {
        let mut order = paracetamol();
        order["schedule"] = json!({"kind": "taper", "steps": []});
        let fault = read(order).unwrap_err();
        assert_eq!(fault.exit_code(), 3);
    }
}
