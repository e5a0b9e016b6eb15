//! A disk that is full, read-only, not ours, cut short or of another format; views that vanish; a
//! clock that is wrong. Each gives a sentence that says what to do, loses nothing and never panics.

mod outside;

use libtest_mimic::{Arguments, Failed, Trial};
use outside::device::{Outside, Ran, regular, text, when_required};
use serde_json::{Value, json};
use std::fs::{self, OpenOptions};
use std::path::Path;
use std::process::Command;

fn main() {
    let arguments = Arguments::from_args();
    let no_mount = cannot_mount();
    let no_fake = outside::missing(&[("faketime", "faketime")]);
    let mut trials = Vec::new();
    let mut add = |name: &str, why: Option<String>, test: fn() -> Result<(), Failed>| {
        if let Some(why) = &why {
            eprintln!("{name}: ignored: {why}");
        }
        trials.push(Trial::test(name, test).with_ignored_flag(why.is_some()));
    };
    add("views_that_vanish_between_any_two_commands_change_no_answer", None, vanishing_views);
    add("a_file_that_is_not_ours_is_refused_with_a_sentence", None, not_ours);
    add("a_store_of_another_format_is_refused_with_a_sentence", None, other_format);
    add("a_store_that_was_cut_short_is_refused_with_a_sentence_and_kept", None, cut_short);
    add("a_second_home_is_not_founded_over_the_first", None, second_home);
    add("a_home_whose_log_was_moved_away_is_not_founded_over", None, log_moved_away);
    add("a_damaged_page_gives_a_sentence_and_never_the_words_of_a_panic", None, damaged_pages);
    add("a_full_disk_says_not_saved_and_loses_nothing", no_mount.clone(), full_disk);
    add("a_folder_that_cannot_be_written_gives_a_sentence", no_mount, read_only);
    add("a_clock_before_2020_gives_a_sentence", no_fake, wrong_clock);
    libtest_mimic::run(&arguments, trials).exit();
}

/// Returns why nothing can be mounted here; `None` when it can.
fn cannot_mount() -> Option<String> {
    let folder = tempfile::tempdir().ok()?;
    if mounted(folder.path(), "8m") {
        unmount(folder.path());
        None
    } else {
        Some("nothing can be mounted here: run as root".to_owned())
    }
}

fn mounted(folder: &Path, size: &str) -> bool {
    let args = ["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"];
    let out = Command::new("mount").args(args).arg(folder).output();
    out.is_ok_and(|o| o.status.success())
}

fn unmount(folder: &Path) {
    // A left-over mount of a test shows as a left-over folder; nothing else hangs on it.
    drop(Command::new("umount").arg("-l").arg(folder).output());
}

/// A sentence for people: something on standard error, and no panic.
#[track_caller]
fn is_a_sentence(ran: &Ran, code: i32) {
    assert_eq!(ran.code, code, "{}\n{}", ran.stdout, ran.stderr);
    assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
    assert!(ran.stderr.trim().len() > 20, "no words: {:?}", ran.stderr);
}

fn days() -> (String, String) {
    let day = |when: &str| {
        let out =
            Command::new("date").args(["-u", "-d", when, "+%Y-%m-%d"]).output().expect("date");
        String::from_utf8_lossy(&out.stdout).trim().to_owned()
    };
    (day("-2 days"), day("+1 day"))
}

/// What a person can see of the home, without what reading itself adds to the access log.
fn seen(device: &Outside, resident: &str) -> Vec<Value> {
    let (from, to) = days();
    let start = format!("{from}T00:00:00Z");
    let end = format!("{to}T00:00:00Z");
    vec![
        device.ok(&["chart", resident, "--from", &from, "--to", &to]),
        device.ok(&["due", "--resident", resident, "--from", &start, "--to", &end]),
        device.ok(&["order", "list", "--resident", resident]),
        device.ok(&["conflicts"]),
        device.ok(&["resident", "show", resident]),
        device.ok(&["staff", "list"]),
    ]
}

