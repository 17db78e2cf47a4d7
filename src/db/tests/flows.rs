//! D6, H5, I6: flows in the database and in the floor file; their results on the records.

use super::support::{MEI, ORDERS, TWO_AND_TWO, answered};
use crate::floor::{diff, export, parse};
use crate::{FlowForm, NameTaken, RecordFilter, Scope};
use cordboard_core::flow::{FlowResult, Node};
use cordboard_core::ids::{CallId, FlowId};
use cordboard_core::record::{Entry, FlowRun, What, fold};

const SURVEY: &str = r#"
    [flows.Survey]
    start = "rate"
    [flows.Survey.nodes.rate]
    type = "menu"
    title = "Rating"
    sounds = ["please-rate"]
    keys = { 1 = "order", 5 = "order" }
    result = "rating"
    otherwise = "end"
    [flows.Survey.nodes.order]
    type = "digits"
    sounds = ["order-number"]
    min = 2
    max = 8
    result = "order"
    seconds = 7
    repeats = 2
    next = "thanks"
    otherwise = "end"
    [flows.Survey.nodes.thanks]
    type = "prompt"
    sounds = ["thank-you"]
    next = "end"
    [flows.Survey.nodes.end]
    type = "end"
"#;

fn form(name: &str) -> FlowForm {
    let floor = parse(SURVEY).unwrap();
    let flow = &floor.flows["Survey"];
    FlowForm {
        name: name.to_owned(),
        enabled: true,
        definition: cordboard_core::flow::Definition { start: flow.start.clone(), nodes: flow.nodes.clone() },
    }
}

on_both! {
    // D6, I6
    fn a_flow_of_the_file_is_the_databases_and_is_exported(test) {
        assert_eq!(test.apply(SURVEY), ["+ flow Survey"]);
        let flows = test.db.flows().unwrap();
        assert_eq!((flows.len(), flows[0].name.as_str(), flows[0].enabled), (1, "Survey", true));
        let Node::Menu { keys, seconds, repeats, .. } = &flows[0].definition.nodes["rate"] else { panic!("{flows:?}") };
        assert_eq!((keys.len(), *seconds, *repeats), (2, 5, 1));
        let file = export(&test.db).unwrap();
        assert!(diff(&test.db, &parse(&file).unwrap()).unwrap().is_empty(), "{file}");
        let off = SURVEY.replace("start = \"rate\"", "start = \"rate\"\nenabled = false");
        assert_eq!(test.apply(&off), ["~ flow Survey: enabled true -> false"]);
        assert!(!test.db.flows().unwrap()[0].enabled);
        assert_eq!(test.apply(""), ["- flow Survey"]);
        assert!(test.db.flows().unwrap().is_empty());
    }

    // H5
    fn flows_are_made_changed_and_deleted_one_by_one(test) {
        let id = test.db.create_flow(&form("Survey")).unwrap().unwrap();
        assert_eq!(test.db.create_flow(&form("Survey")).unwrap(), Err(NameTaken));
        test.db.create_flow(&form("Other")).unwrap().unwrap();
        assert_eq!(test.db.change_flow(id, &form("Other")).unwrap(), Some(Err(NameTaken)));
        assert_eq!(test.db.change_flow(id, &FlowForm { enabled: false, ..form("Order") }).unwrap(), Some(Ok(())));
        assert_eq!(test.db.change_flow(FlowId(99), &form("New")).unwrap(), None);
        let names: Vec<_> = test.db.flows().unwrap().into_iter().map(|flow| (flow.name, flow.enabled)).collect();
        assert_eq!(names, [("Order".to_owned(), false), ("Other".to_owned(), true)]);
        assert!(test.db.delete_flow(id).unwrap());
        assert!(!test.db.delete_flow(id).unwrap());
    }

    // D6, G1
    fn results_are_on_the_record(test) {
        test.apply(TWO_AND_TWO);
        let mut journal = answered(1, "+447700900123", ORDERS, MEI, 0);
        let rated = FlowResult { name: "rating".into(), value: "5".into() };
        let more = [What::FlowBegan { flow: "Survey".into() }, What::FlowResult(rated.clone()), What::FlowFinished];
        journal.splice(4..4, more.map(|what| Entry { call: CallId(1), at: 50, what }));
        test.db.write_calls(&[fold(&journal, None).unwrap()]).unwrap();
        let page = test.db.records_page(&RecordFilter::default(), &Scope::All).unwrap();
        assert_eq!(page.items[0].record.flows, [FlowRun { flow: "Survey".into(), finished: true, results: vec![rated] }]);
    }
}

// H5, I6
#[test]
fn a_flow_that_cannot_be_run_is_refused_with_the_line_of_its_node() {
    let mistakes = |text: &str| -> Vec<(usize, String, String)> {
        parse(text).unwrap_err().into_iter().map(|error| (error.line, error.key, error.message)).collect()
    };
    let nowhere = SURVEY.replace("next = \"end\"", "next = \"ende\"");
    let expected = (21, "flows.Survey.nodes.thanks".to_owned(), "next leads to \"ende\", and there is no such node".to_owned());
    assert_eq!(mistakes(&nowhere), [expected]);
    let [(line, key, message)] = &mistakes(&SURVEY.replace("repeats = 2", "repeat = 2"))[..] else { panic!() };
    assert!(message.contains("unknown field `repeat`"), "{message}");
    assert_eq!((*line, key.as_str()), (11, "flows.Survey.nodes.order"));
    let [(_, _, message)] = &mistakes(&SURVEY.replace("\"prompt\"", "\"promt\""))[..] else { panic!() };
    assert!(message.contains("unknown variant `promt`"), "{message}");
}
