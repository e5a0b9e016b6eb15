//! One device driven from outside: its folders, the network namespace its programs run in, and the
//! program itself, `medroundctl`.

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// PINs of the staff that tests set up; none is on the blocklist of easy ones.
pub const MANAGER_PIN: &str = "294716";
/// The nurse's.
pub const NURSE_PIN: &str = "583047";
/// The senior carer's.
pub const SENIOR_PIN: &str = "716402";

/// One device's folders and where its programs run.
pub struct Outside {
    root: tempfile::TempDir,
    namespace: Option<String>,
}

/// What a program said and how it ended.
#[derive(Debug)]
pub struct Ran {
    /// The exit code.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Ran {
    /// The one JSON document it printed.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|e| panic!("no JSON ({e}): {}\n{}", self.stdout, self.stderr))
    }
}

impl Outside {
    /// A device with empty folders, on this machine's own network (loopback only).
    pub fn new() -> Self {
        Self { root: tempfile::tempdir().expect("a folder"), namespace: None }
    }

    /// A device whose programs run in a network namespace.
    pub fn in_namespace(name: &str) -> Self {
        Self { namespace: Some(name.to_owned()), ..Self::new() }
    }

    /// Its data folder.
    pub fn data(&self) -> PathBuf {
        self.root.path().join("data")
    }

