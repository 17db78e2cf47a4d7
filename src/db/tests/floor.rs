//! The floor file (I6).

use super::support::secret;
use crate::floor::{ApplyError, Passwords, apply, diff, export, parse};
use crate::{Phone, PhoneSecret};
use cordboard_core::setup::{DeviceSetup, PhoneContact, PhoneSetup, Strategy, Transport, WayOut, WrapUp};

const FULL: &str = r#"
    [settings]
    mask_numbers = false
    break_reasons = ["Lunch", "Team talk"]
    crm = { url = "https://crm.example:8443/call?from={caller}&id={call_id}" }

    [trunks.carrier]
    hosts = ["127.0.0.1:5070", "[2001:db8::1]:5060"]
    max_channels = 30
    options_every = "10s"
    [trunks.second]
    hosts = ["192.0.2.9:5061"]
    transport = "tls"
    options_every = "off"

    [phones.desk]
    user = "tom"
    addr = "192.0.2.20:5060"
    transport = "tcp"

    [phones.soft]
    user = "mei"
    register = true
    password_env = "SOFT"
    md5 = true

    [groups.Orders]
    strategy = "agent_priority"
    ring = "15s"
    wrap_up = "manual"
    automatic_answer = true
    misses = 0
    last_agent_wait = "20s"
    max_wait = "5m"
    on_max_wait = { group = "Returns" }
    max_queue = 40
    on_max_queue = { prompt = "sorry" }
    on_no_agent = { prompt = "closed" }
    welcome = "welcome"
    music = "music"
    announce_position = "30s"
    announcement = "please-hold"
    announce_every = "45s"
    record = false
    [groups.Returns]

    [agents."mei@demo.example"]
    number = "1001"
    name = "Mei Chen"
    groups = ["Orders", { group = "Returns", priority = 2, weight = 5 }]
    automatic_answer = false
    password_env = "MEI"
    [agents."tom@demo.example"]
    number = "1002"
    name = "Tom Baker"
    role = "admin"
    groups = ["Returns"]
    phone = "desk"

    [[numbers]]
    did = "+44 20 7946 0001"
    group = "Orders"
    early_media = true
    [[numbers]]
    did = "+442079460001"
    trunk = "second"
    group = "Returns"
"#;

fn mistakes(text: &str) -> Vec<(usize, String, String)> {
    parse(text).unwrap_err().into_iter().map(|error| (error.line, error.key, error.message)).collect()
}

/// The only mistake's line, key, and whether its message holds the word.
fn mistake(text: &str, word: &str) -> (usize, String) {
    let all = mistakes(text);
    let [(line, key, message)] = all.as_slice() else { panic!("{all:?}") };
    assert!(message.contains(word), "{message}");
    (*line, key.clone())
}