fn vanishing_views() -> Result<(), Failed> {
    let device = Outside::new();
    device.found();
    let resident = device.resident("Shaw", "Gladys");
    let nurse = device.nurse();
    let compare = |step: &str| {
        let before = seen(&device, &resident);
        let status = device.ok(&["status"]);
        fs::remove_file(device.data().join("views.redb")).expect("the views are there");
        let after = seen(&device, &resident);
        assert_eq!(before, after, "after {step}");
        let again = device.ok(&["status"]);
        assert!(status["heads_hash"].is_string() && again["state_hash"].is_string());
        let verified = device.ok(&["verify"]);
        assert_eq!(verified["ok"], json!(true), "after {step}: {verified}");
    };
    compare("a resident");
    let tablets = device.order(&when_required(&resident));
    compare("an order");
    device.order(&regular(&resident, &["08:00", "20:00"]));
    compare("another order");
    let args = ["give-prn", &tablets, "--amount", "2 tablet", "--reason", "pain"];
    let given = device.ok_as(&nurse, &args, "");
    compare("a dose");
    let id = text(&given["administration"]);
    device.ok_as(&nurse, &["effect", &id, "--effect", "good"], "");
    compare("an effect");
    device.ok_as(&nurse, &["order", "hold", &tablets, "--reason", "Dr Patel: until seen"], "");
    compare("a hold");
    Ok(())
}

fn not_ours() -> Result<(), Failed> {
    let device = Outside::new();
    device.found();
    let log = device.data().join("log.redb");
    let kept = fs::read(&log)?;
    fs::write(&log, b"somebody else's file, quite another thing".repeat(500))?;
    is_a_sentence(&device.run(&["status"]), 5);
    fs::write(&log, &kept)?;
    device.ok(&["status"]);
    Ok(())
}

fn other_format() -> Result<(), Failed> {
    let device = Outside::new();
    device.found();
    let log = device.data().join("log.redb");
    let kept = fs::read(&log)?;
    // The byte after the twelve of the magic is the format's.
    let format = kept[12];
    let older = format!(
        "log.redb is of development format {}, which this version does not read (it reads \
         {format}); set the home up again in an empty folder",
        format - 1
    );
    let newer = format!(
        "log.redb was written by a newer version of Medround (format {}); update this device",
        format + 1
    );
    for (byte, words) in [(format - 1, older), (format + 1, newer)] {
        let mut other = kept.clone();
        other[12] = byte;
        fs::write(&log, &other)?;
        let ran = device.run(&["status"]);
        is_a_sentence(&ran, 5);
        let said = ran.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(said.contains(&words), "{said}");
        assert_eq!(fs::read(&log)?, other, "it is left as it was");
    }
    fs::write(&log, &kept)?;
    device.ok(&["status"]);
    Ok(())
}

fn cut_short() -> Result<(), Failed> {
    let device = Outside::new();
    device.found();
    device.resident("Shaw", "Gladys");
    let log = device.data().join("log.redb");
    let kept = fs::read(&log)?;
    for part in [10, 5000, kept.len() / 2, kept.len() - 4096] {
        fs::write(&log, &kept[..part])?;
        let ran = device.run(&["status"]);
        assert!(!ran.stderr.contains("panicked"), "cut at {part}: {}", ran.stderr);
        assert_ne!(ran.code, 0, "cut at {part}: {}", ran.stdout);
        assert!(ran.stderr.trim().len() > 20, "cut at {part}: no words");
        // What is left of it is still there for whoever can mend it.
        assert!(
            fs::metadata(&log)?.len() >= part as u64,
            "cut at {part}: the rest was thrown away"
        );
    }
    fs::write(&log, &kept)?;
    device.ok(&["status"]);
    Ok(())
}

