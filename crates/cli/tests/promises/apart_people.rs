//! Two people of other people's files are never one resident (H-05, H-39).

use super::hashes;
use crate::outside::device::{Outside, text};
use libtest_mimic::Failed;
use serde_json::{Value, json};

const NUMBER: &str = "9434765919";
const SYSTEM: &str = "https://fhir.nhs.uk/Id/nhs-number";

/// A person, with one medicine and one allergy, as a sender writes one.
struct Sent {
    identifiers: Vec<(&'static str, &'static str)>,
    name: (&'static str, &'static str),
    born: Option<&'static str>,
}

impl Sent {
    fn new(number: &'static str, name: (&'static str, &'static str), born: &'static str) -> Self {
        Self { identifiers: vec![(SYSTEM, number)], name, born: Some(born) }
    }

    fn entries(&self) -> Vec<Value> {
        let key = format!("{}-{}-{}", self.name.0, self.name.1, self.born.unwrap_or("none"));
        let identifiers: Vec<Value> = self
            .identifiers
            .iter()
            .map(|(system, value)| json!({"system": system, "value": value}))
            .collect();
        let patient = format!("Patient/{key}");
        let mut person = json!({"resourceType": "Patient", "id": key, "identifier": identifiers,
            "name": [{"use": "official", "family": self.name.0, "given": [self.name.1]}]});
        if let Some(born) = self.born {
            person["birthDate"] = json!(born);
        }
        let order = json!({"resourceType": "MedicationRequest", "id": format!("m-{key}"),
            "status": "active", "intent": "order", "subject": {"reference": patient},
            "medicationCodeableConcept": {"text": "Ramipril 5mg capsules"},
            "dosageInstruction": [{"text": "One To Be Taken Each Morning"}]});
        let allergy = json!({"resourceType": "AllergyIntolerance", "id": format!("a-{key}"),
            "clinicalStatus": "active", "verificationStatus": "confirmed",
            "patient": {"reference": patient}, "code": {"text": format!("latex of {key}")}});
        [person, order, allergy].into_iter().map(|r| json!({"resource": r})).collect()
    }
}

fn bundle(people: &[&Sent]) -> String {
    let entries: Vec<Value> = people.iter().flat_map(|p| p.entries()).collect();
    json!({"resourceType": "Bundle", "type": "collection", "entry": entries}).to_string()
}

/// Imports two people, from two files and then from one, into a home each. Returns how many
/// residents there are, and why the second was not taken.
#[track_caller]
fn both(first: &Sent, second: &Sent) -> [(usize, String, String); 2] {
    [false, true].map(|one_file| {
        let device = Outside::new();
        device.found();
        let nurse = device.nurse();
        let files = if one_file {
            vec![device.write("both.json", &bundle(&[first, second]))]
        } else {
            let second = bundle(&[second]);
            vec![device.write("a.json", &bundle(&[first])), device.write("b.json", &second)]
        };
        let files: Vec<&str> =
            std::iter::once("import").chain(files.iter().map(String::as_str)).collect();
        let told = device.ok_as(&nurse, &files, "");
        let last = told["files"].as_array().and_then(|f| f.last()).expect("a file").clone();
        assert!(last["error"].is_null(), "{last}");
        let residents = device.ok(&["resident", "list"]).as_array().expect("residents").len();
        let orders = device.ok(&["order", "list"]);
        let orders = orders.as_array().expect("orders");
        let skipped: Vec<String> =
            last["skipped"].as_array().expect("skipped").iter().map(|s| text(&s["why"])).collect();
        let left = usize::from(!skipped.is_empty());
        assert_eq!(orders.len(), 2 - left, "{last}");
        for whose in device.ok(&["resident", "list"]).as_array().expect("residents") {
            let shown = device.ok(&["resident", "show", &text(&whose["resident"])]).to_string();
            let all = shown.matches("latex of").count();
            assert!(
                residents == 1 && left == 0 || all == 1,
                "an allergy of somebody else: {shown}"
            );
            assert!(residents > 1 || all == 2 - left, "an allergy is missing: {shown}");
        }
        let before = hashes(&device);
        device.ok_as(&nurse, &files, "");
        assert_eq!(hashes(&device), before, "importing again changes nothing");
        let warnings = last["warnings"].to_string();
        (residents, skipped.join(" "), warnings)
    })
}

/// Fault: `UNKNOWN` in the place of the NHS number made two people one resident.
pub fn no_number() -> Result<(), Failed> {
    // The sender's own identifier and the date of birth find a person again.
    let own = |name, born| {
        let mut sent = Sent::new("UNKNOWN", name, born);
        sent.identifiers.push(("https://gp.example/patients", "17"));
        sent
    };
    let (ada, bert) = (("Brown", "Ada"), ("Green", "Bert"));
    let wrong = "9434765918";
    let cases = [
        (Sent::new("UNKNOWN", ada, "1935-02-03"), Sent::new("UNKNOWN", bert, "1941-07-08"), 2),
        (Sent::new(wrong, ada, "1935-02-03"), Sent::new(wrong, bert, "1935-02-03"), 2),
        (own(ada, "1935-02-03"), own(("White", "Ada"), "1935-02-03"), 1),
        (own(ada, "1935-02-03"), own(bert, "1941-07-08"), 2),
    ];
    for (at, (first, second, expected)) in cases.iter().enumerate() {
        for (residents, skipped, _) in both(first, second) {
            assert_eq!((residents, skipped.as_str()), (*expected, ""), "case {at}");
        }
    }
    Ok(())
}

