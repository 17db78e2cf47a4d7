//! Callers who are barred (C1, H6): numbers and beginnings of numbers, looked up without the database.

use std::collections::BTreeMap;

/// No number is longer (E.164), so no beginning of one is.
const MOST_DIGITS: usize = 15;

/// One entry of the blocklist.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Barred {
    /// As people write it; compared by [`plain`].
    pub number: String,
    /// Every number that begins so.
    pub prefix: bool,
    /// Wall time, milliseconds since 1970 UTC; none: for good.
    pub until: Option<i64>,
}

/// All entries, of which each is found in logarithmic time.
#[derive(Default, Debug)]
pub struct Blocklist {
    numbers: BTreeMap<String, Option<i64>>,
    prefixes: BTreeMap<String, Option<i64>>,
}

impl Blocklist {
    /// Takes an entry in; it replaces an earlier one of the same number and kind. What is no number bars nobody.
    pub fn bar(&mut self, entry: &Barred) {
        if let Some(digits) = plain(&entry.number) {
            let entries = if entry.prefix { &mut self.prefixes } else { &mut self.numbers };
            entries.insert(digits.to_owned(), entry.until);
        }
    }

    /// Whether this caller is barred at that moment. Who withholds the number never is.
    pub fn bars(&self, caller: &str, wall: i64) -> bool {
        let Some(digits) = plain(caller) else { return false };
        let holds = |until: &Option<i64>| until.is_none_or(|until| wall < until);
        let mut beginnings = (1..=digits.len().min(MOST_DIGITS)).filter_map(|length| digits.get(..length));
        self.numbers.get(digits).is_some_and(holds) || beginnings.any(|beginning| self.prefixes.get(beginning).is_some_and(holds))
    }
}

impl FromIterator<Barred> for Blocklist {
    fn from_iter<T: IntoIterator<Item = Barred>>(entries: T) -> Self {
        let mut list = Self::default();
        entries.into_iter().for_each(|entry| list.bar(&entry));
        list
    }
}

/// A number as it is compared: its digits, without the `+` or `00` of an international one, since carriers write it in either way or not at all.
/// None: a caller who withheld the number, or the name of a SIP user.
pub fn plain(number: &str) -> Option<&str> {
    let digits = number.strip_prefix('+').or_else(|| number.strip_prefix("00")).unwrap_or(number);
    (!digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())).then_some(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(entries: &[(&str, bool, Option<i64>)]) -> Blocklist {
        entries.iter().map(|(number, prefix, until)| Barred { number: (*number).to_owned(), prefix: *prefix, until: *until }).collect()
    }

    // C1, H6
    #[test]
    fn a_number_is_barred_however_the_carrier_writes_it() {
        let list = list(&[("+447700900123", false, None)]);
        for caller in ["+447700900123", "447700900123", "00447700900123"] {
            assert!(list.bars(caller, 0), "{caller}");
        }
        for caller in ["+4477009001234", "+44770090012", "7700900123", "+447700900124"] {
            assert!(!list.bars(caller, 0), "{caller}");
        }
    }

    // C1, H6
    #[test]
    fn a_prefix_bars_all_numbers_that_begin_so_and_nobody_who_withholds_theirs() {
        let list = list(&[("+4490", true, None), ("0900", true, None)]);
        for caller in ["+4490", "+44901234567", "4490123", "0900555", &format!("+4490{}", "1".repeat(5_000))] {
            assert!(list.bars(caller, 0), "{caller}");
        }
        for caller in ["+449", "+4491", "anonymous", "", "+", "unknown", "4490x", "alice"] {
            assert!(!list.bars(caller, 0), "{caller}");
        }
    }

    // H6
    #[test]
    fn an_entry_ends_at_its_moment_and_another_of_the_number_goes_on() {
        let mut list = list(&[("+441", false, Some(1_000)), ("+44", true, Some(2_000))]);
        assert!(list.bars("+441", 999) && list.bars("+441", 1_999) && !list.bars("+441", 2_000));
        list.bar(&Barred { number: "441".into(), prefix: false, until: None });
        assert!(list.bars("+441", 2_000) && !list.bars("+442", 2_000));
    }

    // C1: the call's way asks, so it must not grow with the list.
    #[test]
    fn one_is_found_among_a_hundred_thousand() {
        let entry = |n: u32| Barred { number: format!("+4477{n:08}"), prefix: n.is_multiple_of(2), until: None };
        let list: Blocklist = (0..100_000).map(entry).collect();
        assert!(list.bars("+447700099999", 0) && list.bars("+4477000999981", 0));
        assert!(!list.bars("+4477000999991", 0) && !list.bars("+447700100001", 0));
    }
}