/// Bug: at a damaged page the terminal showed the panic of a library with paths of its sources, and
/// `status` said that all was well after `verify` had found the damage.
fn damaged_pages() -> Result<(), Failed> {
    let device = Outside::new();
    device.found();
    device.resident("Shaw", "Gladys");
    let whole = ["log.redb", "views.redb", "local.redb"].map(|name| {
        let bytes = fs::read(device.data().join(name)).expect("the file is there");
        (name, bytes)
    });
    for (name, bytes) in &whole {
        for page in (1..bytes.len() / 4096).step_by(7) {
            for at in [0, 300, 2500] {
                for (name, bytes) in &whole {
                    fs::write(device.data().join(name), bytes)?;
                }
                let mut damaged = bytes.clone();
                match at {
                    0 => damaged[page * 4096..][..4096].fill(0),
                    _ => damaged[page * 4096 + at] ^= 0xff,
                }
                fs::write(device.data().join(name), damaged)?;
                let ran = [&["round"][..], &["verify"], &["status", "--json"]]
                    .map(|command| device.run(command));
                for ran in &ran {
                    assert!([0, 5, 9].contains(&ran.code), "{name} {page}: {ran:?}");
                    let unwanted = ["panicked", ".rs:", "assertion", "unwrap"];
                    let seen = unwanted.iter().find(|word| ran.stderr.contains(**word));
                    assert_eq!(seen, None, "{name} {page}: {}", ran.stderr);
                    assert!(ran.code == 0 || ran.stderr.len() > 40, "{name} {page}: {ran:?}");
                }
            }
        }
    }
    for (name, bytes) in &whole {
        fs::write(device.data().join(name), bytes)?;
    }
    let mut damaged = whole[0].1.clone();
    while let Some(at) = damaged.windows(6).position(|bytes| bytes == b"Gladys") {
        damaged[at] ^= 1;
    }
    assert_ne!(damaged, whole[0].1, "the resident's name stands in the log");
    fs::write(device.data().join("log.redb"), damaged)?;
    is_a_sentence(&device.run(&["verify"]), 9);
    let store = &device.ok(&["status"])["store"];
    assert_eq!(store["ok"], json!(false));
    let why = store["why"].as_str().unwrap_or_default();
    assert!(why.contains("log.redb is damaged"), "{why}");
    Ok(())
}

fn log_moved_away() -> Result<(), Failed> {
    let device = Outside::new();
    device.found();
    let (log, away) = (device.data().join("log.redb"), device.file("away.redb"));
    fs::rename(&log, &away)?;
    let pin = device.file("manager.pin").to_string_lossy().into_owned();
    let setup = ["setup", "--home", "Other", "--device", "Other", "--manager", "Ann Marsh"];
    let setup = [&setup[..], &["--initials", "AM", "--pin-file", &pin]].concat();
    let join = ["join", "0000-0000-0000", "--device", "Other", "--address", "127.0.0.1:9"];
    for command in [&setup[..], &join, &["status"], &["serve", "--discovery", "off"]] {
        let ran = device.run(command);
        is_a_sentence(&ran, 5);
        let told = ran.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(told.contains("Bring log.redb back"), "{command:?}: {told}");
        assert!(told.contains("join the home anew in an empty folder"), "{command:?}: {told}");
    }
    fs::rename(&away, &log)?;
    assert_eq!(device.ok(&["verify"])["ok"], json!(true));
    Ok(())
}

fn second_home() -> Result<(), Failed> {
    let device = Outside::new();
    device.found();
    let before = device.ok(&["status"]);
    let pin = device.file("manager.pin").to_string_lossy().into_owned();
    let ran = device.run(&[
        "setup",
        "--home",
        "Another",
        "--device",
        "Office",
        "--manager",
        "Bo Lee",
        "--initials",
        "BL",
        "--pin-file",
        &pin,
    ]);
    assert_ne!(ran.code, 0, "{}", ran.stdout);
    is_a_sentence(&ran, ran.code);
    assert_eq!(before["home"], device.ok(&["status"])["home"]);
    Ok(())
}

fn full_disk() -> Result<(), Failed> {
    let device = Outside::new();
    fs::create_dir_all(device.data())?;
    assert!(mounted(&device.data(), "8m"));
    let outcome = fill(&device);
    unmount(&device.data());
    outcome
}