/// Fault: a valid NHS number put one person's medicines and allergies into another's record.
pub fn same_number() -> Result<(), Failed> {
    let dora = Sent::new(NUMBER, ("Black", "Dora"), "1931-01-01");
    let mut ageless = Sent::new(NUMBER, ("Grey", "Ernest"), "1931-01-01");
    ageless.born = None;
    let others = [
        Sent::new(NUMBER, ("Grey", "Ernest"), "1951-01-01"),
        Sent::new(NUMBER, ("Black", "Dora"), "1951-01-01"),
        Sent::new(NUMBER, ("Grey", "Ernest"), "1931-01-01"),
        ageless,
    ];
    for other in &others {
        for (residents, skipped, _) in both(&dora, other) {
            assert_eq!(residents, 1, "{skipped}");
            let name = format!("{}, {}", other.name.0.to_uppercase(), other.name.1);
            assert!(!skipped.contains("  "), "{skipped}");
            for word in ["BLACK, Dora", &name, "943 476 5919", "Thu 1 Jan 1931", "resident change"]
            {
                assert!(skipped.contains(word), "{word}: {skipped}");
            }
        }
    }
    Ok(())
}

/// The same person under another family name, or in another spelling, is taken.
pub fn same_person() -> Result<(), Failed> {
    let dora = Sent::new(NUMBER, ("Müller", "Dora"), "1931-01-01");
    for (residents, skipped, warnings) in
        both(&dora, &Sent::new(NUMBER, ("Grey", "Dora"), "1931-01-01"))
    {
        assert_eq!((residents, skipped.as_str()), (1, ""));
        assert!(warnings.contains("MÜLLER, Dora") && warnings.contains("GREY, Dora"), "{warnings}");
    }
    for (residents, skipped, warnings) in
        both(&dora, &Sent::new(NUMBER, ("MULLER", "Dora Ann"), "1931-01-01"))
    {
        assert_eq!((residents, skipped.as_str()), (1, ""));
        assert!(!warnings.contains("MULLER"), "{warnings}");
    }
    Ok(())
}

/// Fault: somebody of whom the file gives nothing but a name was a new resident at every import.
pub fn nothing_but_a_name() -> Result<(), Failed> {
    let device = Outside::new();
    device.found();
    let nurse = device.nurse();
    let order = |subject: &str| {
        json!({"resource": {"resourceType": "MedicationRequest", "status": "active",
            "intent": "order", "subject": {"reference": subject},
            "medicationCodeableConcept": {"text": "Ramipril 5mg capsules"},
            "dosageInstruction": [{"text": "One To Be Taken Each Morning"}]}})
    };
    let named = json!({"resourceType": "Patient",
        "name": [{"family": "Black", "given": ["Dora"]}]});
    let nameless = json!({"resourceType": "Patient", "gender": "female"});
    let entry = |full: &str, resource: &Value| json!({"fullUrl": full, "resource": resource});
    let with_order = json!({"resourceType": "Bundle", "type": "collection",
        "entry": [entry("urn:uuid:1", &named), order("urn:uuid:1")]});
    for (at, sent) in [named, nameless, with_order].iter().enumerate() {
        let file = device.write(&format!("{at}.json"), &sent.to_string());
        let before = hashes(&device);
        for _ in 0..2 {
            let told = device.ok_as(&nurse, &["import", &file], "");
            assert_eq!(told["people_not_taken"], json!(1), "{told}");
            let why = text(&told["files"][0]["skipped"][0]["why"]);
            assert!(why.contains("no date of birth") && why.contains("resident add"), "{why}");
        }
        assert_eq!(hashes(&device), before, "{sent}");
        let mut args = vec!["import", file.as_str()];
        args.extend(nurse.iter().map(String::as_str));
        let told = device.run(&args).stdout;
        assert!(told.contains("1 PERSON was not taken in"), "{told}");
    }
    assert_eq!(device.ok(&["resident", "list"]), json!([]));
    Ok(())
}

/// Fault: of three files that have one order in the words A, A and B, the second left no mark when
/// it was read, and set the order back to A when all were imported again.
pub fn an_older_file_again() -> Result<(), Failed> {
    let device = Outside::new();
    device.found();
    let nurse = device.nurse();
    let file = |name: &str, stamp: &str, words: &str| {
        let bundle = json!({"resourceType": "Bundle", "type": "collection", "id": stamp, "entry": [
            {"resource": {"resourceType": "Patient", "id": "p", "birthDate": "1931-01-01",
                "identifier": [{"system": SYSTEM, "value": NUMBER}],
                "name": [{"family": "Black", "given": ["Dora"]}]}},
            {"resource": {"resourceType": "MedicationRequest", "id": "m", "status": "active",
                "intent": "order", "subject": {"reference": "Patient/p"},
                "identifier": [{"system": "https://gp.example/orders", "value": "4"}],
                "medicationCodeableConcept": {"text": "Ramipril 5mg capsules"},
                "dosageInstruction": [{"text": words}]}}]});
        device.write(name, &bundle.to_string())
    };
    let (one, two) = ("One To Be Taken Each Morning", "Two To Be Taken Each Morning");
    let all = [file("1.json", "1", one), file("2.json", "2", one), file("3.json", "3", two)];
    let import = ["import", &all[0], &all[1], &all[2]];
    device.ok_as(&nurse, &import, "");
    let shown = || device.ok(&["order", "list"])[0]["proposal"]["words"].clone();
    assert_eq!(shown(), json!([two]));
    let before = hashes(&device);
    let again = device.ok_as(&nurse, &import, "");
    assert_eq!((hashes(&device), shown()), (before, json!([two])), "{again}");
    let warned = again["files"][1]["warnings"].to_string();
    assert!(warned.contains("as it was before"), "{again}");
    Ok(())
}
