//! Sentences of ours, with what is to be read from them.

use super::shown::shown;
use chrono::NaiveDate;
use interop::dose_syntax::{
    Doubt, Grade, HowMuch, Misfit, Reading, Start, Unread, Why, read, read_for,
};
use mar::order::{Dose, Stated};
use mar::quantity::{Amount, Quantity};
use mar::schedule::{Days, Schedule, TimeOfDay};
use mar::settings::Settings;
use mar::time::{Minutes, Timestamp};

pub(crate) const TESTS: &[(&str, fn())] = &[
    ("the_commonest_directions_are_clear", commonest),
    ("when_required_is_never_clear_and_keeps_its_limits", when_required),
    ("what_is_left_to_a_person_is_partial", partial),
    ("what_can_be_meant_in_two_ways_is_refused", two_ways),
    ("a_condition_or_a_change_refuses_the_whole", conditions),
    ("numbers_are_read_exactly_or_not_at_all", numbers),
    ("texts_made_to_mislead_are_refused", misleading),
    ("two_sprays_in_each_nostril_are_four", sites),
    ("the_words_are_kept_as_they_were_sent", verbatim),
    ("times_of_day_come_from_the_home_s_rounds", rounds),
    ("limits_of_a_when_required_order_are_amounts", limits),
    ("a_weekly_medicine_every_day_is_a_hard_stop", weekly),
    ("a_dose_gets_its_unit_from_the_medicine_s_name", units),
];

