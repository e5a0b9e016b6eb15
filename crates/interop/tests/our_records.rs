//! Records that we wrote ourselves: one per resident as a GP's system sends it, and one as a
//! hospital sends it at discharge, in JSON and in XML.

use std::path::{Path, PathBuf};

use chrono::{NaiveDate, NaiveTime};
use interop::dose_syntax::Start;
use interop::fhir::{
    self, AllergyState, Course, Flag, Import, Place, ProposedOrder, ProposedResident, Release,
    Status, Syntax, Why,
};
use mar::order::{Dose, Grade};
use mar::quantity::{Amount, Quantity};
use mar::resident::{Allergies, Allergy};
use mar::schedule::{Schedule, TimeOfDay};
use mar::settings::Round;
use mar::time::{Tz, at_civil};

const LONDON: Tz = Tz::Europe__London;

fn today() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 11, 21).expect("a day")
}

fn path(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/fhir").join(file)
}

fn bytes(file: &str) -> Vec<u8> {
    std::fs::read(path(file)).expect("a fixture of ours")
}

#[track_caller]
fn import(file: &str) -> Import {
    fhir::read(file, &bytes(file), today()).expect("a record of ours")
}

#[track_caller]
fn only(import: &Import) -> &ProposedResident {
    assert_eq!(import.residents.len(), 1);
    &import.residents[0]
}

#[track_caller]
fn order<'a>(resident: &'a ProposedResident, begins: &str) -> &'a ProposedOrder {
    let mut found = resident.orders.iter().filter(|o| o.medicine.name.starts_with(begins));
    let order = found.next().expect("the order");
    assert!(found.next().is_none(), "{begins} is there twice");
    order
}

const GP_RECORDS: [(&str, &str, usize, usize); 4] = [
    ("gp-connect-zoe.json", "Mrs Zoë Margaret Hartley-Pryce", 7, 6),
    ("gp-connect-sian.json", "Miss Siân Llewellyn", 8, 7),
    ("gp-connect-lukasz.json", "Mr Łukasz Jan Wiśniewski", 10, 10),
    ("gp-connect-muhammad.json", "Mr محمد الأحمد", 8, 8),
];

#[test]
fn every_medicine_of_a_gp_record_is_proposed_once() {
    for (file, name, orders, active) in GP_RECORDS {
        let import = import(file);
        let resident = only(&import);
        assert_eq!(import.release, Release::Stu3);
        assert_eq!(resident.name().as_deref(), Some(name));
        assert_eq!(resident.orders.len(), orders, "{file}");
        assert_eq!(resident.active().count(), active, "{file}");
        assert_eq!(import.skipped, [], "{file}");
        let identity = resident.identity();
        assert!(identity.nhs_number.is_some() && identity.born.is_some(), "{file}");
        assert_eq!(identity.gp, "Dr Adaeze Okonjo, Hollybank Lane Surgery");
    }
}

#[test]
fn importing_again_gives_the_same_keys_whatever_the_order_in_the_file() {
    for (file, ..) in GP_RECORDS {
        let first = import(file);
        assert_eq!(first, import(file));
        let mut record: serde_json::Value = serde_json::from_slice(&bytes(file)).expect("json");
        record["entry"].as_array_mut().expect("entries").reverse();
        let turned = fhir::read(file, record.to_string().as_bytes(), today()).expect("read");
        let keys = |import: &Import| {
            let mut keys: Vec<_> = only(import).orders.iter().map(|o| o.key.clone()).collect();
            keys.sort();
            keys
        };
        assert_eq!(keys(&first), keys(&turned), "{file}");
    }
}

#[test]
fn what_the_sender_says_of_allergies_is_never_made_into_none() {
    let zoe = import("gp-connect-zoe.json");
    let rash = Allergy {
        substance: "Penicillin".to_owned(),
        code: Some("91936005".to_owned()),
        reaction: Some("Rash, moderate; Widespread rash with amoxicillin, June 2019".to_owned()),
        kind: None,
    };
    assert_eq!(only(&zoe).known_allergies(), Allergies::Recorded(vec![rash]));

    let sian = import("gp-connect-sian.json");
    let AllergyState::NoneKnown { as_sent, on } = &only(&sian).allergies.state else {
        panic!("{:?}", only(&sian).allergies.state)
    };
    assert_eq!(as_sent, "No known allergies");
    assert_eq!(on.as_ref().and_then(|on| on.day), NaiveDate::from_ymd_opt(2019, 6, 4));

    let lukasz = import("gp-connect-lukasz.json");
    let not_recorded = AllergyState::NotRecorded { as_sent: "No Content Recorded".to_owned() };
    assert_eq!(only(&lukasz).allergies.state, not_recorded);
    assert_eq!(only(&lukasz).known_allergies(), Allergies::NotAsked);

    let ngozi = import("discharge-ngozi.xml");
    let allergies = &only(&ngozi).allergies;
    assert_eq!(allergies.listed[0].substance, "Amoxicillin");
    assert_eq!(allergies.apart[0].substance, "Strawberries", "it was refuted");

    // The nut allergy holds; the aspirin one ended and is kept apart, with when and why.
    let muhammad = import("gp-connect-muhammad.json");
    let allergies = &only(&muhammad).allergies;
    assert_eq!(allergies.state, AllergyState::Listed);
    assert_eq!(allergies.listed.len(), 1);
    assert_eq!(allergies.apart[0].substance, "Aspirin intolerance");
    let ended = allergies.apart[0].ended.as_deref();
    assert_eq!(ended, Some("2021-02-01, Taken since without trouble"));
}