    /// A place for files beside the data folder.
    pub fn file(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// Writes a file beside the data folder and returns its path.
    pub fn write(&self, name: &str, text: &str) -> String {
        let path = self.file(name);
        std::fs::write(&path, text).expect("a file is written");
        path.to_string_lossy().into_owned()
    }

    /// The program with its folders, ready to run.
    pub fn command(&self, args: &[&str]) -> Command {
        let program = env!("CARGO_BIN_EXE_medroundctl");
        let mut command = match &self.namespace {
            Some(name) => {
                let mut ip = Command::new("ip");
                ip.args(["netns", "exec", name, program]);
                ip
            }
            None => Command::new(program),
        };
        let own = |folder: &str| {
            let path = self.root.path().join(folder);
            std::fs::create_dir_all(&path).expect("a folder");
            path
        };
        command
            .env("XDG_RUNTIME_DIR", own("runtime"))
            .env("XDG_STATE_HOME", own("state"))
            .env("XDG_DATA_HOME", own("share"))
            .env("HOME", self.root.path())
            .args(["--data", &self.data().to_string_lossy()])
            .args(args);
        command
    }

    /// Runs the program to its end.
    pub fn run(&self, args: &[&str]) -> Ran {
        self.run_with(args, "")
    }

    /// Runs the program to its end with something on standard input.
    pub fn run_with(&self, args: &[&str], stdin: &str) -> Ran {
        let mut child = self
            .command(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut input = child.stdin.take().expect("piped");
        // A program that does not read its input may be gone already.
        drop(input.write_all(stdin.as_bytes()));
        drop(input);
        let out = child.wait_with_output().expect("the program ends");
        Ran {
            code: out.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&out.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&out.stderr).into_owned(),
        }
    }

    /// Runs the program with `--json`, expects exit code 0, and returns what it printed.
    #[track_caller]
    pub fn ok(&self, args: &[&str]) -> Value {
        self.ok_with(args, "")
    }

    /// The same with something on standard input.
    #[track_caller]
    pub fn ok_with(&self, args: &[&str], stdin: &str) -> Value {
        let mut all = args.to_vec();
        all.push("--json");
        let ran = self.run_with(&all, stdin);
        assert_eq!(ran.code, 0, "{args:?}\n{}\n{}", ran.stdout, ran.stderr);
        ran.json()
    }

    /// Starts `serve` and waits until it says that it started.
    pub fn serve(&self, extra: &[&str]) -> Serving {
        let mut args = vec!["serve", "--json"];
        args.extend(extra);
        let serving = Serving::start(self.command(&args));
        serving.wait_for("started", Duration::from_secs(20));
        serving
    }

    /// Founds a home with a manager (AM), a nurse (NB) and a senior carer (SC).
    pub fn found(&self) {
        let manager = self.write("manager.pin", MANAGER_PIN);
        self.ok(&[
            "setup",
            "--home",
            "Willow House",
            "--device",
            "Office",
            "--manager",
            "Ann Marsh",
            "--initials",
            "AM",
            "--pin-file",
            &manager,
        ]);
        for (name, initials, role, pin) in
            [("Nia Bowen", "NB", "nurse", NURSE_PIN), ("Sam Cole", "SC", "senior", SENIOR_PIN)]
        {
            let file = self.write(&format!("{initials}.pin"), pin);
            self.ok(&[
                "staff",
                "add",
                "--name",
                name,
                "--initials",
                initials,
                "--role",
                role,
                "--new-pin-file",
                &file,
                "--as",
                "AM",
                "--pin-file",
                &manager,
            ]);
        }
    }

    /// Writes the PIN files of the home's staff beside a device that joined it.
    pub fn pins(&self) {
        self.write("manager.pin", MANAGER_PIN);
        self.write("NB.pin", NURSE_PIN);
        self.write("SC.pin", SENIOR_PIN);
    }

    /// `--as` and `--pin-file` of the nurse.
    pub fn nurse(&self) -> [String; 4] {
        self.person("NB", "NB.pin")
    }

    /// Of the senior carer.
    pub fn senior(&self) -> [String; 4] {
        self.person("SC", "SC.pin")
    }

    /// Of the manager.
    pub fn manager(&self) -> [String; 4] {
        self.person("AM", "manager.pin")
    }

    fn person(&self, initials: &str, pin: &str) -> [String; 4] {
        let file = self.file(pin).to_string_lossy().into_owned();
        ["--as".into(), initials.into(), "--pin-file".into(), file]
    }

    /// Runs the program as somebody, with `--json`, and expects success.
    #[track_caller]
    pub fn ok_as(&self, who: &[String; 4], args: &[&str], stdin: &str) -> Value {
        let mut all = args.to_vec();
        all.extend(who.iter().map(String::as_str));
        self.ok_with(&all, stdin)
    }

    /// Runs the program as somebody, with `--json`, however it ends.
    pub fn run_as(&self, who: &[String; 4], args: &[&str]) -> Ran {
        let mut all = args.to_vec();
        all.extend(who.iter().map(String::as_str));
        all.push("--json");
        self.run(&all)
    }

    /// Adds a resident and returns the id.
    pub fn resident(&self, family: &str, given: &str) -> String {
        let resident = json!({
            "family": family, "given": given, "dob": "1938-04-12", "room": "12",
            "allergies": {"state": "recorded", "list": [{"substance": "penicillin", "reaction": "rash"}]}
        });
        let added =
            self.ok_as(&self.nurse(), &["resident", "add", "--from", "-"], &resident.to_string());
        text(&added["resident"])
    }

    /// Adds an order by the nurse, checks it by the senior, and returns its id.
    pub fn order(&self, order: &Value) -> String {
        let added = self.ok_as(&self.nurse(), &["order", "add", "--from", "-"], &order.to_string());
        let id = text(&added["order"]);
        self.ok_as(&self.senior(), &["order", "check", &id], "");
        id
    }
}

/// A regular paracetamol order at clock times.
pub fn regular(resident: &str, times: &[&str]) -> Value {
    json!({
        "resident": resident,
        "medicine": {"name": "Ramipril 2.5mg capsules", "form": "capsule", "strength": "2.5 mg",
            "dmd": "318901006",
            "ingredients": [{"name": "ramipril", "amount": "2.5", "unit": "mg", "per": "capsule"}],
            "cd_category": "0000"},
        "route": "oral", "dose": {"value": "1", "unit": "capsule"},
        "start": "2026-01-01T00:00:00+00:00", "stop": null, "source": "label",
        "label": "Take ONE as directed", "schedule": {"kind": "times", "times": times}
    })
}

/// A tablet every six hours, first in so many minutes: its window is open whatever the time is.
pub fn due_in(resident: &str, minutes: u32, name: &str) -> Value {
    let offset = format!("+{minutes} minutes");
    let out = Command::new("date").args(["-u", "-d", &offset, "+%Y-%m-%dT%H:%M:00Z"]).output();
    let anchor = String::from_utf8_lossy(&out.expect("date runs").stdout).trim().to_owned();
    let mut order = regular(resident, &[]);
    order["medicine"] = json!({"name": name, "form": "tablet", "strength": "10 mg",
        "ingredients": [], "cd_category": "0000"});
    order["dose"] = json!({"value": "1", "unit": "tablet"});
    order["schedule"] = json!({"kind": "every", "n": 6, "unit": "hour", "anchor": anchor});
    order
}

/// A when-required paracetamol order, at least four hours apart, at most eight tablets.
pub fn when_required(resident: &str) -> Value {
    json!({
        "resident": resident,
        "medicine": {"name": "Paracetamol 500mg tablets", "form": "tablet", "strength": "500 mg",
            "dmd": "322236009",
            "ingredients": [{"name": "paracetamol", "amount": "500", "unit": "mg", "per": "tablet"}],
            "cd_category": "0000"},
        "route": "oral", "dose": {"value": "2", "unit": "tablet"}, "indication": "pain",
        "start": "2026-01-01T00:00:00+00:00", "stop": null, "source": "label",
        "label": "Take TWO when required",
        "schedule": {"kind": "prn", "min_interval_minutes": 240,
            "max_24h": {"value": "8", "unit": "tablet"},
            "protocol": {"for": "pain"}}
    })
}

/// The text of a JSON string.
#[track_caller]
pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("a text was expected: {value}")).to_owned()
}