on_both! {
    fn the_database_becomes_what_the_file_says(test) {
        assert_eq!(test.apply(FULL).len(), 11);
        let db = &test.db;
        let settings = db.settings().unwrap();
        assert_eq!((settings.mask_numbers, settings.break_reasons), (false, vec!["Lunch".to_owned(), "Team talk".to_owned()]));
        assert_eq!(settings.crm.unwrap().origin(), Ok("https://crm.example:8443"));
        let trunks = db.trunks().unwrap();
        assert_eq!(trunks[0].hosts, vec!["127.0.0.1:5070".parse().unwrap(), "[2001:db8::1]:5060".parse().unwrap()]);
        assert_eq!((trunks[0].max_channels, trunks[0].options_every, trunks[0].transport), (Some(30), 10_000, Transport::Udp));
        assert_eq!((trunks[1].max_channels, trunks[1].options_every, trunks[1].transport), (None, 0, Transport::Tls));
        let groups = db.groups().unwrap();
        let (orders, returns) = (&groups[0], &groups[1]);
        assert_eq!((orders.name.as_str(), orders.strategy, orders.ring, orders.wrap_up), ("Orders", Strategy::AgentPriority, 15_000, WrapUp::Manual));
        assert_eq!((orders.max_wait, &orders.on_max_wait), (Some(300_000), &WayOut::Group(returns.id)));
        assert_eq!((orders.max_queue, &orders.on_max_queue), (Some(40), &WayOut::HangUp { prompt: Some("sorry".into()) }));
        assert_eq!((orders.last_agent_wait, orders.announce_position, orders.misses, orders.record), (20_000, Some(30_000), 0, false));
        assert_eq!((orders.welcome.as_deref(), orders.announcement.as_deref(), orders.announce_every), (Some("welcome"), Some("please-hold"), 45_000));
        assert_eq!((returns.announce_position, returns.announcement.as_deref(), returns.announce_every), (None, None, 30_000));
        assert_eq!((returns.strategy, returns.ring, returns.wrap_up), (Strategy::LongestIdle, 20_000, WrapUp::Millis(20_000)));
        assert_eq!((returns.max_wait, &returns.on_no_agent, returns.misses, returns.record), (None, &WayOut::HangUp { prompt: None }, 3, true));
        let agents = db.agents().unwrap();
        let places: Vec<_> = agents[0].groups.iter().map(|place| (place.group, place.priority, place.weight)).collect();
        assert_eq!(places, vec![(orders.id, 1, 1), (returns.id, 2, 5)]);
        assert_eq!((agents[0].automatic_answer, &agents[0].device), (Some(false), &DeviceSetup::Browser));
        let DeviceSetup::Phone(desk) = &agents[1].device else { panic!() };
        let fixed = PhoneContact::Fixed { addr: "192.0.2.20:5060".parse().unwrap(), transport: Transport::Tcp };
        assert_eq!((desk.user.as_str(), desk.contact), ("tom", fixed));
        let soft = PhoneSetup { name: "soft".into(), user: "mei".into(), contact: PhoneContact::Registered };
        let secret = PhoneSecret { realm: "test".into(), ha1: "mei secret of SOFT true".into() };
        assert_eq!(db.phones().unwrap(), vec![
            Phone { setup: desk.clone(), md5: false, secret: None },
            Phone { setup: soft, md5: true, secret: Some(secret) },
        ]);
        let numbers = db.numbers().unwrap();
        assert_eq!(numbers.iter().map(|n| (n.did.as_str(), n.trunk, n.group, n.early_media)).collect::<Vec<_>>(), vec![
            ("+442079460001", None, orders.id, true),
            ("+442079460001", Some(trunks[1].id), returns.id, false),
        ]);
    }

    fn applying_a_file_again_changes_nothing(test) {
        test.apply(FULL);
        assert_eq!(test.apply(FULL), Vec::<String>::new());
    }

    fn an_exported_floor_is_the_floor(test) {
        test.apply(FULL);
        let file = export(&test.db).unwrap();
        assert!(!file.contains("secret") && !file.contains("hash of"), "{file}");
        assert_eq!(test.apply(&file), Vec::<String>::new());
        let other = test.fresh();
        assert_eq!(other.apply(&file).len(), 11);
        assert_eq!(export(&other.db).unwrap(), file);
    }

    fn what_changes_is_told_key_by_key(test) {
        test.apply(FULL);
        let file = FULL
            .replace("ring = \"15s\"", "ring = \"1m\"")
            .replace("max_queue = 40", "")
            .replace("announce_every = \"45s\"", "announce_every = \"1m\"")
            .replace("hosts = [\"127.0.0.1:5070\", \"[2001:db8::1]:5060\"]", "hosts = [\"127.0.0.1:5071\"]")
            .replace("name = \"Tom Baker\"", "name = \"Thomas Baker\"")
            .replace("mask_numbers = false", "");
        let told = vec![
            "~ settings: mask_numbers false -> true",
            "~ trunk carrier: hosts [\"127.0.0.1:5070\", \"[2001:db8::1]:5060\"] -> [\"127.0.0.1:5071\"]",
            "~ group Orders: announce_every \"45s\" -> \"1m\", max_queue 40 -> none, ring \"15s\" -> \"1m\"",
            "~ agent tom@demo.example: name \"Tom Baker\" -> \"Thomas Baker\"",
        ];
        let floor = parse(&file).unwrap();
        assert_eq!(diff(&test.db, &floor).unwrap().iter().map(ToString::to_string).collect::<Vec<_>>(), told);
        assert_eq!(test.apply(&file), told);
        assert_eq!(test.apply(&file), Vec::<String>::new());
        assert_eq!(test.db.trunks().unwrap()[0].hosts.len(), 1);
    }

    fn a_dry_run_changes_nothing(test) {
        let floor = parse(FULL).unwrap();
        let passwords = Passwords { env: &|_| Some("secret".into()), hash: &|_| Ok("hash".into()), phone: &secret };
        assert_eq!(apply(&test.db, &floor, &passwords, true).unwrap().len(), 11);
        assert_eq!((test.db.agents().unwrap().len(), test.db.groups().unwrap().len(), test.db.numbers().unwrap().len()), (0, 0, 0));
    }

    fn what_the_file_leaves_out_is_removed(test) {
        test.apply(FULL);
        let removed = test.apply("");
        assert_eq!(removed.iter().filter(|change| change.starts_with("- ")).count(), 10);
        let db = &test.db;
        assert!(db.agents().unwrap().is_empty() && db.groups().unwrap().is_empty() && db.numbers().unwrap().is_empty());
        assert!(db.trunks().unwrap().is_empty() && db.phones().unwrap().is_empty());
        assert_eq!(db.settings().unwrap(), crate::Settings::default());
    }

    fn an_agent_and_a_group_that_come_back_keep_their_ids_but_not_the_password(test) {
        test.apply(FULL);
        let before = (test.db.agents().unwrap(), test.db.groups().unwrap());
        test.apply("");
        // Others had their names meanwhile.
        test.apply("[agents.\"new@demo.example\"]\nnumber = \"1001\"\nname = \"New\"");
        test.apply("");
        let changes = test.apply(&FULL.replace("password_env = \"MEI\"", ""));
        assert!(changes.contains(&"+ agent mei@demo.example".to_owned()), "{changes:?}");
        assert_eq!(before, (test.db.agents().unwrap(), test.db.groups().unwrap()));
        assert!(test.db.account_by_email("mei@demo.example").unwrap().unwrap().password_hash.is_none());
    }

    fn an_account_that_gets_another_address_stays_the_same_agent(test) {
        test.apply(FULL);
        let mei = test.db.account_by_email("mei@demo.example").unwrap().unwrap();
        let changes = test.apply(&FULL.replace("mei@demo.example", "mei.chen@demo.example"));
        assert_eq!(changes, vec!["~ agent mei.chen@demo.example: email \"mei@demo.example\" -> \"mei.chen@demo.example\""]);
        let after = test.db.account_by_email("mei.chen@demo.example").unwrap().unwrap();
        assert_eq!((after.setup.id, after.password_hash), (mei.setup.id, mei.password_hash));
    }

    fn two_agents_may_swap_their_numbers(test) {
        test.apply(FULL);
        let swapped = FULL.replace("\"1001\"", "\"x\"").replace("\"1002\"", "\"1001\"").replace("\"x\"", "\"1002\"");
        assert_eq!(test.apply(&swapped).len(), 2);
        assert_eq!(test.db.account_by_email("tom@demo.example").unwrap().unwrap().setup.number, "1001");
    }

    fn an_agent_who_leaves_frees_the_number_for_the_next(test) {
        test.apply(FULL);
        let file = FULL.replace("number = \"1001\"", "number = \"1003\"").replace("tom@demo", "tim@demo").replace("\"1002\"", "\"1001\"");
        test.apply(&file);
        assert_eq!(test.db.account_by_email("tim@demo.example").unwrap().unwrap().setup.number, "1001");
        assert!(test.db.account_by_email("tom@demo.example").unwrap().is_none());
    }

    fn a_password_is_only_ever_set_once(test) {
        test.apply(FULL);
        let mei = test.db.account_by_email("mei@demo.example").unwrap().unwrap().setup.id;
        test.db.set_password(mei, "her own", false).unwrap();
        test.apply(&FULL.replace("\"MEI\"", "\"OTHER\""));
        assert_eq!(test.db.account(mei).unwrap().unwrap().password_hash.as_deref(), Some("her own"));
        let changes = test.apply(&FULL.replace("phone = \"desk\"", "phone = \"desk\"\npassword_env = \"TOM\""));
        assert_eq!(changes, vec!["~ agent tom@demo.example: password none -> set"]);
    }

    fn a_phones_password_is_what_the_environment_says_and_stays_without_it(test) {
        test.apply(FULL);
        let kept = || test.db.phones().unwrap()[1].secret.clone().map(|secret| secret.ha1);
        let before = kept();
        assert_eq!(test.apply_with(FULL, &|_| None), Vec::<String>::new());
        let new = |name: &str| Some(format!("new {name}"));
        assert_eq!(test.apply_with(FULL, &new), vec!["~ phone soft: password none -> set"]);
        assert_eq!(kept().as_deref(), Some("mei new SOFT true"));
        // Another algorithm needs the password again, and so does another user.
        for changed in [FULL.replace("md5 = true", ""), FULL.replace("\"mei\"", "\"mei2\"")] {
            let floor = parse(&changed).unwrap();
            let passwords = Passwords { env: &|_| None, hash: &|_| Ok("hash".into()), phone: &secret };
            let Err(ApplyError::Password(error)) = apply(&test.db, &floor, &passwords, false) else { panic!() };
            assert_eq!(error.key, "phones.soft.password_env");
        }
        let sha256 = FULL.replace("md5 = true", "");
        assert_eq!(test.apply(&sha256), vec!["~ phone soft: md5 true -> none, password none -> set"]);
        assert_eq!(kept().as_deref(), Some("mei secret of SOFT false"));
        test.apply(&FULL.replace("password_env = \"SOFT\"", ""));
        assert_eq!(kept(), None, "it was another algorithm's");
        test.apply(FULL);
        assert_eq!(kept(), before);
        test.apply(&FULL.replace("user = \"mei\"", "user = \"mei2\"").replace("password_env = \"SOFT\"", ""));
        assert_eq!(kept(), None, "it was another user's");
        test.apply(FULL);
        test.apply(&FULL.replace("register = true\n    password_env = \"SOFT\"\n    md5 = true", "addr = \"192.0.2.21:5060\""));
        assert_eq!(kept(), None, "it registers no more");
    }

    fn a_password_that_is_missing_or_refused_stops_everything(test) {
        let floor = parse(FULL).unwrap();
        let line = 1 + FULL.lines().position(|line| line.contains("password_env = \"MEI\"")).unwrap();
        for (env, hash) in [(None, Ok("hash")), (Some("short"), Err("too short"))] {
            let passwords = Passwords {
                env: &|_| env.map(str::to_owned),
                hash: &|_| hash.map(str::to_owned).map_err(str::to_owned),
                phone: &secret,
            };
            let Err(ApplyError::Password(error)) = apply(&test.db, &floor, &passwords, false) else { panic!() };
            assert_eq!((error.line, error.key.as_str()), (line, "agents.mei@demo.example.password_env"));
            assert!(error.message.contains("MEI") && !error.message.contains("\"short\""), "{error}");
            assert!(test.db.groups().unwrap().is_empty());
        }
    }

    fn a_failure_half_way_changes_nothing(test) {
        test.apply(FULL);
        let before = export(&test.db).unwrap();
        // The last thing that is written cannot be.
        test.sql("CREATE UNIQUE INDEX one_each ON numbers (group_id)");
        let floor = parse(&FULL.replace("[groups.Returns]", "[groups.Returns]\nring = \"3s\"").replace("\"second\"\n    group = \"Returns\"", "\"second\"\n    group = \"Orders\"")).unwrap();
        let passwords = Passwords { env: &|_| None, hash: &|_| Err("none".into()), phone: &secret };
        assert!(matches!(apply(&test.db, &floor, &passwords, false), Err(ApplyError::Db(_))));
        assert_eq!(export(&test.db).unwrap(), before);
    }
}