#[test]
fn two_medicines_with_one_degraded_code_stay_two() {
    let import = import("gp-connect-lukasz.json");
    let vitamin = order(only(&import), "Vitamin D 800unit capsules");
    let cream = order(only(&import), "Barrier cream");
    for order in [vitamin, cream] {
        assert!(order.flags.contains(&Flag::Degraded) && order.flags.contains(&Flag::Uncoded));
        assert!(!order.flags.contains(&Flag::SameMedicineTwice));
    }
    assert_ne!(vitamin.key, cream.key);
    let tape = order(only(&import), "Micropore tape");
    assert!(tape.flags.contains(&Flag::NotAMedicine));
}

#[test]
fn a_medicine_that_is_active_twice_is_listed_twice_and_flagged() {
    let import = import("gp-connect-muhammad.json");
    let orders = &only(&import).orders;
    let twice = orders.iter().filter(|order| order.flags.contains(&Flag::SameMedicineTwice));
    let names: Vec<&str> = twice.map(|order| order.medicine.name.as_str()).collect();
    assert_eq!(names, ["Zopiclone 3.75mg tablets", "Zopiclone 3.75mg tablets"]);
}

#[test]
fn a_plan_that_says_another_dose_than_the_statement_refuses_both() {
    let import = import("gp-connect-muhammad.json");
    let aspirin = order(only(&import), "Aspirin");
    assert_eq!(aspirin.dosages[0].text.as_deref(), Some("One To Be Taken Each Day"));
    assert_eq!(aspirin.other_directions, ["One To Be Taken Twice A Day"]);
    assert!(aspirin.flags.contains(&Flag::DirectionsDiffer));
    let proposal = proposal(aspirin);
    assert_eq!(proposal.grade, Grade::Refused);
    assert_eq!((proposal.dose, proposal.schedule), (None, None));
    assert_eq!(proposal.words, ["One To Be Taken Each Day", "One To Be Taken Twice A Day"]);
}

#[test]
fn status_course_dates_and_issues_come_from_statement_plan_and_issues() {
    let import = import("gp-connect-zoe.json");
    let amoxicillin = order(only(&import), "Amoxicillin");
    assert_eq!(amoxicillin.status, Status::Stopped);
    assert_eq!(amoxicillin.course, Course::Acute);
    assert_eq!(amoxicillin.end.as_ref().map(|end| end.as_sent.as_str()), Some("2019-06-04"));
    let amlodipine = order(only(&import), "Amlodipine");
    assert_eq!(amlodipine.course, Course::Repeat);
    assert_eq!(amlodipine.issues, 3);
    let date = |date: &Option<fhir::SentDate>| date.as_ref().and_then(|date| date.day);
    assert_eq!(date(&amlodipine.last_issue), NaiveDate::from_ymd_opt(2026, 11, 18));
    assert_eq!(date(&amlodipine.review), NaiveDate::from_ymd_opt(2027, 2, 28));
    assert_eq!(amlodipine.quantity.as_deref(), Some("28 tablet"));
    assert_eq!(amlodipine.flags, []);
    let prescriber = "Dr Adaeze Okonjo, Hollybank Lane Surgery";
    assert_eq!(amlodipine.prescriber.as_deref(), Some(prescriber));
    let agency = amlodipine.kept["MedicationStatement"]["extension"].to_string();
    assert!(agency.contains("prescribed-at-gp-practice"), "extensions are kept for export");
}

fn rounds() -> Vec<Round> {
    let round = |id: &str, hour: u8| Round {
        id: id.to_owned(),
        name: id.to_owned(),
        start: TimeOfDay::new(hour, 0).expect("a time"),
        cut_off: TimeOfDay::new(hour + 1, 0).expect("a time"),
    };
    vec![round("morning", 8), round("lunch", 12), round("tea", 17), round("bedtime", 21)]
}

