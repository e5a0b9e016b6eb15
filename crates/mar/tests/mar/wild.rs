//! Commands that no screen would send: the answer is a decision or a refusal, never a panic, and
//! what is let in leaves every view of the home readable.

use crate::dice::Dice;
use crate::giving::note;
use crate::home::{Home, at};
use crate::orders_of::{daily, paracetamol, plain, when_required};
use chrono::NaiveDate;
use mar::command::{Ask, AskDose, AskHome, AskOrder, AskResident, Command, Told};
use mar::decide::{Context, decide};
use mar::fact::Actor;
use mar::ids::{AdministrationId, CommandId, OrderId, ResidentId, StaffId, VersionId};
use mar::order::{Content, Dose, Flags, Prn, Protocol, Stated};
use mar::outcome::OUTCOMES;
use mar::quantity::{Amount, Quantity, Unit};
use mar::resident::{Identity, Status, Whereabouts};
use mar::schedule::{Days, Schedule, SlotId, SlotKey, TimeOfDay};
use mar::time::{DAY, Minutes, Timestamp};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// Makes the values.
struct Wild {
    dice: Dice,
    now: Timestamp,
    order: OrderId,
    versions: Vec<VersionId>,
}

impl Wild {
    fn text(&mut self) -> String {
        let long = "ß".repeat(5_000);
        self.dice.of(&["", " ", "words", "\u{202e}\0\n", "محمد", &long]).to_owned()
    }

    fn instant(&mut self) -> Timestamp {
        let near =
            Timestamp(self.now.0 + i64::try_from(self.dice.below(9)).expect("small") * 3_600_000);
        let ends = [i64::MIN, i64::MIN + 1, -1, 0, 1, i64::MAX - 1, i64::MAX].map(Timestamp);
        let wild = self.dice.of(&ends);
        self.dice.of(&[near, near, self.now, wild])
    }

    fn date(&mut self) -> NaiveDate {
        let today = self.now.utc().date_naive();
        let (tomorrow, first) = (today.succ_opt(), NaiveDate::from_ymd_opt(1, 1, 1));
        let ends =
            [NaiveDate::MIN, NaiveDate::MAX, tomorrow.unwrap_or(today), first.unwrap_or(today)];
        let wild = self.dice.of(&ends);
        self.dice.of(&[today, today, wild])
    }

    fn minutes(&mut self) -> Minutes {
        Minutes(self.dice.of(&[0, 1, 60, 240, 1_440, 200_000, u32::MAX]))
    }

    fn quantity(&mut self) -> Quantity {
        let text = self.dice.of(&["0", "0.001", "0.5", "1", "2", "999999.999", "1000000"]);
        text.parse().expect("an amount")
    }

    fn amount(&mut self) -> Amount {
        let unit = self.dice.of(&["tablet", "tablet", "ml", "", "µg"]);
        Amount::new(self.quantity(), unit)
    }

    fn times(&mut self) -> Vec<TimeOfDay> {
        let count = self.dice.below(5);
        (0..count)
            .filter_map(|_| {
                let minute = self.dice.of(&[0_u16, 30, 90, 480, 480, 1_439]);
                TimeOfDay::from_minutes(minute)
            })
            .collect()
    }

    fn number(&mut self) -> u16 {
        self.dice.of(&[0, 1, 2, 7, 168, u16::MAX])
    }

    fn schedule(&mut self) -> Schedule {
        let days = Days::from_bits(self.dice.below(128) as u8).unwrap_or(Days::ALL);
        let round = self.dice.of(&["morning", "tea", "nowhere", ""]).to_owned();
        match self.dice.below(7) {
            0 => Schedule::Times { times: self.times(), days },
            1 => Schedule::Rounds { rounds: vec![round.clone(), round], days },
            2 => {
                let (n, anchor) = (self.number(), self.date());
                Schedule::EveryDays { n, anchor, times: self.times() }
            }
            3 => {
                let (n, anchor) = (self.number(), self.date());
                Schedule::EveryWeeks { n, anchor, days, times: self.times() }
            }
            4 => Schedule::EveryHours { n: self.number(), anchor: self.instant() },
            5 => Schedule::Once { at: self.instant() },
            _ => {
                let min_interval = if self.dice.coin() {
                    Stated::As(self.minutes())
                } else {
                    Stated::NotStated { asked: self.text() }
                };
                let max_24h = Stated::As(self.amount());
                let check_after = Some(self.minutes());
                let protocol = Protocol { check_after, ..Protocol::default() };
                Schedule::WhenRequired(Prn { min_interval, max_24h, protocol })
            }
        }
    }

