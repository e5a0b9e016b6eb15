//! Ratios of what one run has measured, in words. Both benches print them.

use std::fs;
use std::io::ErrorKind;

fn estimates(group: &str, name: &str) -> String {
    let root = std::env::var("CARGO_TARGET_DIR").unwrap_or_else(|_| "../../target".to_owned());
    format!("{root}/criterion/{group}/{name}/new/estimates.json")
}

/// What an earlier run found is not told as if this one had.
pub(crate) fn forget_earlier_runs(group: &str, names: &[&str]) {
    for name in names {
        let earlier = fs::remove_file(estimates(group, name));
        assert!(!earlier.is_err_and(|fault| fault.kind() != ErrorKind::NotFound));
    }
}

/// Returns the median of this run with its 95 % interval, in nanoseconds; `None` where there is
/// none.
pub(crate) fn median(group: &str, name: &str) -> Option<[f64; 3]> {
    let text = fs::read_to_string(estimates(group, name)).ok()?;
    let all: serde_json::Value = serde_json::from_str(&text).ok()?;
    let median = &all["median"];
    let bounds = &median["confidence_interval"];
    Some([
        median["point_estimate"].as_f64()?,
        bounds["lower_bound"].as_f64()?,
        bounds["upper_bound"].as_f64()?,
    ])
}

/// Returns the ratio of two medians of this run with their 95 % intervals, in words.
pub(crate) fn ratio(group: &str, of: &str, to: &str) -> String {
    match (median(group, of), median(group, to)) {
        (Some(a), Some(b)) => format!(
            "{:.2} ({:.2} to {:.2}); {:.3} ms against {:.3} ms",
            a[0] / b[0],
            a[1] / b[2],
            a[2] / b[1],
            a[0] / 1e6,
            b[0] / 1e6
        ),
        (None, _) | (_, None) => "was not measured in this run".to_owned(),
    }
}