fn proposal(order: &ProposedOrder) -> mar::order::Proposal {
    let at = at_civil(LONDON, today(), NaiveTime::MIN);
    order.proposal(&rounds(), LONDON, &Start { date: today(), at })
}

#[test]
fn clear_words_become_a_dose_and_a_schedule_that_a_person_confirms() {
    let import = import("gp-connect-zoe.json");
    let statin = proposal(order(only(&import), "Atorvastatin"));
    assert_eq!(statin.grade, Grade::Clear);
    assert_eq!(statin.words, ["One To Be Taken At Night"]);
    assert_eq!(statin.dose, Some(Dose::Fixed(Amount::new(Quantity::whole(1), "tablet"))));
    let Some(Schedule::Rounds { rounds, .. }) = &statin.schedule else { panic!("{statin:?}") };
    assert_eq!(rounds, &["bedtime"]);
    assert_eq!(statin.medicine.dmd.as_deref(), Some("320030001"));
    assert_eq!(statin.external[0].system, "medround-import-key");
}

#[test]
fn words_to_the_patient_move_the_time_of_day() {
    let import = import("gp-connect-sian.json");
    let furosemide = proposal(order(only(&import), "Furosemide"));
    assert_eq!(furosemide.words, ["One To Be Taken Each Day. Take in the morning"]);
    let Some(Schedule::Rounds { rounds, .. }) = &furosemide.schedule else {
        panic!("{furosemide:?}")
    };
    assert_eq!(rounds, &["morning"]);
}

#[test]
fn json_and_xml_of_one_record_give_the_same_proposals() {
    let json = import("discharge-ngozi.json");
    let xml = import("discharge-ngozi.xml");
    assert_eq!((json.syntax, xml.syntax), (Syntax::Json, Syntax::Xml));
    assert_eq!(json.residents, xml.residents);
    assert_eq!(json.skipped, xml.skipped);
    assert_eq!(json.warnings, xml.warnings);
}

#[test]
fn every_form_of_reference_leads_to_its_medicine() {
    let import = import("discharge-ngozi.xml");
    let names: Vec<&str> = only(&import).orders.iter().map(|o| o.medicine.name.as_str()).collect();
    let expected = [
        "Bisoprolol 2.5mg tablets",
        "Paracetamol 500mg tablets",
        "Warfarin 1mg tablets",
        "Methotrexate 2.5mg tablets",
        "Amoxicillin 250mg capsules",
        "Glucosamine 1500 mg, bought over the counter",
    ];
    assert_eq!(names, expected);
    let bisoprolol = order(only(&import), "Bisoprolol");
    assert_eq!(bisoprolol.issues, 1, "the dispensing is its history and no second order");
    assert_eq!(bisoprolol.labels, ["ONE to be taken each MORNING"]);
    assert_eq!(proposal(bisoprolol).grade, Grade::Partial, "the label is to be compared");
    let prescriber = "Dr Tomasz Nowak, Hollybank General Hospital";
    assert_eq!(bisoprolol.prescriber.as_deref(), Some(prescriber));
    let paracetamol = order(only(&import), "Paracetamol");
    assert_eq!(paracetamol.medicine.ingredients, ["Paracetamol 500 mg/1 tablet"]);
}

#[test]
fn weekly_words_with_daily_codes_are_refused_with_both_shown() {
    let import = import("discharge-ngozi.json");
    let methotrexate = order(only(&import), "Methotrexate");
    assert!(methotrexate.flags.contains(&Flag::WordsAndCodesDisagree));
    let proposal = proposal(methotrexate);
    assert_eq!(proposal.grade, Grade::Refused);
    assert_eq!(proposal.schedule, None);
    let both = "the words say every week, the structure once a day";
    assert!(proposal.remarks.iter().any(|remark| remark == both), "{:?}", proposal.remarks);
}

#[test]
fn an_order_not_to_give_something_never_becomes_an_order() {
    let import = import("discharge-ngozi.json");
    let [skipped] = import.skipped.as_slice() else { panic!("{:?}", import.skipped) };
    assert_eq!(skipped.place, "Bundle.entry[12].resource");
    assert!(skipped.why.contains("not given"), "{}", skipped.why);
}

#[track_caller]
fn refused(record: &str) -> (Place, Why) {
    let refused = fhir::read("record", record.as_bytes(), today()).expect_err("refused");
    (refused.place, refused.why)
}

