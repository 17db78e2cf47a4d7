//! Numbers as the report writes them.

/// A share.
pub fn percent(share: f64, digits: usize) -> String {
    format!("{:.digits$} %", 100.0 * share)
}

/// To the hundredth: all of a column alike.
pub fn milliseconds(time: f64) -> String {
    grouped(format!("{time:.2}"))
}

/// Of milliseconds, beside an axis.
pub fn duration(time: f64) -> String {
    match time {
        ..0.99 => format!("{:.0} µs", 1000.0 * time),
        ..999.0 => format!("{} ms", trimmed(time)),
        _ => format!("{} s", trimmed(time / 1000.0)),
    }
}

/// Calls a second; a tenth of one says nothing where there are hundreds.
pub fn rate(rate: f64) -> String {
    if rate < 100.0 { trimmed(rate) } else { grouped(format!("{rate:.0}")) }
}

/// With one digit behind the point, if any.
pub fn trimmed(number: f64) -> String {
    let number = format!("{number:.1}");
    number.strip_suffix(".0").map_or_else(|| number.clone(), str::to_owned)
}

/// A number with a comma between thousands.
pub fn grouped(number: impl ToString) -> String {
    let number = number.to_string();
    let whole = number.find('.').unwrap_or(number.len());
    let comma = |at: usize| at > 0 && at < whole && (whole - at).is_multiple_of(3);
    number.char_indices().flat_map(|(at, digit)| comma(at).then_some(',').into_iter().chain([digit])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_people_read_them() {
        assert_eq!(["7", "123", "1234", "1234567", "12345.67"].map(grouped), ["7", "123", "1,234", "1,234,567", "12,345.67"]);
        assert_eq!([3.0, 3.04, 3.16].map(trimmed), ["3", "3", "3.2"]);
        assert_eq!([2.5, 1250.4].map(rate), ["2.5", "1,250"]);
        assert_eq!([0.1, 10.0, 10_000.0].map(duration), ["100 µs", "10 ms", "10 s"]);
        assert_eq!((percent(0.012_34, 2), milliseconds(1234.567)), ("1.23 %".to_owned(), "1,234.57".to_owned()));
    }
}
