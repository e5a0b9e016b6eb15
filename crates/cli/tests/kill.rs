//! kill -9 of the recording device: whatever was answered "saved" is there after the restart.
//!
//! Kills are drawn uniformly, one count over all threads: over all system calls between command and
//! answer, and over the write, sync, truncate and rename calls on the store's files. The seed is
//! printed; `MEDROUND_SEED` takes one back, `MEDROUND_KILLS` the number of kills of each sort.

mod outside;

use libtest_mimic::{Arguments, Failed, Trial};
use outside::device::{Outside, text, when_required};
use outside::draws::Draws;
use outside::trace::{self, Call, StoreCall, Then};
use serde_json::Value;
use std::collections::BTreeSet;

fn main() {
    let arguments = Arguments::from_args();
    let why = trace::not_allowed();
    let name = "a_dose_answered_as_saved_survives_kill_9_at_any_system_call";
    let trial = Trial::test(name, kills).with_ignored_flag(why.is_some());
    if let Some(why) = why {
        eprintln!("{name}: ignored: {why}");
    }
    libtest_mimic::run(&arguments, vec![trial]).exit();
}

fn setting(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|v| v.parse().ok()).unwrap_or(otherwise)
}

/// One device with one resident and one when-required order without limits that would refuse.
struct Recording {
    device: Outside,
    order: String,
    resident: String,
    /// Administrations answered as saved so far.
    saved: BTreeSet<String>,
}

/// What one traced recording did.
struct Counted {
    ended: trace::Ended,
    /// All system calls until the answer was written, that one included.
    calls: u64,
    store_calls: u64,
    /// Store calls at which a commit of the log began and ended, counted from 1.
    commit: Option<(u64, u64)>,
}

impl Recording {
    fn new() -> Self {
        let device = Outside::new();
        device.found();
        let resident = device.resident("Shaw", "Gladys");
        let mut order = when_required(&resident);
        order["schedule"]["min_interval_minutes"] =
            serde_json::json!({"not_stated": "asked the surgery"});
        order["schedule"]["max_24h"] = serde_json::json!({"not_stated": "asked the surgery"});
        // A medicine with no limits of its own, so that only the kill decides.
        order["medicine"] = serde_json::json!({"name": "Carbomer eye drops", "form": "drops",
            "strength": "0.2%", "ingredients": [], "cd_category": "0000"});
        order["dose"] = serde_json::json!({"value": "1", "unit": "drop"});
        let order = device.order(&order);
        Self { device, order, resident, saved: BTreeSet::new() }
    }

    /// Records one dose under watch; at the `kill_at`th call of its sort the program is killed.
    fn record(&self, kill_at: Option<(bool, u64)>) -> Counted {
        let who = self.device.nurse();
        let mut args =
            vec!["give-prn", &self.order, "--amount", "1 drop", "--reason", "dry eyes", "--json"];
        args.extend(who.iter().map(String::as_str));
        let mut command = self.device.command(&args);
        let (mut calls, mut store_calls) = (0, 0);
        let (mut on_log, mut answered) = (Vec::new(), None);
        let ended = trace::run(&mut command, &self.device.data(), |call, path| {
            calls += 1;
            if call == Call::Answer {
                answered = answered.or(Some(calls));
            }
            if let Call::Store(kind) = call {
                store_calls += 1;
                if answered.is_none() && path.is_some_and(|p| p.ends_with("log.redb")) {
                    on_log.push((store_calls, kind));
                }
            }
            let of_store = matches!(call, Call::Store(_)) && kill_at == Some((true, store_calls));
            if of_store || kill_at == Some((false, calls)) { Then::Kill } else { Then::GoOn }
        })
        .expect("the program can be traced");
        Counted { ended, calls: answered.unwrap_or(calls), store_calls, commit: commit(&on_log) }
    }

    /// Notes what was answered; then everything answered so far must be on the chart.
    fn check(&mut self, ended: &trace::Ended, told: &str) -> Result<(), Failed> {
        if let Ok(answer) = serde_json::from_str::<Value>(&ended.stdout) {
            self.saved.insert(text(&answer["administration"]));
        }
        let verified = self.device.run(&["verify", "--json"]);
        if verified.code != 0 {
            return Err(
                format!("{told}: verify says {}{}", verified.stdout, verified.stderr).into()
            );
        }
        let listed = administrations(&self.device, &self.resident);
        let lost: Vec<_> = self.saved.difference(&listed).collect();
        if lost.is_empty() { Ok(()) } else { Err(format!("{told}: lost {lost:?}").into()) }
    }
}

