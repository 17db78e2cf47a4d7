//! The configuration file and its environment (I4).

use super::*;

fn load(toml: &str) -> Result<Config, ConfigError> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("cordboard.toml");
    std::fs::write(&file, toml).unwrap();
    Config::load(Some(&file), folder.path())
}

fn refused(toml: &str) -> (String, Option<String>, String) {
    let error = load(toml).unwrap_err();
    (error.key, error.value, error.expected)
}

#[test]
fn without_a_file_everything_listens_on_loopback_only() {
    let config = load("").unwrap();
    let listens = [config.web.listen[0], config.sip.udp, config.sip.tcp, config.media.browser];
    assert_eq!(
        listens.map(|address| (address.ip().is_loopback(), address.port())),
        [(true, 8080), (true, 5060), (true, 5060), (true, 8443)]
    );
    assert!(config.media.rtp_ip.is_loopback());
    assert!(config.database_url().starts_with("sqlite:") && config.database_url().ends_with("/cordboard.sqlite"));
}

#[test]
fn every_section_is_read() {
    let config = load(
        r#"
        [web]
        listen = ["192.0.2.1:443", "[::1]:8080"]
        public_url = "https://Calls.example.com/"
        tls = "self-made"
        [sip]
        udp = "0.0.0.0:5060"
        advertise = "198.51.100.7"
        [media]
        rtp_ip = "0.0.0.0"
        rtp_ports = "30000-30999"
        browser = "0.0.0.0:8443"
        advertise = ["198.51.100.7"]
        [database]
        url = "postgres://cordboard@localhost/cordboard"
        [mail]
        smtp_url = "smtp://localhost:2525"
        from = "Cordboard <cordboard@example.com>"
        [sms]
        url = "https://sms.example.com/send?to={digits}"
        method = "put"
        headers = { Authorization = "Bearer s3cret" }
        body = '{"text": "{text}"}'
        accepted = "\"ok\""
        text = "{code}"
        [log]
        level = "info,cordboard::api=debug"
        format = "json"
        [limits]
        logins_per_minute = 20
        sms_codes_per_hour = 30
        "#,
    )
    .unwrap();
    assert!(!format!("{config:?}").contains("s3cret"));
    assert_eq!(config.web.url(), "https://calls.example.com");
    assert_eq!((config.web.tls, config.web.listen.len()), (Tls::SelfMade, 2));
    assert_eq!(config.media.rtp_ports, 30_000..=30_999);
    assert_eq!(config.media.advertise, vec!["198.51.100.7".parse::<IpAddr>().unwrap()]);
    assert_eq!(config.database.url.as_deref(), Some("postgres://cordboard@localhost/cordboard"));
    assert_eq!((config.log.format, config.limits.logins_per_minute), (LogFormat::Json, 20));
    assert_eq!((config.sms.method, config.sms.text.as_str(), config.limits.sms_codes_per_hour), (Method::Put, "{code}", 30));
    assert_eq!(config.sms.headers[0].1, "Bearer s3cret");
}

#[test]
fn a_bad_value_is_refused_with_its_key_the_value_and_what_was_expected() {
    let (key, value, expected) = refused("[sip]\nudp = \"5060\"");
    assert_eq!((key.as_str(), value.as_deref()), ("sip.udp", Some("\"5060\"")));
    assert!(expected.contains("127.0.0.1:8080"), "{expected}");
    assert_eq!(refused("[media]\nrtp_ports = \"9-1\"").0, "media.rtp_ports");
    assert_eq!(refused("[web]\nlisten = [\"here\"]").1.as_deref(), Some("\"here\""));
    assert_eq!(refused("[web]\nlisten = []").0, "web.listen");
    assert_eq!(refused("[limits]\nlogins_per_minute = 0").2, "a whole number from 1 up");
    assert_eq!(refused("[limits]\nlogins_per_minute = \"many\"").2, "a whole number");
    assert_eq!(refused("[log]\nformat = \"xml\"").2, "one of `text` or `json`");
    assert!(refused("[web]\ntls = \"on\"").2.contains("self-made"));
    assert_eq!(refused("[web]\ntls = { cert = \"/nowhere.pem\", key = \"/nowhere.pem\" }").0, "web.tls.cert");
}

#[test]
fn an_unknown_key_is_refused_with_the_known_ones() {
    let (key, value, expected) = refused("[web]\nlistn = \"127.0.0.1:80\"");
    assert_eq!((key.as_str(), value), ("web.listn", None));
    assert!(expected.contains("`listen`"), "{expected}");
    assert_eq!(refused("[wbe]\n").0, "wbe");
}

#[test]
fn what_is_not_toml_is_refused_with_its_line() {
    let (_, _, expected) = refused("[web]\nlisten = = 3");
    assert!(expected.contains("line 2"), "{expected}");
}

#[test]
fn pages_on_plain_http_are_for_loopback_alone() {
    assert_eq!(refused("[web]\nlisten = \"0.0.0.0:8080\"").0, "web.listen");
    assert!(load("[web]\nlisten = \"0.0.0.0:8080\"\npublic_url = \"https://calls.example.com\"").is_ok());
}

#[test]
fn an_address_for_all_interfaces_needs_one_to_tell() {
    assert_eq!(refused("[sip]\nudp = \"0.0.0.0:5060\"").0, "sip.udp");
    assert_eq!(refused("[media]\nbrowser = \"0.0.0.0:8443\"").0, "media.browser");
    assert_eq!(refused("[media]\nrtp_ip = \"0.0.0.0\"").0, "media.rtp_ip");
}

#[test]
fn a_password_in_a_url_is_not_shown() {
    let error = load("[database]\nurl = \"mysql://root:s3cret@db/x\"").unwrap_err().to_string();
    assert!(error.contains("mysql://…@db/x") && !error.contains("s3cret"), "{error}");
}

#[test]
fn a_gateway_is_told_whom_to_send_what() {
    let url = "[sms]\nurl = \"https://sms.example.com/send\"\n";
    assert!(load(&format!("{url}body = \"to={{number}}&text={{text}}\"")).is_ok());
    for body in ["to={number}", "text={text}", ""] {
        let (key, value, expected) = refused(&format!("{url}body = \"{body}\""));
        assert_eq!((key.as_str(), value), ("sms.body", Some(format!("{body:?}"))));
        assert!(expected.contains("{number}") && expected.contains("{text}"), "{expected}");
    }
    assert_eq!(refused("[sms]\nbody = \"to={number}&text={text}\"").2, "also sms.url, the gateway's address");
}

#[test]
fn a_gateway_that_cannot_be_is_refused() {
    for url in ["sms.example.com", "ftp://sms.example.com", "https://", "https://sms example"] {
        let (key, value, _) = refused(&format!("[sms]\nurl = \"{url}\""));
        assert_eq!((key.as_str(), value), ("sms.url", Some(format!("{url:?}"))));
    }
    assert_eq!(refused("[sms]\nmethod = \"send\"").2, "one of `get`, `post`, `put`");
    assert_eq!(refused("[sms]\ntext = \"Your code\"").2, "a message with {code} in it");
    assert_eq!(refused("[sms]\nheaders = { \"a b\" = \"x\" }").1.as_deref(), Some("\"a b\""));
    let error = load("[sms]\nheaders = { Authorization = \"s3cret\\n\" }").unwrap_err().to_string();
    assert!(error.contains("sms.headers") && error.contains("Authorization") && !error.contains("s3cret"), "{error}");
}
