//! A reading in one line, and the comparison of two readings by meaning.

use interop::dose_syntax::Reading;

/// Shows grade, dose, when, limits and place: `clear: 1 tablet, twice a day`.
pub(crate) fn shown(reading: &Reading) -> String {
    let mut parts: Vec<String> = Vec::new();
    parts.extend(reading.dose.as_ref().map(ToString::to_string));
    parts.extend(reading.schedule.as_ref().map(ToString::to_string));
    parts.extend(reading.as_needed.as_ref().map(|needed| {
        let reason = needed.reason.as_deref().map(|r| format!(" {r}")).unwrap_or_default();
        format!("when required{reason}")
    }));
    parts.extend(reading.max_24h.as_ref().map(|max| format!("at most {max}")));
    parts.extend(reading.min_interval.map(|gap| format!("{} min apart", gap.0)));
    parts.extend(reading.bounds.map(|bounds| bounds.to_string()));
    parts.extend(reading.site.as_ref().map(|site| match site.count {
        Some(n) => format!("{n} site: {}", site.words),
        None => format!("site open: {}", site.words),
    }));
    let grade = format!("{:?}", reading.grade).to_lowercase();
    if parts.is_empty() { grade } else { format!("{grade}: {}", parts.join(", ")) }
}

/// Whether two readings propose the same, whatever the words.
pub(crate) fn same(one: &Reading, two: &Reading) -> bool {
    one.dose == two.dose
        && one.schedule == two.schedule
        && one.as_needed.is_some() == two.as_needed.is_some()
        && one.max_24h == two.max_24h
        && one.bounds == two.bounds
}