/// The store calls at which the dose's commit began and ended: its two syncs are the last ones on
/// the log before the answer, and it begins with the first write after the sync before them.
fn commit(on_log: &[(u64, StoreCall)]) -> Option<(u64, u64)> {
    let syncs: Vec<usize> =
        (0..on_log.len()).filter(|at| on_log[*at].1 == StoreCall::Sync).collect();
    let [.., before, _, last] = syncs.as_slice() else { return None };
    Some((on_log.get(before + 1)?.0, on_log[*last].0))
}

/// Every administration that the chart shows.
fn administrations(device: &Outside, resident: &str) -> BTreeSet<String> {
    let out = std::process::Command::new("date").args(["-u", "+%Y-%m-%d"]).output().expect("date");
    let today = String::from_utf8_lossy(&out.stdout).trim().to_owned();
    let out =
        std::process::Command::new("date").args(["-u", "-d", "-2 days", "+%Y-%m-%d"]).output();
    let before = String::from_utf8_lossy(&out.expect("date").stdout).trim().to_owned();
    let out = std::process::Command::new("date").args(["-u", "-d", "+1 day", "+%Y-%m-%d"]).output();
    let after = String::from_utf8_lossy(&out.expect("date").stdout).trim().to_owned();
    assert!(before < today && today < after);
    let chart = device.ok(&["chart", resident, "--from", &before, "--to", &after]);
    let mut found = BTreeSet::new();
    collect(&chart, &mut found);
    found
}

fn collect(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            if let Some(Value::String(id)) = map.get("administration") {
                found.insert(id.clone());
            }
            map.values().for_each(|v| collect(v, found));
        }
        Value::Array(list) => list.iter().for_each(|v| collect(v, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn kills() -> Result<(), Failed> {
    let clock = std::process::Command::new("date").arg("+%s%N").output().expect("date");
    let drawn = String::from_utf8_lossy(&clock.stdout).trim().parse().unwrap_or(1);
    let seed = setting("MEDROUND_SEED", drawn);
    let kills = setting("MEDROUND_KILLS", 25);
    eprintln!("kill -9: seed {seed}, {kills} kills of each sort");
    let mut draws = Draws(seed);
    let mut recording = Recording::new();
    let whole = recording.record(None);
    if whole.ended.code != Some(0) {
        return Err(format!("an undisturbed dose is recorded: {}", whole.ended.stdout).into());
    }
    recording.check(&whole.ended, "undisturbed")?;
    let (mut killed, mut inside, mut answered) = (0, 0, 0);
    for number in 0..2 * kills {
        let of_store = number % 2 == 1;
        let sort = if of_store { "store call" } else { "call" };
        let mut among = if of_store { whole.store_calls } else { whole.calls };
        // Threads make some calls more in one run than in the next: a run that ended before the call
        // that was drawn is checked like the others, and the call is drawn anew among those it made.
        let mut at = 1 + draws.below(among);
        let mut run = recording.record(Some((of_store, at)));
        for _ in 0..5 {
            if run.ended.code.is_none() {
                break;
            }
            recording
                .check(&run.ended, &format!("seed {seed}, {sort} {at} of {among} never came"))?;
            among = if of_store { run.store_calls } else { run.calls };
            at = 1 + draws.below(among);
            run = recording.record(Some((of_store, at)));
        }
        killed += u64::from(run.ended.code.is_none());
        answered += u64::from(run.ended.stdout.contains("administration"));
        let in_commit =
            whole.commit.is_some_and(|(b, d)| run.store_calls >= b && run.store_calls < d);
        inside += u64::from(run.ended.code.is_none() && in_commit);
        recording
            .check(&run.ended, &format!("seed {seed}, kill {number} at {sort} {at} of {among}"))?;
    }
    eprintln!(
        "kill -9: {killed} of {} runs were killed, {inside} inside the commit (store calls {:?} of {}), \
         {answered} after the answer; {} system calls to an answer; 0 answered doses lost",
        2 * kills,
        whole.commit,
        whole.store_calls,
        whole.calls
    );
    if killed < 2 * kills || whole.commit.is_none() {
        return Err(format!("seed {seed}: not every run was killed, or no commit was seen").into());
    }
    Ok(())
}