#[test]
fn the_demo_floor_is_a_good_floor() {
    let floor = parse(include_str!("../../../config/floor.demo.toml")).unwrap();
    assert_eq!((floor.agents.len(), floor.groups.len(), floor.trunks.len(), floor.numbers.len()), (3, 2, 1, 2));
}

#[test]
fn an_unknown_key_is_told_with_its_line() {
    assert_eq!(mistake("\n[groups.Orders]\nrings = \"20s\"\n", "unknown field `rings`"), (3, "groups.Orders.rings".into()));
    assert_eq!(mistake("[settings]\nmask = true", "unknown field"), (2, "settings.mask".into()));
    for (url, word) in [
        ("crm.example/x", "https://"),
        ("javascript:alert(1)", "https://"),
        ("https://", "host name"),
        ("https://{caller}.example/", "host name"),
        ("https://me@crm.example/", "host name"),
        ("https://crm.example/?{number}", "{caller}"),
        ("https://crm.example/?{caller", "{caller}"),
        ("https://crm.example/a b", "spaces"),
    ] {
        assert_eq!(mistake(&format!("[settings]\ncrm = {{ url = \"{url}\" }}"), word), (2, "settings.crm.url".into()), "{url}");
    }
    assert_eq!(mistake("\n[gruops.Orders]\n", "unknown section"), (2, "gruops".into()));
    assert_eq!(mistake("[groups.A]\n[groups.A.on_no_agent]\nto = \"B\"", "unknown field"), (3, "groups.A.on_no_agent.to".into()));
}

