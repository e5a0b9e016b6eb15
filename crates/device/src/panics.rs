//! What a person is told when a part of the program stops in a way that nobody foresaw.

use std::io::Write;

/// What is said in place of a panic's own words.
const SENTENCE: &str = "Medround made a mistake of its own and stopped what it was doing here. What \
was said to be saved is safe; what was not said to be saved is NOT SAVED. Look whether it is \
there, and do it again. If it comes again, use another device, and tell whoever looks after this \
one: MEDROUND_LOG=debug shows more.";

/// What is said where a damaged file stops the program itself: the library that reads it stops a
/// second time while it clears up behind the first, and that cannot be caught.
const DAMAGED: &str = "A file of the record on this device is damaged, and Medround stopped at it. \
What was said to be saved is safe; what was not said to be saved is NOT SAVED. Record on another \
device, and look at this one with medroundctl verify.";

/// The exit code of a disk that failed.
const DISK_FAILED: i32 = 5;

/// Keeps the words of a panic, which are for whoever wrote the program, out of a person's sight.
/// A panic that the store catches at a damaged file is told as that fault and not here; where it
/// cannot be caught the program ends here with a sentence.
pub fn install() {
    std::panic::set_hook(Box::new(|panic| {
        tracing::debug!(%panic, "a panic");
        let words = panic.payload_as_str().unwrap_or_default();
        let last = words.starts_with("panic in a ");
        if store::is_guarded() && last {
            tell(DAMAGED);
            std::process::exit(DISK_FAILED);
        } else if !store::is_guarded() {
            tell(SENTENCE);
        }
    }));
}

fn tell(sentence: &str) {
    let mut told = std::io::stderr().lock();
    for line in crate::command::page::fold(sentence) {
        // With nobody to read it there is nobody to tell.
        drop(writeln!(told, "{line}"));
    }
}
