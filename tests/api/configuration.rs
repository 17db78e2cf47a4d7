//! A bad configuration is refused before anything starts (I4, I7).

use crate::support::Database;
use crate::support::program::cordboard;

// I4, I7
#[test]
fn a_good_configuration_is_said_to_be_good() {
    let database = Database::sqlite();
    let ended = cordboard(database.data.path(), &["check-config"], &[]);
    assert_eq!(ended.code, 0, "{}", ended.err);
    assert!(ended.out.contains("http://127.0.0.1:8080"), "{}", ended.out);
}

// I4
#[test]
fn the_shipped_configuration_is_good_and_its_comments_name_every_key() {
    let shipped = concat!(env!("CARGO_MANIFEST_DIR"), "/config/cordboard.toml");
    let database = Database::sqlite();
    let ended = cordboard(database.data.path(), &["--config", shipped, "check-config"], &[]);
    assert_eq!((ended.code, ended.err.as_str()), (0, ""));
    // Each default that stands there behind a # is one that can be set.
    let text = std::fs::read_to_string(shipped).unwrap();
    let is_setting = |line: &str| line.split_once(" = ").is_some_and(|(key, _)| key.chars().all(|c| c.is_ascii_lowercase() || c == '_'));
    let all: String =
        text.lines().map(|line| line.strip_prefix("# ").filter(|rest| is_setting(rest)).unwrap_or(line).to_owned() + "\n").collect();
    let file = database.file("all.toml", &all);
    let ended = cordboard(database.data.path(), &["--config", &file, "check-config"], &[]);
    assert_eq!((ended.code, ended.err.as_str()), (0, ""), "{all}");
    for key in [
        "listen",
        "public_url",
        "tls",
        "udp",
        "tcp",
        "advertise",
        "rtp_ip",
        "rtp_ports",
        "browser",
        "url",
        "smtp_url",
        "from",
        "method",
        "headers",
        "body",
        "accepted",
        "text",
        "level",
        "format",
        "logins_per_minute",
        "sms_codes_per_hour",
    ] {
        assert!(all.lines().any(|line| line.starts_with(&format!("{key} = "))), "{key} is not in {shipped}");
    }
}

// I4
#[test]
fn a_bad_value_in_the_file_is_refused_with_file_key_value_and_expectation() {
    let database = Database::sqlite();
    let file = database.file("bad.toml", "[sip]\nudp = \"5060\"\n");
    let ended = cordboard(database.data.path(), &["--config", &file, "check-config"], &[]);
    assert_eq!(ended.code, 2);
    for part in [file.as_str(), "sip.udp", "\"5060\"", "an address and port such as 127.0.0.1:8080"] {
        assert!(ended.err.contains(part), "{part}: {}", ended.err);
    }
}

// I4
#[test]
fn the_environment_overrides_the_file_and_is_named_when_it_is_wrong() {
    let database = Database::sqlite();
    let file = database.file("good.toml", "[web]\nlisten = \"127.0.0.1:8080\"\n");
    let check = |value| cordboard(database.data.path(), &["--config", &file, "check-config"], &[("CORDBOARD_WEB__LISTEN", value)]);
    assert!(check("127.0.0.1:9090").out.contains("http://127.0.0.1:9090"));
    let ended = check("somewhere");
    assert_eq!(ended.code, 2);
    assert!(ended.err.contains("CORDBOARD_WEB__LISTEN: web.listen = \"somewhere\""), "{}", ended.err);
}

// I4
#[test]
fn an_unknown_key_and_a_missing_file_are_refused() {
    let database = Database::sqlite();
    let file = database.file("typo.toml", "[web]\nlisten_on = \"127.0.0.1:8080\"\n");
    for (args, environment, named) in [
        (vec!["--config", file.as_str(), "serve"], vec![], "web.listen_on"),
        (vec!["serve"], vec![("CORDBOARD_WEBB__LISTEN", "127.0.0.1:8080")], "webb"),
        (vec!["--config", "/nowhere.toml", "serve"], vec![], "/nowhere.toml"),
    ] {
        let ended = cordboard(database.data.path(), &args, &environment);
        assert_eq!(ended.code, 2, "{}", ended.err);
        assert!(ended.err.contains(named), "{named}: {}", ended.err);
    }
}
