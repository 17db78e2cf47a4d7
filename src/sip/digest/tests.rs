#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use super::*;
use cordboard_core::cx::CountingIds;
use proptest::prelude::*;

/// The example of RFC 7616 §3.9.1, which RFC 8760 takes over.
fn example(algorithm: &str, response: &str) -> Credentials {
    Credentials::parse(&format!(
        "Digest username=\"Mufasa\", realm=\"http-auth@example.org\", uri=\"/dir/index.html\", algorithm={algorithm}, \
         nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", nc=00000001, \
         cnonce=\"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ\", qop=auth, response=\"{response}\", \
         opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""
    ))
    .unwrap()
}

const GET: fn() -> Method = || Method::parse("GET").unwrap();

#[test]
fn the_examples_of_rfc_7616_are_proved() {
    for (algorithm, name, response) in [
        (Algorithm::Md5, "MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        (Algorithm::Sha256, "SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ] {
        let credentials = example(name, response);
        let ha1 = ha1(algorithm, "Mufasa", "http-auth@example.org", "Circle of Life");
        assert_eq!((credentials.algorithm, credentials.expected(&ha1, &GET()).as_str()), (algorithm, response));
        assert!(credentials.proves(&ha1, &GET()));
        assert!(!credentials.proves(&ha1, &Method::REGISTER), "another method");
        assert!(!example(name, &response.replace('5', "6")).proves(&ha1, &GET()), "another response");
        let other = super::ha1(algorithm, "Mufasa", "http-auth@example.org", "Circle of life");
        assert!(!credentials.proves(&other, &GET()), "another password");
    }
}

#[test]
fn the_form_of_rfc_3261_and_its_variants_are_read() {
    let credentials = Credentials::parse(
        "digest  UserName=\"bob \\\"b\\\"\",realm=\"biloxi, inc\" , nonce=\"dcd9\", uri=\"sip:bob@biloxi.example.com\",\
         qop=\"auth\", nc=0000000a, cnonce=\"0a4f\", response=\"6629\"",
    )
    .unwrap();
    assert_eq!((credentials.user.as_str(), credentials.realm.as_str(), credentials.count), ("bob \"b\"", "biloxi, inc", 10));
    assert_eq!(credentials.algorithm, Algorithm::Md5, "unnamed");
    assert!(credentials.is_for(&"sip:bob@BILOXI.example.com".parse().unwrap()));
    assert!(!credentials.is_for(&"sip:bob@biloxi.example.org".parse().unwrap()));
}

#[test]
fn what_was_not_offered_or_makes_no_sense_is_refused() {
    let good = "Digest username=\"u\", realm=\"r\", nonce=\"n\", uri=\"sip:h\", qop=auth, nc=00000001, cnonce=\"c\", response=\"0\"";
    assert!(Credentials::parse(good).is_ok());
    for (from, to) in [
        ("Digest", "Basic"),
        ("qop=auth, ", ""),
        ("qop=auth", "qop=auth-int"),
        ("nc=00000001", "nc=1"),
        ("nc=00000001", "nc=+0000001"),
        ("nc=00000001, ", ""),
        ("cnonce=\"c\", ", ""),
        ("username=\"u\"", "username=\"u\", username=\"v\""),
        ("response=\"0\"", "response=\"0\", algorithm=SHA-256-sess"),
        ("realm=\"r\"", "realm=\"r"),
    ] {
        assert!(Credentials::parse(&good.replace(from, to)).is_err(), "{from} -> {to}");
    }
}

#[test]
fn a_challenge_names_what_the_answer_needs() {
    assert_eq!(
        challenge("cordboard", Algorithm::Sha256, "abc", false),
        "Digest realm=\"cordboard\", nonce=\"abc\", algorithm=SHA-256, qop=\"auth\""
    );
    assert!(challenge("r", Algorithm::Md5, "abc", true).ends_with("algorithm=MD5, qop=\"auth\", stale=true"));
}

fn here() -> IpAddr {
    "192.0.2.7".parse().unwrap()
}

#[test]
fn a_nonce_is_good_for_its_time_and_its_address_alone() {
    let (mut nonces, mut ids) = (Nonces::default(), CountingIds::default());
    let nonce = nonces.issue(here(), &mut Cx::new(1_000, 0, 0, &mut ids));
    assert_ne!(nonce, nonces.issue(here(), &mut Cx::new(1_000, 0, 0, &mut ids)), "each its own");
    assert!(nonces.is_fresh(&nonce, here(), 1_000) && nonces.is_fresh(&nonce, here(), 1_000 + NONCE_LIFE));
    assert!(!nonces.is_fresh(&nonce, here(), 1_001 + NONCE_LIFE), "too old");
    assert!(!nonces.is_fresh(&nonce, "192.0.2.8".parse().unwrap(), 1_000), "somebody else's");
    let mut restarted = Nonces::default();
    restarted.issue(here(), &mut Cx::new(0, 0, 0, &mut CountingIds(77)));
    assert!(!restarted.is_fresh(&nonce, here(), 1_000), "an earlier run's");
    // Its time is under the mark.
    let younger = format!("{:016x}{}", 5_000, nonce.get(16..).unwrap());
    assert!(!nonces.is_fresh(&younger, here(), 5_000));
    for nonsense in ["", "0", &"0".repeat(80), &"é".repeat(40), &nonce[..79], &format!("{nonce}0")] {
        assert!(!nonces.is_fresh(nonsense, here(), 1_000), "{nonsense}");
    }
}

#[test]
fn a_count_comes_once_and_is_forgotten_with_its_nonce() {
    let (mut nonces, mut ids) = (Nonces::default(), CountingIds::default());
    let first = nonces.issue(here(), &mut Cx::new(0, 0, 0, &mut ids));
    assert_eq!([1, 1, 2, 4, 3, 4, 5].map(|count| nonces.count(&first, count, 10)), [true, false, true, true, false, false, true]);
    assert!(!nonces.count(&first, 0, 10));
    let late = nonces.issue(here(), &mut Cx::new(NONCE_LIFE, 0, 0, &mut ids));
    assert!(nonces.count(&late, 1, NONCE_LIFE) && !nonces.count(&first, 5, NONCE_LIFE));
    assert!(nonces.count(&late, 2, NONCE_LIFE + 1));
    assert_eq!(nonces.used.len(), 1, "the first has ended");
}

proptest! {
    /// Whatever a phone writes, nothing panics, and what is read proves nothing without the password.
    #[test]
    fn any_header_is_read_or_refused(text in "(Digest )?.{0,200}") {
        if let Ok(credentials) = Credentials::parse(&text) {
            prop_assert!(!credentials.proves(&ha1(credentials.algorithm, "u", "r", "p"), &Method::REGISTER));
        }
    }

    /// Of one nonce each count is taken at most once, in any order.
    #[test]
    fn no_count_is_taken_twice(counts in prop::collection::vec(0_u32..20, 1..60)) {
        let mut nonces = Nonces::default();
        let taken: Vec<u32> = counts.into_iter().filter(|count| nonces.count("n", *count, 0)).collect();
        prop_assert!(taken.is_sorted_by(|a, b| a < b));
    }
}