/// A running `serve` (or another command that goes on), with the JSON lines it prints.
pub struct Serving {
    child: Child,
    lines: Receiver<Value>,
}

impl Serving {
    /// Starts a command that prints JSON lines.
    pub fn start(mut command: Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("the program starts");
        let out = child.stdout.take().expect("piped");
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                if let Ok(value) = serde_json::from_str(&line)
                    && sender.send(value).is_err()
                {
                    return;
                }
            }
        });
        Self { child, lines }
    }

    /// Returns the next JSON line, or `None` when there is none in time or no more.
    pub fn next(&self, within: Duration) -> Option<Value> {
        self.lines.recv_timeout(within).ok()
    }

    /// Waits for the line with this event.
    #[track_caller]
    pub fn wait_for(&self, event: &str, within: Duration) -> Value {
        let until = Instant::now() + within;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(line) if line["event"] == event => return line,
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    panic!("`{event}` did not come within {within:?}")
                }
            }
        }
    }

    /// The process id of the program itself (under `ip netns exec` it is the same process).
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits for its end and returns the exit code.
    pub fn ended(mut self) -> i32 {
        self.child.wait().expect("the program ends").code().unwrap_or(-1)
    }

    /// Asks it to stop as a person would, and waits.
    pub fn stop(mut self) {
        let pid = self.child.id().to_string();
        drop(Command::new("kill").args(["-TERM", &pid]).status());
        drop(self.child.wait());
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // Killing what has ended already is no fault.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Asks again and again until `done` says so, at most `within`; returns how long it took.
pub fn until(within: Duration, mut done: impl FnMut() -> bool) -> Option<Duration> {
    let begun = Instant::now();
    while begun.elapsed() < within {
        if done() {
            return Some(begun.elapsed());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    None
}

/// The first and last civil days around now, as `--from` and `--to` of `due` take them.
pub fn around_now(device: &Outside) -> (String, String) {
    let date = |offset: &str| {
        let out = Command::new("date").args(["-u", "-d", offset, "+%Y-%m-%dT%H:%M:%SZ"]).output();
        String::from_utf8_lossy(&out.expect("date runs").stdout).trim().to_owned()
    };
    let _ = device;
    (date("-12 hours"), date("+12 hours"))
}

/// Whether a path exists below a folder.
pub fn exists(folder: &Path, name: &str) -> bool {
    folder.join(name).exists()
}
