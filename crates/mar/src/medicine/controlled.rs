//! Controlled drugs that are known by their name, so that none is taken for an ordinary medicine.

use super::{CdCategory, Medicine};

/// Names of controlled drugs of Schedules 2 and 3 with the category that they have (C-01, C-02).
///
/// Source: the Misuse of Drugs Regulations 2001, Schedules 2 and 3, with the Home Office's list of
/// controlled drugs; safe custody after the Misuse of Drugs (Safe Custody) Regulations 1973. Only
/// what a care home may meet, with common brands. Codeine and dihydrocodeine are left out: the
/// products by mouth are Schedule 5. For the clinical lead: confirm the list with a pharmacist.
pub const CONTROLLED: &[(CdCategory, &[&str])] = &[
    (
        CdCategory::Schedule2,
        &[
            "alfentanil",
            "amfetamine",
            "amphetamine",
            "dexamfetamine",
            "dexamphetamine",
            "diamorphine",
            "dipipanone",
            "fentanyl",
            "hydromorphone",
            "ketamine",
            "lisdexamfetamine",
            "methadone",
            "methylphenidate",
            "morphine",
            "nabilone",
            "oxycodone",
            "pethidine",
            "remifentanil",
            "tapentadol",
            "abstral",
            "actiq",
            "concerta",
            "durogesic",
            "elvanse",
            "longtec",
            "matrifen",
            "mst",
            "oramorph",
            "oxycontin",
            "oxynorm",
            "palexia",
            "palladone",
            "physeptone",
            "ritalin",
            "sevredol",
            "shortec",
            "targinact",
            "zomorph",
        ],
    ),
    (CdCategory::Schedule2ExemptCustody, &["secobarbital", "quinalbarbitone"]),
    (
        CdCategory::Schedule3,
        &["buprenorphine", "butec", "butrans", "espranor", "subutex", "temgesic", "transtec"],
    ),
    (CdCategory::Schedule3Temazepam, &["temazepam"]),
    (CdCategory::Schedule3Phenobarbital, &["phenobarbital", "phenobarbitone"]),
    (
        CdCategory::Schedule3ExemptCustody,
        &[
            "gabapentin",
            "meprobamate",
            "midazolam",
            "pentazocine",
            "pregabalin",
            "tramadol",
            "buccolam",
            "epistatus",
            "lyrica",
            "maxitram",
            "neurontin",
            "tramacet",
            "zamadol",
            "zydol",
        ],
    ),
];

/// Names of which a weak preparation has a lower category: morphine by mouth of no more than
/// 13 mg in 5 ml (Misuse of Drugs Regulations 2001, Schedule 5; C-01).
const WEAK: &[(&str, &str, CdCategory)] = &[
    ("morphine", "10mg/5ml", CdCategory::Schedule5),
    ("oramorph", "10mg/5ml", CdCategory::Schedule5),
];

/// A medicine that is a listed controlled drug by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listed {
    /// The name in it that is listed.
    pub name: &'static str,
    /// The category of that name.
    pub category: CdCategory,
}

impl Medicine {
    /// Returns the controlled drug that this medicine is by its name or by an ingredient, the
    /// strictest where it holds several; `None` where no such name is listed (C-01).
    #[must_use]
    pub fn listed(&self) -> Option<Listed> {
        let lower = |text: &str| text.to_lowercase();
        let ingredients = self.ingredients.iter().map(|i| lower(&i.name));
        let texts: Vec<String> = ingredients.chain([lower(&self.name)]).collect();
        let has = |name: &str| {
            texts.iter().any(|t| t.split(|c: char| !c.is_alphanumeric()).any(|word| word == name))
        };
        let strength = self.strength.as_deref().unwrap_or_default();
        let strengths: String =
            lower(&format!("{} {strength}", self.name)).split_whitespace().collect();
        let category = |name: &'static str, category: CdCategory| {
            let weak = WEAK.iter().find(|(n, per, _)| *n == name && strengths.contains(per));
            Listed { name, category: weak.map_or(category, |(_, _, category)| *category) }
        };
        let rows = CONTROLLED.iter().flat_map(|(of, names)| names.iter().map(move |n| (*of, *n)));
        let found = rows.filter(|(_, name)| has(name)).map(|(of, name)| category(name, of));
        found.max_by_key(|listed| listed.category.strictness())
    }

    /// Returns the listed controlled drug where this medicine is stated to be less than that.
    #[must_use]
    pub fn understated(&self) -> Option<Listed> {
        self.listed().filter(|listed| self.cd.strictness() < listed.category.strictness())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn understated(name: &str, cd: CdCategory) -> Option<&'static str> {
        let medicine = Medicine { cd, ..Medicine::uncoded(name) };
        medicine.understated().map(|listed| listed.name)
    }

    #[test]
    fn a_controlled_drug_that_is_stated_as_none_is_known_by_its_name() {
        for (name, known) in [
            ("Temazepam 10mg tablets", "temazepam"),
            ("OXYCODONE 10mg tablets", "oxycodone"),
            ("Pregabalin 75mg capsules", "pregabalin"),
            ("BuTrans 5micrograms/hour transdermal patches", "butrans"),
            ("Morphine sulfate 20mg/ml oral solution", "morphine"),
            ("Morphine sulfate 10mg/5ml oral solution", "morphine"),
        ] {
            assert_eq!(understated(name, CdCategory::None), Some(known), "{name}");
        }
        for name in ["Apomorphine 10mg/ml injection", "Senna 7.5mg tablets", "Zopiclone 7.5mg"] {
            assert_eq!(understated(name, CdCategory::None), None, "{name}");
        }
        assert_eq!(understated("Tramadol 50mg capsules", CdCategory::Schedule5), Some("tramadol"));
    }

    #[test]
    fn its_own_category_or_a_stricter_one_is_no_question() {
        let weak = "Morphine sulfate 10mg/5ml oral solution";
        assert_eq!(understated(weak, CdCategory::Schedule5), None);
        let strong = "Morphine sulfate 20mg/ml oral solution";
        assert_eq!(understated(strong, CdCategory::Schedule5), Some("morphine"));
        assert_eq!(understated("Temazepam 10mg tablets", CdCategory::Schedule3), None);
        assert_eq!(understated("Gabapentin 300mg capsules", CdCategory::Schedule2), None);
    }
}