#[test]
fn a_file_that_is_no_record_is_refused_with_place_and_reason() {
    let at = |line, column| Place::Text { line, column };
    let (place, why) = refused("\n {\"medicine\": 1}");
    assert_eq!(place, at(2, 2));
    assert!(matches!(why, Why::NotFhir { .. }), "{why}");
    let (place, why) = refused("{\"resourceType\": \"Teapot\"}");
    assert_eq!(place, at(1, 1));
    assert!(why.to_string().contains("found `Teapot`"), "{why}");
    let five = r#"{"resourceType": "Bundle", "entry": [{"resource": {"resourceType":
        "MedicationRequest", "medication": {"concept": {"text": "Senna"}}}}]}"#;
    let (place, why) = refused(five);
    assert_eq!(place, Place::Path("Bundle.entry[0].resource.medication".to_owned()));
    assert!(why.to_string().starts_with("FHIR R5 is not supported"), "{why}");
    let sorry = r#"{"resourceType": "OperationOutcome", "issue": [{"diagnostics": "no consent"}]}"#;
    let (_, why) = refused(sorry);
    assert_eq!(why, Why::SenderFailed { said: "no consent".to_owned() });
}

#[test]
fn a_bad_entry_is_a_row_and_the_others_are_taken() {
    let record = r#"{"resourceType": "Bundle", "entry": [
        17,
        {"fullUrl": "urn:uuid:1"},
        {"resource": {"id": "nothing"}},
        {"resource": {"resourceType": "Patient", "id": "p", "name": "Gladys", "birthDate": 1938}},
        {"resource": {"resourceType": "MedicationStatement", "id": "s", "status": 3,
            "subject": {"reference": "Patient/p"}, "dosage": ["each day"],
            "medicationCodeableConcept": {"text": "Senna"}}},
        {"resource": {"resourceType": "MedicationStatement", "id": "t",
            "status": "entered-in-error", "subject": {"reference": "Patient/p"}}},
        {"resource": {"resourceType": "Observation", "id": "o"}}]}"#;
    let import = fhir::read("record", record.as_bytes(), today()).expect("read");
    let rows: Vec<&str> = import.skipped.iter().map(|row| row.place.as_str()).collect();
    let expected = [
        "Bundle.entry[0]",
        "Bundle.entry[1].resource",
        "Bundle.entry[2].resource",
        "Bundle.entry[5].resource",
        "Bundle.entry[6].resource",
    ];
    assert_eq!(rows, expected);
    let senna = order(only(&import), "Senna");
    assert_eq!(senna.status, Status::Unknown);
    assert!(senna.flags.contains(&Flag::NoDirections));
    let places: Vec<&str> = import.warnings.iter().map(|notice| notice.place.as_str()).collect();
    for place in ["name", "birthDate"] {
        let path = format!("Bundle.entry[3].resource.{place}");
        assert!(places.contains(&path.as_str()), "{path} in {places:?}");
    }
    assert!(places.contains(&"Bundle.entry[4].resource.dosage"), "{places:?}");
}

#[test]
fn requests_based_on_each_other_do_not_stop_the_import() {
    let one = |id: &str, on: &str| {
        format!(
            r#"{{"resource": {{"resourceType": "MedicationRequest", "id": "{id}", "status": "active",
            "intent": "order", "basedOn": [{{"reference": "MedicationRequest/{on}"}}],
            "medicationCodeableConcept": {{"text": "Senna"}}}}}}"#
        )
    };
    let record =
        format!(r#"{{"resourceType": "Bundle", "entry": [{}, {}]}}"#, one("a", "b"), one("b", "a"));
    let import = fhir::read("record", record.as_bytes(), today()).expect("read");
    assert_eq!(import.order_count(), 2);
    assert!(import.warnings.iter().any(|notice| notice.text.contains("without end")));
}

#[test]
fn a_file_beyond_the_limits_is_refused_before_it_costs_anything() {
    let (place, why) = refused(&" ".repeat(fhir::BYTES_MAX + 1));
    assert_eq!(place, Place::File);
    assert!(matches!(why, Why::TooLarge { .. }), "{why}");
    let many =
        format!("{{\"resourceType\": \"Bundle\", \"entry\": [{}0]}}", "0,".repeat(6_000_000));
    let (_, why) = refused(&many);
    assert!(matches!(why, Why::TooMany { .. }), "{why}");
}