#[track_caller]
fn check(cases: &[(&str, &str)]) {
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|(text, expected)| {
            let reading = read(text);
            let shown = shown(&reading);
            let why: Vec<String> = reading.why.iter().map(ToString::to_string).collect();
            (shown != *expected)
                .then(|| format!("{text}\n  is      {shown}\n  not     {expected}\n  {why:?}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn commonest() {
    check(&[
        ("one to be taken each day", "clear: 1, once a day"),
        ("Take ONE tablet once a day", "clear: 1 tablet, once a day"),
        ("TAKE ONE EVERY DAY", "clear: 1, once a day"),
        ("every day take 1", "clear: 1, once a day"),
        ("1 tablet twice daily", "clear: 1 tablet, twice a day"),
        ("two capsules three times a day", "clear: 2 capsules, 3 times a day"),
        ("Take two four times daily", "clear: 2, 4 times a day"),
        ("one in the morning", "clear: 1, in the morning"),
        ("Two to be taken at night", "clear: 2, at night"),
        ("one at bedtime", "clear: 1, at night"),
        ("one with the evening meal", "clear: 1, in the evening"),
        (
            "one with breakfast, lunch and evening meal",
            "clear: 1, in the morning and at midday and in the evening",
        ),
        ("one in the morning and one at night", "clear: 1, in the morning and at night"),
        ("one tablet morning and night", "clear: 1 tablet, in the morning and at night"),
        (
            "one tablet twice a day, morning and night",
            "clear: 1 tablet, in the morning and at night",
        ),
        ("take one tablet at 8am and 8 pm", "clear: 1 tablet, at 08:00 and at 20:00"),
        ("2 tablets at 08:00", "clear: 2 tablets, at 08:00"),
        ("half a tablet each morning", "clear: 0.5 tablet, in the morning"),
        ("one and a half tablets at night", "clear: 1.5 tablets, at night"),
        ("1½ tablets at night", "clear: 1.5 tablets, at night"),
        ("5ml every 6 hours", "clear: 5 ml, every 6 hours"),
        ("ONE 5ml spoonful FOUR times a day", "clear: 5 ml, 4 times a day"),
        ("two 5 ml spoonfuls at night", "clear: 10 ml, at night"),
        ("one every twelve hours", "clear: 1, every 12 hours"),
        ("1 tablet 6 hourly", "clear: 1 tablet, every 6 hours"),
        ("one on alternate days", "clear: 1, on alternate days"),
        ("two tablets every other day", "clear: 2 tablets, on alternate days"),
        ("one patch every 72 hours", "clear: 1 patch, every 72 hours"),
        ("apply one patch every 7 days", "clear: 1 patch, every 7 days"),
        ("one tablet on Mondays", "clear: 1 tablet, on Monday"),
        ("four tablets once a week on Monday", "clear: 4 tablets, on Monday"),
        ("one on Monday, Wednesday and Friday", "clear: 1, on Monday, Wednesday, Friday"),
        ("one three times a day for 5 days", "clear: 1, 3 times a day, for 5 days"),
        ("one twice a day for 1/52", "clear: 1, twice a day, for 1 week"),
        ("1 bd for 5/7", "clear: 1, twice a day, for 5 days"),
        ("one once daily, half an hour before food", "clear: 1, once a day"),
        ("two puffs inhaled twice a day", "clear: 2 puffs, twice a day"),
        ("one drop in the left eye at night", "clear: 1 drop, at night, 1 site: in the left eye"),
        (
            "apply thinly to the left leg twice a day",
            "clear: an application, twice a day, 1 site: to the left leg",
        ),
        ("10 units under the skin at bedtime", "clear: 10 units, at night"),
        ("1 tablet od", "clear: 1 tablet, once a day"),
        ("ii tabs", "refused"),
        ("1 cap q.d.s.", "clear: 1 capsule, 4 times a day"),
        ("1 tab mane", "clear: 1 tablet, in the morning"),
        ("1 tab nocte", "clear: 1 tablet, at night"),
        ("THREE (3) tablets at night", "clear: 3 tablets, at night"),
        ("six each morning as a single dose", "clear: 6, in the morning"),
    ]);
}

fn when_required() {
    check(&[
        ("one when required", "partial: 1, when required"),
        (
            "two sprays when required for chest pain",
            "partial: 2 sprays, when required for chest pain",
        ),
        (
            "one or two every four to six hours when required for pain, max 8 in 24 hours",
            "partial: 1 to 2, every 4 to 6 hours, when required for pain, at most 8 in 24 hours, \
             240 min apart",
        ),
        (
            "two tablets up to four times a day if needed",
            "partial: 2 tablets, up to 4 times a day, when required",
        ),
        (
            "take 2 tablets every 4 hours prn. Maximum of 8 tablets in any 24 hours",
            "partial: 2 tablets, every 4 hours, when required, at most 8 tablets in 24 hours, \
             240 min apart",
        ),
        (
            "one puff as needed, no more than 10 doses a day",
            "partial: 1 puff, when required, at most 10 doses in 24 hours",
        ),
        (
            "2.5 ml when required, leave at least 4 hours between doses, not more than 15 ml in \
             24 hours",
            "partial: 2.5 ml, when required, at most 15 ml in 24 hours, 240 min apart",
        ),
        (
            "apply to the left hand when required",
            "partial: an application, when required, 1 site: to the left hand",
        ),
        ("as and when required", "refused: when required"),
        ("use as often as needed", "refused: when required"),
    ]);
}

fn partial() {
    check(&[
        ("one or two at night", "partial: 1 to 2, at night"),
        ("1-2 tablets three times a day", "partial: 1 to 2 tablets, 3 times a day"),
        ("two each day", "partial: 2, once a day"),
        ("FOUR (4) tablets daily", "partial: 4 tablets, once a day"),
        ("apply two or three times a day", "partial: an application, 2 to 3 times a day"),
        ("one up to twice a day", "partial: 1, up to twice a day"),
        ("one once a week", "partial: 1, every week"),
        ("1 mg every 3 months", "partial: 1 mg, every 3 months"),
        ("one twice a day as directed by your doctor", "partial: 1, twice a day"),
        ("two spoonfuls at night", "partial: 2 spoonfuls, at night"),
        (
            "apply to the affected area twice a day",
            "partial: an application, twice a day, site open: to the affected area",
        ),
        (
            "one drop in the affected eye(s) at night",
            "partial: 1 drop, at night, site open: in the affected eye(s)",
        ),
        ("two sprays twice a day", "partial: 2 sprays, twice a day"),
        ("one five times a day", "partial: 1, 5 times a day"),
        ("one in the afternoon", "partial: 1, in the afternoon"),
        ("one at night once", "partial: 1, at night"),
        ("one hourly", "partial: 1, every hour"),
        ("one twice a day from 2.12.2026", "partial: 1, twice a day"),
        ("twice a day for 7 days", "partial: twice a day, for 7 days"),
        ("one tablet zzyzx at night", "partial: 1 tablet, at night"),
        ("one tablet (5mg) at night", "partial: 1 tablet, at night"),
        ("take one 5mg tablet at night", "partial: 1 tablet, at night"),
        (
            "one daily for 21 days; subsequent courses repeated after a 7 day tablet free interval",
            "partial: 1, 21 days on and 7 days off",
        ),
        (
            "two every six hours, max 8 in 24 hours",
            "partial: 2, every 6 hours, at most 8 in 24 hours",
        ),
    ]);
}

fn two_ways() {
    check(&[
        ("1", "refused"),
        ("50", "refused"),
        ("2 daily", "refused"),
        ("2 weekly", "refused"),
        ("take 3 monthly", "refused"),
        ("6 hourly", "refused"),
        ("half hourly", "refused"),
        ("2 3 times a day", "refused"),
        ("take 1 or 2 - 4 times a day", "refused"),
        ("take 1 - 3 times a day", "refused"),
        ("one, two or three times a day", "refused"),
        ("one in the morning and two at night", "refused"),
        ("one at night, one in the morning if needed", "refused: when required"),
        ("one tablet two a day", "refused"),
        ("28 tablets. One tablet to be taken twice a day", "refused"),
        ("1 tab nocte 28 tablets", "refused"),
        ("10 ml (500mg) twice a day", "refused: 10 ml"),
        ("10 ml (500mg)", "refused: 10 ml"),
        ("40mg tablet at night", "refused"),
        ("half 10mg at night", "refused"),
        ("one zzyzx at night", "refused"),
        ("apply 2 to the left leg at night", "refused: 1 site: to the left leg"),
        ("take 2.5 at night", "refused"),
        ("take three times a day 7", "refused"),
        ("apply thinly to the left leg at night 3.5", "refused: 1 site: to the left leg"),
        ("apply 10mg to the left arm at night", "refused: 1 site: to the left arm"),
        ("half of two tablets at night", "refused"),
        ("2 x 100mg twice a day", "refused"),
        ("take 2. 5 ml at night", "refused"),
        ("2,5 ml at night", "refused"),
        ("1 take every night", "refused"),
        ("take 22 at night", "refused"),
        ("once daily at night and in the morning", "refused"),
        ("one daily on Mondays", "refused"),
        ("one once a day once a week", "refused"),
        ("one every 6 hours twice a day", "refused"),
        ("one at night after the evening meal", "refused"),
        ("one for 5 days each week", "refused"),
        ("half after meals and at night", "refused"),
        ("one tablet each day in the eye", "refused: site open: in the eye"),
    ]);
}

fn conditions() {
    check(&[
        ("one twice a day for 5 days then one a day", "refused"),
        ("one daily except Sundays", "refused"),
        ("one at night, not with alcohol", "refused"),
        ("one at night unless drowsy", "refused"),
        ("one at night if the pulse is over sixty", "refused"),
        ("one tablet at night increasing weekly", "refused"),
        ("one tablet every other fortnight", "refused"),
        ("one tablet daily one week on one week off", "refused"),
        ("one hundred daily", "refused"),
        ("one at 9 or 10 pm", "refused"),
        ("one at night until reviewed", "refused"),
        ("one twice a day only with pain", "refused"),
        ("as directed", "refused"),
        ("follow instructions", "refused"),
        ("for injection according to requirements", "refused"),
        ("n/a", "refused"),
        ("see letter", "refused"),
    ]);
}

fn numbers() {
    check(&[
        ("1/2 tablet at night", "clear: 0.5 tablet, at night"),
        ("1/2 a tablet at night", "clear: 0.5 tablet, at night"),
        ("1/2 tablets at night", "refused"),
        ("1/2 tds", "refused"),
        ("3/4 nocte", "refused"),
        ("take .5 ml at night", "partial: 0.5 ml, at night"),
        ("take 1.000 mg at night", "refused"),
        ("take 1,000 mg at night", "clear: 1000 mg, at night"),
        ("take 0.125 mg at night", "clear: 0.125 mg, at night"),
        ("take 0.1255 mg at night", "refused"),
        ("take 0 tablets at night", "refused"),
        ("take 21 tablets at night", "refused"),
        ("take 99999999999999999999999999999999999999 ml at night", "refused"),
        ("take -5 ml at night", "partial: 5 ml, at night"),
        ("take ٥ tablets at night", "refused"),
        ("take 2² tablets at night", "refused"),
        ("1-2-1 tablets at night", "refused"),
        ("2 to 1 tablets at night", "refused"),
        ("007 tablets at night", "refused"),
        ("twenty-five ml at night", "clear: 25 ml, at night"),
    ]);
}

fn misleading() {
    let long = "one at night ".repeat(1_000);
    let reading = read(&long);
    assert_eq!(reading.grade, Grade::Refused);
    assert!(matches!(reading.why[..], [Why::Unread(Unread::TooLong { .. })]));
    assert_eq!(reading.text, long);
    for text in [
        "one at night<!-- not -->",
        "<b>one</b> at night",
        "one at night &lt;b&gt;",
        "one at &#110;ight",
        "one\u{0} at night",
        "one at night\u{8}",
        "one \u{202e}thgin ta",
        "o\u{200b}ne at night",
        "one at night\u{ad}",
        "one at night \u{fffd}",
    ] {
        let reading = read(text);
        assert_eq!(reading.grade, Grade::Refused, "{text:?}");
        assert_eq!((reading.dose, reading.schedule), (None, None), "{text:?}");
    }
    assert_eq!(read("   \n").why, [Why::Unread(Unread::Empty)]);
    // Letters of another alphabet look the same and are no words of ours.
    assert_ne!(read("оne at night").grade, Grade::Clear);
    // Two days' supply of brackets, quotes and signs.
    assert_eq!(read("!\"£$%^&*()_+-={}[]:@~;'#|,./?").grade, Grade::Refused);
}

fn sites() {
    let sprays = read("two sprays in each nostril twice a day");
    assert_eq!(shown(&sprays), "clear: 2 sprays, twice a day, 2 site: in each nostril");
    let (how_much, unit) = sprays.administered().expect("an amount");
    assert_eq!(how_much, HowMuch::Exactly(Quantity::whole(4)));
    assert_eq!(unit.expect("a unit").as_str(), "spray");
    let open = read("one drop in the affected eye(s) at night");
    assert_eq!(open.administered(), None);
    let one = read("one drop in the right eye at night");
    assert_eq!(one.administered().map(|(n, _)| n), Some(HowMuch::Exactly(Quantity::whole(1))));
    let dose = Dose::Fixed(Amount::new(Quantity::whole(4), "spray"));
    assert_eq!(sprays.dose_for("Nasal spray"), Some(dose));
}

fn verbatim() {
    let text = "  Take ONE  Tablet,\tAt Night with food. Fizzy drinks upset her ";
    let reading = read(text);
    assert_eq!(reading.text, text);
    assert_eq!(reading.extra, ["with food"]);
    assert_eq!(reading.remainder, "Fizzy drinks upset her");
    assert_eq!(reading.grade, Grade::Partial);
}

fn start() -> Start {
    let date = NaiveDate::from_ymd_opt(2026, 11, 21).expect("a day");
    Start { date, at: Timestamp::from_rfc3339("2026-11-21T09:00:00+00:00").expect("an instant") }
}

fn scheduled(text: &str) -> Option<Schedule> {
    let settings = Settings::new("Willow House", start().date);
    read(text).schedule_for(&settings.rounds, &start(), "Sennatab 7.5mg tablets")
}

fn rounds() {
    let named = |rounds: &[&str], days| {
        Some(Schedule::Rounds { rounds: rounds.iter().map(|r| (*r).to_owned()).collect(), days })
    };
    let time = |text: &str| text.parse::<TimeOfDay>().expect("a time");
    let all = Days::ALL;
    assert_eq!(scheduled("one once a day"), named(&["morning"], all));
    assert_eq!(scheduled("one twice a day"), named(&["morning", "tea"], all));
    assert_eq!(scheduled("one three times a day"), named(&["morning", "lunch", "tea"], all));
    let four = named(&["morning", "lunch", "tea", "bedtime"], all);
    assert_eq!(scheduled("one four times a day"), four);
    assert_eq!(scheduled("one at night"), named(&["bedtime"], all));
    assert_eq!(scheduled("one at night and in the morning"), named(&["morning", "bedtime"], all));
    let monday = Days::of(&[chrono::Weekday::Mon]);
    assert_eq!(scheduled("one at night on Mondays"), named(&["bedtime"], monday));
    let times = vec![time("08:00"), time("20:00")];
    assert_eq!(scheduled("one at 08:00 and 20:00"), Some(Schedule::Times { times, days: all }));
    let alternate = Schedule::EveryDays { n: 2, anchor: start().date, times: vec![time("21:00")] };
    assert_eq!(scheduled("one at night on alternate days"), Some(alternate));
    let hours = Schedule::EveryHours { n: 6, anchor: start().at };
    assert_eq!(scheduled("one every six hours"), Some(hours));
    assert_eq!(scheduled("two tablets stat"), Some(Schedule::Once { at: start().at }));
    for open in [
        "one five times a day",
        "one two or three times a day",
        "one once a week",
        "one every month",
        "one in the afternoon",
        "one every 4 to 6 hours",
        "one daily except Sundays",
    ] {
        assert_eq!(scheduled(open), None, "{open}");
    }
    // A home with other names for its rounds, and one with no round at lunch.
    let mut settings = Settings::new("Willow House", start().date);
    settings.rounds.remove(1);
    for (round, id) in settings.rounds.iter_mut().zip(["first", "second", "third"]) {
        round.id = id.to_owned();
    }
    let here = |text: &str| read(text).schedule_for(&settings.rounds, &start(), "");
    assert_eq!(here("one twice a day"), named(&["first", "second"], all));
    assert_eq!(here("one three times a day"), None);
}

fn limits() {
    let prn = |text: &str| match scheduled(text) {
        Some(Schedule::WhenRequired(prn)) => prn,
        other => panic!("{text}: {other:?}"),
    };
    let stated = prn("two every 4 hours when required for pain, max 8 in 24 hours");
    assert_eq!(stated.min_interval, Stated::As(Minutes(240)));
    assert_eq!(stated.max_24h, Stated::As(Amount::new(Quantity::whole(8), "tablet")));
    assert_eq!(stated.protocol.what_for, "for pain");
    // Four doses of two tablets are eight tablets; four doses of one or two are not known.
    let doses = prn("two tablets when required, max 4 doses in 24 hours");
    assert_eq!(doses.max_24h, Stated::As(Amount::new(Quantity::whole(8), "tablet")));
    assert_eq!(doses.min_interval.value(), None);
    let range = prn("one or two tablets when required, max 4 doses in 24 hours");
    assert_eq!(range.max_24h.value(), None);
    // What the frequency would come to is not a stated maximum.
    assert_eq!(prn("two four times a day when required").max_24h.value(), None);
}

fn weekly() {
    let stopped = |reading: &Reading| {
        let stop = |why: &Why| matches!(why, Why::Medicine(Misfit::WeeklyOnly(_)));
        reading.why.iter().any(stop)
            && reading.grade == Grade::Refused
            && reading.schedule.is_none()
    };
    for text in [
        "one once a day",
        "one each morning",
        "four on Mondays and Thursdays",
        "one every 3 days",
        "10 mg five times a day",
        "one every 12 hours",
        "two each day",
    ] {
        assert!(stopped(&read_for(text, "Methotrexate 2.5mg tablets")), "{text}");
    }
    for text in ["four once a week", "four tablets on Mondays", "one every 7 days"] {
        assert!(!stopped(&read_for(text, "Methotrexate 2.5mg tablets")), "{text}");
    }
    assert!(stopped(&read_for("one each day", "Alendronic acid 70mg tablets")));
    assert!(!stopped(&read_for("one each day", "Alendronic acid 10mg tablets")));
    assert!(!stopped(&read_for("one each day", "Folic acid 5mg tablets")));
}

fn units() {
    let dose = |text: &str, medicine: &str| read_for(text, medicine).dose_for(medicine);
    let one = |unit: &str| Some(Dose::Fixed(Amount::new(Quantity::whole(1), unit)));
    assert_eq!(dose("one at night", "Ramipril 2.5mg capsules"), one("capsule"));
    assert_eq!(dose("one twice a day", "Macrogol oral powder sachets"), one("sachet"));
    assert_eq!(dose("one at night", "Lactulose 3.1g/5ml oral solution"), None);
    let misfits = |text: &str, medicine: &str| read_for(text, medicine).grade;
    assert_eq!(misfits("one at night", "Lactulose 3.1g/5ml oral solution"), Grade::Partial);
    assert_eq!(misfits("one tablet at night", "Ramipril 2.5mg capsules"), Grade::Partial);
    assert_eq!(misfits("one capsule at night", "Ramipril 2.5mg capsules"), Grade::Clear);
    assert_eq!(misfits("15 ml at night", "Lactulose 3.1g/5ml oral solution"), Grade::Clear);
    let doubt = read("10 ml (500mg)").why;
    assert!(doubt.iter().any(|why| matches!(why, Why::Doubt(Doubt::VolumeAndMass(_)))));
}