#[test]
fn a_bad_value_is_told_with_its_line_and_what_was_expected() {
    assert_eq!(mistake("[groups.Orders]\nring = \"20\"", "expected one such as \"20s\""), (2, "groups.Orders.ring".into()));
    assert_eq!(mistake("[groups.Orders]\nring = 20", "expected"), (2, "groups.Orders.ring".into()));
    assert_eq!(mistake("[groups.Orders]\n\nstrategy = \"fastest\"", "longest_idle"), (3, "groups.Orders.strategy".into()));
    assert_eq!(mistake("[trunks.a]\nhosts = [\n  \"sip.example.com\"\n]", "socket address"), (3, "trunks.a.hosts".into()));
    assert_eq!(mistake("[agents.\"a@b\"]\nname = \"A\"", "missing field `number`"), (1, "agents.a@b".into()));
    assert_eq!(mistake("groups = 3", "expected tables"), (1, "groups".into()));
    assert_eq!(mistake("[numbers]", "[[numbers]]"), (1, "numbers".into()));
    assert_eq!(mistake("[groups.A]\nannounce_every = \"9s\"", "at least \"10s\""), (2, "groups.A.announce_every".into()));
    assert_eq!(mistake("[groups.A]\nannounce_position = \"1ms\"", "at least \"10s\""), (2, "groups.A.announce_position".into()));
    assert_eq!(mistake("[groups.A]\nannouncement = \" \"", "a text"), (2, "groups.A.announcement".into()));
    assert_eq!(mistake("[trunks.a]\nhosts = []", "at least one"), (2, "trunks.a.hosts".into()));
    assert_eq!(mistake("[settings.outbound]\nsip_hosts = [\"pbx\"]", "IP address"), (2, "settings.outbound.sip_hosts".into()));
    let own = "[settings.outbound]\nsip_hosts = [\"192.0.2.1\"]\n[trunks.a]\nhosts = [\"192.0.2.1:5060\"]";
    assert_eq!(mistake(own, "is trunk \"a\"'s"), (2, "settings.outbound.sip_hosts".into()));
    assert_eq!(mistake("[agents.mei]\nnumber = \"1\"\nname = \"A\"", "e-mail"), (1, "agents.mei".into()));
    assert_eq!(mistake("[agents.\"a@b\"]\nnumber = \"12a\"\nname = \"A\"", "digits"), (2, "agents.a@b.number".into()));
    assert_eq!(mistake("[groups.A]\n[[numbers]]\ndid = \"+44x\"\ngroup = \"A\"", "telephone number"), (3, "numbers.0.did".into()));
}