    fn content(&mut self) -> Content {
        let base = paracetamol("1", self.schedule());
        let dose = if self.dice.coin() {
            Dose::Fixed(self.amount())
        } else {
            Dose::Range { from: self.quantity(), to: self.quantity(), unit: Unit::new("tablet") }
        };
        let start = self.instant();
        let dose = self.dice.of(&[base.dose.clone(), dose]);
        Content {
            dose,
            start: self.dice.of(&[base.start, start]),
            stop: self.dice.coin().then(|| self.instant()),
            min_gap: self.dice.coin().then(|| self.minutes()),
            indication: Some("pain".into()),
            label: Some(self.text()),
            flags: Flags {
                time_critical: self.dice.coin(),
                rescue: self.dice.once_in(4),
                ..Flags::default()
            },
            ..base
        }
    }

    fn slot(&mut self) -> SlotId {
        let key = match self.dice.below(3) {
            0 => SlotKey::Interval(self.dice.of(&[0, 1, 7, u32::MAX])),
            1 => SlotKey::Round("morning".into()),
            _ => TimeOfDay::new(8, 0).map_or(SlotKey::Interval(0), SlotKey::Time),
        };
        SlotId { version: self.dice.of(&self.versions.clone()), date: self.date(), key }
    }

    fn told(&mut self) -> Told {
        let amount = self.amount();
        Told {
            amount: self.dice.of(&[None, Some(amount)]),
            given_at: self.dice.coin().then(|| self.instant()),
            reason: self.text(),
            given_by: self.dice.once_in(5).then_some(StaffId([0; 16])),
            alone: true,
            ..Told::of(self.dice.of(&OUTCOMES))
        }
    }

    fn dose(&mut self) -> AskDose {
        let order = self.order;
        let really = self.dice.coin();
        match self.dice.below(4) {
            0 => AskDose::Pop { slot: self.slot(), amount: Some(self.amount()) },
            1 => {
                let (slot, told) = (self.slot(), self.told());
                let why = self.text();
                let told = Told { already_given: really.then_some(why), ..told };
                AskDose::Record { slot, told }
            }
            2 => AskDose::Prn { order, told: self.told(), note: note() },
            _ => AskDose::Correct {
                administration: AdministrationId([0; 16]),
                instead: Some(self.told()),
                reason: self.text(),
                alone: really,
            },
        }
    }

    fn order(&mut self) -> AskOrder {
        let (order, reason) = (self.order, self.text());
        match self.dice.below(7) {
            0 | 1 => AskOrder::Write {
                order: self.dice.of(&[order, OrderId([9; 16])]),
                content: self.content(),
                same_meaning: None,
                allergy_decided: None,
                intended: Some("both are meant".into()),
                label_read: None,
            },
            2 => AskOrder::Check { order, version: None },
            3 => AskOrder::ActivateAlone { order, reason },
            4 => AskOrder::Hold { order, reason, review: Some(self.instant()) },
            5 => AskOrder::Resume { order, reason },
            _ => AskOrder::Stop { order, at: self.instant(), authorised_by: self.text(), reason },
        }
    }

    fn ask(&mut self, resident: ResidentId) -> Ask {
        match self.dice.below(6) {
            0 => {
                let (family, given) = (self.text(), self.text());
                let mut identity = Identity::named(&family, &given);
                identity.born = Some(self.date());
                Ask::Resident(resident, AskResident::WriteIdentity(identity))
            }
            1 => {
                let whereabouts = self.dice.of(&[
                    Whereabouts::Present,
                    Whereabouts::Hospital,
                    Whereabouts::Deceased,
                ]);
                let (from, note) = (self.instant(), self.text());
                let status = Status { whereabouts, from, note, second: None };
                Ask::Resident(resident, AskResident::ChangeStatus(status))
            }
            2 => {
                let mut settings = mar::settings::Settings::new(&self.text(), self.date());
                settings.windows.round_early = self.minutes();
                settings.windows.clock = self.minutes();
                settings.cycle_start = self.date();
                settings.zone = self.dice.of(&[
                    chrono_tz::Europe::London,
                    chrono_tz::Pacific::Kiritimati,
                    chrono_tz::Pacific::Apia,
                ]);
                Ask::Home(AskHome::SetSettings(settings))
            }
            3 | 4 => Ask::Order(resident, self.order()),
            _ => Ask::Dose(resident, self.dose()),
        }
    }
}