#[test]
fn a_plan_of_somebody_else_lends_nothing() {
    let record = r#"{"resourceType": "Bundle", "entry": [
        {"resource": {"resourceType": "Patient", "id": "g", "name": [{"family": "Shaw"}]}},
        {"resource": {"resourceType": "Patient", "id": "h", "name": [{"family": "Bell"}]}},
        {"resource": {"resourceType": "MedicationRequest", "id": "p", "status": "active",
            "intent": "plan", "subject": {"reference": "Patient/g"},
            "medicationCodeableConcept": {"text": "Senna"}}},
        {"resource": {"resourceType": "MedicationStatement", "id": "s", "status": "active",
            "subject": {"reference": "Patient/h"},
            "basedOn": [{"reference": "MedicationRequest/p"}]}}]}"#;
    let import = fhir::read("record", record.as_bytes(), today()).expect("read");
    let orders: Vec<_> = import.residents.iter().map(|resident| &resident.orders).collect();
    assert_eq!((orders[0].len(), orders[1].len()), (1, 1));
    assert_eq!(orders[0][0].medicine.name, "Senna");
    assert_eq!(orders[1][0].medicine.name, "");
    assert!(import.warnings.iter().any(|notice| notice.text.contains("another person")));
}

#[test]
fn what_was_entered_in_error_is_not_brought_back_by_its_issues() {
    let record = r#"{"resourceType": "Bundle", "entry": [
        {"resource": {"resourceType": "MedicationRequest", "id": "p", "intent": "plan",
            "status": "entered-in-error", "medicationCodeableConcept": {"text": "Senna"}}},
        {"resource": {"resourceType": "MedicationRequest", "id": "i", "intent": "order",
            "status": "completed", "basedOn": [{"reference": "MedicationRequest/p"}],
            "medicationCodeableConcept": {"text": "Senna"}}}]}"#;
    let import = fhir::read("record", record.as_bytes(), today()).expect("read");
    let [issue] = import.residents[0].orders.as_slice() else { panic!("{import:?}") };
    assert_eq!(issue.place, "Bundle.entry[1].resource");
    assert!(issue.flags.contains(&Flag::IssueOnly));
    assert_eq!(import.skipped[0].place, "Bundle.entry[0].resource");
}

#[test]
fn a_record_of_many_thousand_entries_is_read_once_through() {
    let mut record = String::from("{\"resourceType\": \"Bundle\", \"entry\": [");
    for i in 0..20_000 {
        record.push_str(&format!(
            r#"{{"resource": {{"resourceType": "MedicationRequest", "id": "r{i}", "intent": "order",
            "status": "active", "basedOn": [{{"reference": "MedicationRequest/r{}"}}],
            "subject": {{"identifier": {{"system": "s", "value": "1"}}}},
            "medicationCodeableConcept": {{"text": "Senna 7.5mg tablets"}}}}}},"#,
            if i == 0 { "none".to_owned() } else { (i / 2).to_string() }
        ));
    }
    record.push_str("7]}");
    let import = fhir::read("record", record.as_bytes(), today()).expect("read");
    // All lead to the first, whose own plan is not there.
    assert_eq!(import.order_count(), 1);
    assert_eq!(import.residents[0].orders[0].issues, 19_999);
}

/// A name in a file could forge a line on the screen, and a turned dose be read as another.
/// Cause: texts were taken as they were. Fix: they are looked at before anything else reads them.
#[test]
fn what_would_steer_a_screen_is_seen_and_warned_of_with_its_place() {
    let file = serde_json::json!({
        "resourceType": "Bundle",
        "entry": [
            {"resource": {
                "resourceType": "Patient", "id": "p",
                "name": [{"family": "Sh\u{1b}[2Jaw\nALERT", "given": ["Zo\u{eb}"]}]}},
            {"resource": {
                "resourceType": "MedicationRequest", "id": "m", "status": "active",
                "intent": "order", "subject": {"reference": "Patient/p"},
                "medicationCodeableConcept": {"text": "Paracetamol\r\n500mg tablets"},
                "dosageInstruction": [{"text": "take \u{202e}1 four times a day"}]}},
        ],
    });
    let import = fhir::read("turned.json", file.to_string().as_bytes(), today()).expect("read");
    let resident = only(&import);
    assert_eq!(resident.identity().family, "Sh�[2Jaw ALERT");
    let order = &resident.orders[0];
    assert_eq!(order.medicine.name, "Paracetamol 500mg tablets");
    assert_eq!(order.grade(), Grade::Refused, "a person reads the sender's letter");
    let warned = |place: &str, what: &str| {
        import.warnings.iter().any(|w| w.place == place && w.text.contains(what))
    };
    let entry = "Bundle.entry[1].resource.dosageInstruction[0].text";
    assert!(warned("Bundle.entry[0].resource.name[0].family", "U+001B"), "{:?}", import.warnings);
    assert!(warned(entry, "U+202E"), "{:?}", import.warnings);
}