#[test]
fn a_phone_is_somewhere_or_registers() {
    let phone = |keys: &str| format!("[phones.p]\nuser = \"u\"\n{keys}");
    assert_eq!(mistake(&phone(""), "register = true"), (1, "phones.p".into()));
    assert_eq!(mistake(&phone("register = false"), "register = true"), (1, "phones.p".into()));
    assert_eq!(mistake(&phone("addr = \"192.0.2.1:5060\"\nregister = true"), "not both"), (4, "phones.p.register".into()));
    assert_eq!(mistake(&phone("addr = \"192.0.2.1:5060\"\npassword_env = \"P\""), "registers"), (4, "phones.p.password_env".into()));
    assert_eq!(mistake(&phone("addr = \"192.0.2.1:5060\"\nmd5 = true"), "registers"), (4, "phones.p.md5".into()));
    assert_eq!(mistake(&phone("register = true\ntransport = \"udp\""), "registered with"), (4, "phones.p.transport".into()));
    let twice = format!("{}\n[phones.q]\nuser = \"u\"\nregister = true", phone("register = true"));
    assert_eq!(mistake(&twice, "already phone \"p\"'s"), (5, "phones.q.user".into()));
}

#[test]
fn a_reference_to_nothing_is_told() {
    let text = r#"
        [groups.A]
        on_no_agent = { group = "Nowhere" }
        [agents."a@b"]
        number = "1"
        name = "A"
        groups = ["A", "B"]
        phone = "desk"
        [[numbers]]
        did = "100"
        group = "C"
        trunk = "none"
    "#;
    let all: Vec<_> = mistakes(text).into_iter().map(|(line, key, _)| (line, key)).collect();
    assert_eq!(
        all,
        [
            (3, "groups.A.on_no_agent.group"),
            (7, "agents.a@b.groups"),
            (8, "agents.a@b.phone"),
            (11, "numbers.0.group"),
            (12, "numbers.0.trunk"),
        ]
        .map(|(line, key)| (line, key.to_owned()))
    );
}

