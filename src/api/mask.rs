//! Customers' numbers as agents see them: enough to recognise one, too little to dial it (D1).

/// Hides the middle of a number: `+447700900114` becomes `+44 7700 •••• 14`. The dots are always four, whatever they stand for.
///
/// What is no number (a SIP user's name) is hidden whole; words for a caller who withheld theirs stay.
pub fn mask(number: &str) -> String {
    const WITHHELD: [&str; 5] = ["", "anonymous", "unavailable", "restricted", "unknown"];
    const DOTS: &str = "••••";
    const LEADING: usize = 4;
    const HIDDEN: usize = 4;
    const TRAILING: usize = 2;
    if WITHHELD.iter().any(|word| number.eq_ignore_ascii_case(word)) {
        return number.to_owned();
    }
    let (plus, rest) = number.strip_prefix('+').map_or((false, number), |rest| (true, rest));
    if !rest.chars().all(|c| c.is_ascii_digit() || " -().".contains(c)) {
        return DOTS.to_owned();
    }
    let digits: String = rest.chars().filter(char::is_ascii_digit).collect();
    let (country, national) = digits.split_at_checked(if plus { country_code_length(&digits) } else { 0 }).unwrap_or(("", &digits));
    if national.len() < HIDDEN + TRAILING {
        return DOTS.to_owned();
    }
    let leading = LEADING.min(national.len() - HIDDEN - TRAILING);
    let head = national.get(..leading).unwrap_or_default();
    let tail = national.get(national.len() - TRAILING..).unwrap_or_default();
    let country = if country.is_empty() { String::new() } else { format!("+{country}") };
    [country.as_str(), head, DOTS, tail].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

/// How many of an international number's digits are the country code (ITU-T E.164, list of assigned codes).
fn country_code_length(digits: &str) -> usize {
    const TWO: &str = "20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58 60 61 62 63 64 65 66 81 82 84 86 90 91 92 93 94 95 98";
    match digits.get(..2) {
        Some(start) if start.starts_with(['1', '7']) => 1,
        Some(start) if TWO.split(' ').any(|code| code == start) => 2,
        Some(_) | None => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::mask;

    #[test]
    fn the_middle_of_a_number_is_hidden() {
        for (number, masked) in [
            ("+447700900114", "+44 7700 •••• 14"),
            ("+12025550143", "+1 2025 •••• 43"),
            ("+8613800138000", "+86 1380 •••• 00"),
            ("+35319693000", "+353 19 •••• 00"),
            ("02079460018", "0207 •••• 18"),
            ("(020) 7946-0018", "0207 •••• 18"),
            ("123456", "•••• 56"),
        ] {
            assert_eq!(mask(number), masked);
        }
    }

    #[test]
    fn a_short_number_and_a_name_are_hidden_whole() {
        assert_eq!(mask("12345"), "••••");
        assert_eq!(mask("+441"), "••••");
        assert_eq!(mask("alice"), "••••");
        assert_eq!(mask("+"), "••••");
    }

    #[test]
    fn a_caller_who_withheld_the_number_is_told() {
        assert_eq!(mask("anonymous"), "anonymous");
        assert_eq!(mask(""), "");
    }
}
