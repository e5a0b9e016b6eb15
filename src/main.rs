//! The desktop app. The window is being built; until it is here, this says so and names the command.

fn main() {
    println!(
        "Medround's window is not built yet. Everything is on the command line:\n\
         \n    cargo run --release --bin medroundctl -- demo    a practice home, one day, the MARs as PDF\
         \n    cargo run --release --bin medroundctl -- --help  every command"
    );
}