fn fill(device: &Outside) -> Result<(), Failed> {
    device.found();
    let resident = device.resident("Shaw", "Gladys");
    let mut order = when_required(&resident);
    order["schedule"]["min_interval_minutes"] = json!({"not_stated": "asked the surgery"});
    order["schedule"]["max_24h"] = json!({"not_stated": "asked the surgery"});
    order["medicine"] = json!({"name": "Carbomer eye drops", "form": "drops", "strength": "0.2%",
        "ingredients": [], "cd_category": "0000"});
    order["dose"] = json!({"value": "1", "unit": "drop"});
    let drops = device.order(&order);
    let give = || {
        let args = ["give-prn", &drops, "--amount", "1 drop", "--reason", "dry eyes"];
        device.run_as(&device.nurse(), &args)
    };
    let first = give();
    assert_eq!(first.code, 0, "{}{}", first.stdout, first.stderr);
    // Fill what is left but for a few blocks, so that the next doses meet the end of the disk.
    let ballast = device.data().join("ballast");
    let mut size = free(&device.data()).saturating_sub(12 * 1024);
    while size > 0 && fs::write(&ballast, vec![0_u8; usize::try_from(size)?]).is_err() {
        size = size.saturating_sub(4096);
    }
    let (mut saved, mut not_saved) = (1, 0);
    for _ in 0..60 {
        let ran = give();
        assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
        match ran.code {
            0 => saved += 1,
            5 => {
                not_saved += 1;
                assert!(ran.stderr.contains("NOT SAVED"), "{}", ran.stderr);
            }
            code => panic!("neither saved nor NOT SAVED: {code} {}{}", ran.stdout, ran.stderr),
        }
        if not_saved >= 3 {
            break;
        }
    }
    assert!(not_saved > 0, "the disk never was full: {saved} doses");
    fs::remove_file(&ballast)?;
    let given = device.ok(&["prn", &drops])["given_7d"].as_u64();
    assert!(given >= Some(saved), "{given:?} of {saved} saved doses are there");
    assert_eq!(device.ok(&["verify"])["ok"], json!(true));
    eprintln!("full disk: {saved} saved, {not_saved} NOT SAVED, all saved ones there");
    Ok(())
}

fn free(folder: &Path) -> u64 {
    let out = Command::new("df").args(["--output=avail", "-B1"]).arg(folder).output().expect("df");
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    text.lines().last().and_then(|l| l.trim().parse().ok()).unwrap_or(0)
}

fn read_only() -> Result<(), Failed> {
    let device = Outside::new();
    device.found();
    let folder = device.data();
    let bind = |options: &str| {
        let args = ["-o", options];
        Command::new("mount")
            .args(args)
            .arg(&folder)
            .arg(&folder)
            .status()
            .is_ok_and(|s| s.success())
    };
    assert!(bind("bind") && bind("remount,bind,ro"), "a read-only folder can be made");
    let ran = device.run(&["status"]);
    let setup = Outside::new();
    unmount(&folder);
    assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
    assert_ne!(ran.code, 0, "{}", ran.stdout);
    is_a_sentence(&ran, ran.code);
    device.ok(&["status"]);
    // A folder that is a file cannot hold a home either.
    OpenOptions::new().create(true).truncate(true).write(true).open(setup.data())?;
    let pin = setup.write("manager.pin", outside::device::MANAGER_PIN);
    let ran = setup.run(&[
        "setup",
        "--home",
        "Willow",
        "--device",
        "Office",
        "--manager",
        "Ann Marsh",
        "--initials",
        "AM",
        "--pin-file",
        &pin,
    ]);
    assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
    assert_ne!(ran.code, 0);
    is_a_sentence(&ran, ran.code);
    Ok(())
}

fn wrong_clock() -> Result<(), Failed> {
    let device = Outside::new();
    device.found();
    let resident = device.resident("Shaw", "Gladys");
    let tablets = device.order(&when_required(&resident));
    let who = device.nurse();
    let mut args = vec!["give-prn", &tablets, "--amount", "2 tablet", "--reason", "pain"];
    args.extend(who.iter().map(String::as_str));
    let (recording, reading) = (faked(&device, &args)?, faked(&device, &["status"])?);
    is_a_sentence(&recording, 5);
    assert!(recording.stderr.contains("clock"), "{}", recording.stderr);
    // Reading is never blocked by a clock.
    assert_eq!(reading.code, 0, "{}", reading.stderr);
    assert!(device.ok(&["prn", &tablets])["last"].is_null());
    Ok(())
}

/// Runs a command with the clock of a machine whose battery is flat.
fn faked(device: &Outside, args: &[&str]) -> std::io::Result<Ran> {
    let plain = device.command(args);
    let mut faked = Command::new("faketime");
    faked.arg("2012-03-04 05:06:07").arg(plain.get_program()).args(plain.get_args());
    for (key, value) in plain.get_envs() {
        if let Some(value) = value {
            faked.env(key, value);
        }
    }
    let out = faked.output()?;
    Ok(Ran {
        code: out.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&out.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&out.stderr).into_owned(),
    })
}