/// Everything that can be read of a home, at any time.
fn read_all(home: &Home, resident: ResidentId, dice: &mut Dice) {
    let picture = home.picture(0);
    let today = home.now.utc().date_naive();
    for now in [home.now, Timestamp(i64::MIN), Timestamp(i64::MAX), Timestamp(0)] {
        let _all = mar::alerts::alerts(picture, now).len();
        let chart = mar::chart::chart(picture, resident, (today, today), now);
        assert!(chart.is_some(), "an admitted resident has a chart");
        let _there = mar::round::round_at(&picture.home, now).is_some();
    }
    let ends = [NaiveDate::MIN, NaiveDate::MAX, today];
    let day = dice.of(&ends);
    let _empty = mar::chart::chart(picture, resident, (day, day), home.now).is_none();
    let (from, to) = (home.now.minus(DAY), home.now.plus(DAY));
    let held = home.resident(0, resident);
    let _count = mar::due::due(&picture.home, held, (from, to), home.now).len();
    for history in held.orders.values() {
        if let Some(version) = history.best_version(home.now) {
            let settings = picture.home.settings_on(today).expect("settings");
            assert!(!mar::words::directions(&version.content, settings).is_empty());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 120, ..ProptestConfig::default() })]

    #[test]
    fn no_command_makes_the_record_panic(seed in any::<u64>(), steps in 1..60_usize) {
        let mut home = Home::founded("2026-11-02T05:00");
        let resident = home.admit("Shaw", "Gladys");
        let order = home.order(resident, plain(daily(&["08:00"])));
        home.order(resident, plain(when_required(None, None)));
        let mut dice = Dice(seed);
        for _ in 0..steps {
            home.now = home.now.plus(Minutes(dice.below(200) as u32));
            let versions: Vec<VersionId> = home
                .resident(0, resident)
                .orders
                .values()
                .flat_map(|h| h.versions().into_iter().map(|v| v.version.id))
                .collect();
            let orders: Vec<OrderId> = home.resident(0, resident).orders.keys().copied().collect();
            let mut wild = Wild {
                dice: dice.clone(),
                now: home.now,
                order: dice.of(&[order, dice.clone().of(&orders)]),
                versions,
            };
            let ask = wild.ask(resident);
            dice.roll();
            let by = dice.of(&["NU", "SC", "MM"]);
            home.witness = dice.of(&[None, Some("CB")]);
            let _refused = home.ask(0, by, ask).is_err();
        }
        home.witness = None;
        read_all(&home, resident, &mut dice);
    }

    #[test]
    fn no_clock_makes_a_decision_panic(seed in any::<u64>()) {
        let mut home = Home::founded("2026-11-02T05:00");
        let resident = home.admit("Shaw", "Gladys");
        let order = home.order(resident, plain(daily(&["08:00"])));
        let written = home.resident(0, resident).orders[&order].all_written();
        let versions: Vec<VersionId> = written.keys().copied().collect();
        let mut wild = Wild { dice: Dice(seed), now: at("2026-11-03T08:00"), order, versions };
        let ask = wild.ask(resident);
        let (heard, last_heard) = (BTreeSet::new(), BTreeMap::new());
        for now in [i64::MIN, -1, 0, 1, i64::MAX].map(Timestamp) {
            let command = Command {
                id: CommandId([1; 16]),
                actor: Actor::Staff(home.person("NU")),
                witness: None,
                ask: ask.clone(),
            };
            let _needs = command.needs(now);
            let mut fresh = || [3; 16];
            let mut context = Context {
                now,
                device: home.devices[0].id,
                heard: &heard,
awake: &BTreeSet::new(),
                last_heard: &last_heard,
                clock: &mar::clock::ClockStanding::default(),
                held: &[],
                fresh: &mut fresh,
            };
            let _refused = decide(home.picture(0), &command, &mut context).is_err();
        }
    }
}