#[test]
fn what_must_be_unique_is_told_when_it_is_there_twice() {
    let did = "[groups.A]\n[[numbers]]\ndid = \"+44 1\"\ngroup = \"A\"\n[[numbers]]\ndid = \"+441\"\ngroup = \"A\"";
    assert_eq!(mistake(did, "twice"), (6, "numbers.1.did".into()));
    let number = "[agents.\"a@b\"]\nnumber = \"1\"\nname = \"A\"\n[agents.\"b@b\"]\nnumber = \"1\"\nname = \"B\"";
    assert_eq!(mistake(number, "already a@b's"), (5, "agents.b@b.number".into()));
    let email = "[agents.\"A@b\"]\nnumber = \"1\"\nname = \"A\"\n[agents.\"a@B\"]\nnumber = \"2\"\nname = \"B\"";
    assert_eq!(mistake(email, "a@b is there twice"), (4, "agents.a@B".into()));
    let host = "[trunks.a]\nhosts = [\"127.0.0.1:5060\"]\n[trunks.b]\nhosts = [\"127.0.0.1:5060\"]";
    assert_eq!(mistake(host, "already trunk \"a\"'s"), (4, "trunks.b.hosts".into()));
}

#[test]
fn every_mistake_is_told_at_once() {
    let text =
        "[groups.A]\nring = \"x\"\n[groups.B]\nmisses = -1\n[trunks.t]\nhosts = [\"nowhere\"]\n[[numbers]]\ndid = \"1\"\ngroup = \"A\"\n";
    assert_eq!(mistakes(text).iter().map(|(line, _, _)| *line).collect::<Vec<_>>(), vec![2, 4, 6]);
}

#[test]
fn what_is_no_toml_is_told_with_its_line() {
    let (line, _, _) = &mistakes("[groups.A]\nring = \"20s\"\n= 3\n")[0];
    assert_eq!(*line, 3);
    let (line, _, message) = &mistakes("[groups.A]\n[groups.A]\n")[0];
    assert_eq!(*line, 2, "{message}");
}
