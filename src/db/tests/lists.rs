//! The lists that people keep: barred callers (H6) and dispositions (H7), in the database and in the floor file (I6).

use super::support::{MEI, ORDERS, TWO_AND_TWO, TestDb, answered};
use crate::floor::{diff, export, parse};
use crate::journal::Journal;
use crate::{BlockForm, DispositionForm, NameTaken, RecordFilter, Scope};
use cordboard_core::blocklist::{Barred, Blocklist};
use cordboard_core::ids::CallId;
use cordboard_core::record::{Entry, What};
use std::time::Duration;

const LONG: Duration = Duration::from_secs(30);
/// Not soon: 2100-01-01.
const FAR: i64 = 4_102_444_800_000;

fn form(number: &str, until: Option<i64>, at: i64) -> BlockForm {
    BlockForm { barred: Barred { number: number.into(), prefix: false, until }, note: "Shouts".into(), by: Some(MEI), at }
}

/// Number and end of all entries that hold then, newest first.
fn listed(test: &TestDb, now: i64) -> Vec<(String, Option<i64>)> {
    test.db.blocklist_page("", 0, now).unwrap().items.into_iter().map(|entry| (entry.number, entry.until)).collect()
}

const LISTS: &str = r#"
    [[dispositions]]
    name = "Order placed"
    [[dispositions]]
    name = "Complaint"
    enabled = false
    [[blocklist]]
    number = "+44 7700 900 999"
    expires = 2100-01-01T01:00:00+01:00
    note = "Threatened an agent"
    [[blocklist]]
    number = "0900"
    prefix = true
"#;

on_both! {
    // H6
    fn an_entry_bars_until_its_end_and_is_forgotten_then(test) {
        test.apply(TWO_AND_TWO);
        assert!(test.db.bar(&form("+44771", Some(1_000), 0)).unwrap());
        assert!(test.db.bar(&form("+44772", None, 1)).unwrap());
        let entry = &test.db.blocklist_page("", 0, 2).unwrap().items[0];
        assert_eq!((entry.number.as_str(), entry.note.as_str(), entry.by.as_deref(), entry.at), ("+44772", "Shouts", Some("Mei Chen"), 1));
        let list: Blocklist = test.db.barred(999).unwrap().into_iter().collect();
        assert!(list.bars("44771", 999) && list.bars("+44772", 999));
        assert_eq!(test.db.barred(1_000).unwrap(), [Barred { number: "+44772".into(), prefix: false, until: None }]);
        assert_eq!((listed(test, 999).len(), listed(test, 1_000).len()), (2, 1));
        test.db.bar(&form("+44773", None, 2_000)).unwrap();
        assert_eq!(listed(test, 0).len(), 2, "the old entry is gone");
    }

    // H6
    fn a_number_is_there_once_and_the_longer_end_stands(test) {
        assert!(test.db.bar(&form("+44771", Some(1_000), 0)).unwrap());
        assert!(!test.db.bar(&form("+44771", Some(1_000), 1)).unwrap());
        assert!(!test.db.bar(&form("44771", Some(900), 1)).unwrap());
        assert!(test.db.bar(&form("0044771", Some(2_000), 2)).unwrap());
        assert_eq!(listed(test, 3), [("0044771".to_owned(), Some(2_000))]);
        assert!(test.db.bar(&form("+44771", None, 3)).unwrap());
        assert!(!test.db.bar(&form("+44771", Some(9_000), 4)).unwrap());
        assert_eq!(listed(test, 5), [("+44771".to_owned(), None)]);
        // A beginning is another entry.
        assert!(test.db.bar(&BlockForm { barred: Barred { prefix: true, ..form("+44771", None, 6).barred }, ..form("", None, 6) }).unwrap());
        assert_eq!(listed(test, 7).len(), 2);
    }

    // H6
    fn entries_are_found_by_digits_page_by_page_and_taken_away(test) {
        for n in 0..60 {
            test.db.bar(&form(&format!("+4477{n:02}"), None, n)).unwrap();
        }
        let page = |digits: &str, page| test.db.blocklist_page(digits, page, 100).unwrap();
        assert_eq!((page("", 0).items.len(), page("", 1).items.len(), page("", 1).total), (50, 10, 60));
        assert_eq!((page("", 0).items[0].number.as_str(), page("7707", 0).total), ("+447759", 1));
        let entry = page("447707", 0).items[0].id;
        assert!(test.db.unbar(entry).unwrap());
        assert!(!test.db.unbar(entry).unwrap());
        assert_eq!(page("", 0).total, 59);
    }

    // H7
    fn dispositions_are_made_changed_ordered_and_deleted(test) {
        let form = |name: &str, position| DispositionForm { name: name.into(), position, enabled: true };
        let order = test.db.create_disposition(&form("Order", None)).unwrap().unwrap();
        let complaint = test.db.create_disposition(&form("Complaint", None)).unwrap().unwrap();
        assert_eq!((order.position, complaint.position), (1, 2));
        assert_eq!(test.db.create_disposition(&form("Order", None)).unwrap(), Err(NameTaken));
        test.db.create_disposition(&form("First", Some(0))).unwrap().unwrap();
        let names = || test.db.dispositions().unwrap().into_iter().map(|known| known.name).collect::<Vec<_>>();
        assert_eq!(names(), ["First", "Order", "Complaint"]);
        assert_eq!(test.db.change_disposition(order.id, &form("First", None)).unwrap(), Some(Err(NameTaken)));
        let changed = test.db.change_disposition(order.id, &DispositionForm { enabled: false, ..form("Sale", Some(9)) }).unwrap().unwrap().unwrap();
        assert_eq!((changed.name.as_str(), changed.position, changed.enabled), ("Sale", 9, false));
        assert_eq!(test.db.change_disposition(99, &form("None", None)).unwrap(), None);
        assert_eq!(names(), ["First", "Complaint", "Sale"]);
        assert!(test.db.delete_disposition(complaint.id).unwrap());
        assert!(!test.db.delete_disposition(complaint.id).unwrap());
        assert_eq!(names(), ["First", "Sale"]);
    }

    // H6, H7, I6
    fn lists_of_the_file_are_the_databases_and_are_exported(test) {
        let added = ["+ disposition Complaint", "+ disposition Order placed", "+ blocklist +447700900999", "+ blocklist 0900*"];
        assert_eq!(test.apply(LISTS), added);
        let list: Blocklist = test.db.barred(0).unwrap().into_iter().collect();
        assert!(list.bars("+447700900999", FAR - 1) && !list.bars("+447700900999", FAR) && list.bars("0900123", FAR));
        let names: Vec<_> = test.db.dispositions().unwrap().into_iter().map(|known| (known.name, known.enabled)).collect();
        assert_eq!(names, [("Order placed".to_owned(), true), ("Complaint".to_owned(), false)]);
        let file = export(&test.db).unwrap();
        assert!(diff(&test.db, &parse(&file).unwrap()).unwrap().is_empty(), "{file}");
        assert!(test.apply(LISTS).is_empty());
        assert_eq!(test.fresh().apply(&file), added);
        let turned = LISTS.replace("Order placed", "Other").replace("Complaint", "Order placed").replace("number = \"0900\"", "number = \"0900\"\nnote = \"Premium\"");
        let changes = test.apply(&turned);
        assert_eq!(changes.len(), 4, "{changes:?}");
        assert!(changes.contains(&"~ disposition Order placed: enabled true -> false, place 1 -> 2".to_owned()), "{changes:?}");
        assert!(changes.contains(&"~ blocklist 0900*: note none -> \"Premium\"".to_owned()), "{changes:?}");
    }

    // H6, I6
    fn a_file_without_a_blocklist_leaves_who_agents_barred(test) {
        test.db.bar(&form("+44771", None, 0)).unwrap();
        test.apply("");
        assert_eq!(listed(test, 1).len(), 1);
        assert_eq!(test.apply("blocklist = []"), ["- blocklist +44771"]);
        assert!(!export(&test.db).unwrap().contains("blocklist"));
        // What is over is no difference.
        let over = "[[blocklist]]\nnumber = \"+44772\"\nexpires = 2020-01-01T00:00:00Z\n";
        assert!(test.apply(over).is_empty());
    }

    // D8, G1, G5
    fn the_last_disposition_stands_whenever_it_comes_and_its_deletion_leaves_the_record(test) {
        test.apply(TWO_AND_TWO);
        test.apply(&format!("{TWO_AND_TWO}{LISTS}"));
        let journal = Journal::open(test.dir.path(), test.db.clone(), Box::new(|_| {})).unwrap();
        let say = |name: &str| journal.append(Entry { call: CallId(1), at: 0, what: What::Disposition { segment: 0, name: name.into() } }, None);
        let record = || test.db.records_page(&RecordFilter::default(), &Scope::All).unwrap().items[0].record.clone();
        let call = answered(1, "+44", ORDERS, MEI, 0);
        call[..4].iter().for_each(|entry| journal.append(entry.clone(), None));
        say("Complaint");
        journal.append(call[4].clone(), None);
        journal.flush(LONG).unwrap();
        assert_eq!(record().disposition, "Complaint");
        say("Complaint");
        say("Order placed");
        journal.flush(LONG).unwrap();
        assert_eq!(record().disposition, "Order placed");
        test.apply(TWO_AND_TWO);
        assert!(test.db.dispositions().unwrap().is_empty());
        assert_eq!((record().disposition.as_str(), record().remark.as_str()), ("Order placed", ""));
        let found = |name: &str| test.db.records_page(&RecordFilter { disposition: Some(name.into()), ..RecordFilter::default() }, &Scope::All).unwrap().total;
        assert_eq!((found("Order placed"), found("Complaint"), found("Order")), (1, 0, 0));
        say("");
        journal.flush(LONG).unwrap();
        assert_eq!(record().disposition, "");
    }
}

// H6, H7, I6
#[test]
fn a_list_with_mistakes_is_refused_with_their_lines() {
    let mistakes = |text: &str| -> Vec<(usize, String, String)> {
        parse(text).unwrap_err().into_iter().map(|error| (error.line, error.key, error.message)).collect()
    };
    let text = "[[blocklist]]\nnumber = \"Hannah\"\n[[blocklist]]\nnumber = \"+44771\"\nexpires = 2027-01-01\n[[blocklist]]\nnumber = \"0044771\"\n";
    let found = mistakes(text);
    assert_eq!(
        found.iter().map(|(line, key, _)| (*line, key.as_str())).collect::<Vec<_>>(),
        [(2, "blocklist.0.number"), (5, "blocklist.1.expires"), (7, "blocklist.2.number"),]
    );
    assert!(found[1].2.contains("2026-12-24T18:00:00Z") && found[2].2.contains("twice"), "{found:?}");
    let twice = mistakes("[[dispositions]]\nname = \"A\"\n[[dispositions]]\nname = \"A\"\n[[dispositions]]\nname = \" \"\n");
    assert_eq!(twice.iter().map(|(line, ..)| *line).collect::<Vec<_>>(), [4, 6]);
    assert_eq!(mistakes("[blocklist]")[0].1, "blocklist");
}
