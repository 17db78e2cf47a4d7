//! The floor as a file (I6), and accounts by the command line: through the running switch, or without one.

use crate::support::Database;
use crate::support::floor::{FLOOR, PASSWORD};
use cordboard::api::Event;
use cordboard_db::Db;

const ENV: [(&str, &str); 1] = [("PASSWORD", PASSWORD)];

on_both! {
    fn without_a_switch_a_floor_is_applied_to_the_database(database) {
        let file = database.file("floor.toml", FLOOR);
        let dry = database.cordboard(&["apply", &file, "--dry-run"], &ENV);
        assert_eq!(dry.code, 0, "{}", dry.err);
        assert!(dry.out.contains("+ group Orders\n") && dry.out.contains("+ agent mei@example.com\n"), "{}", dry.out);
        assert!(Db::open(&database.url).unwrap().accounts().unwrap().is_empty());
        let applied = database.cordboard(&["apply", &file], &ENV);
        assert_eq!((applied.code, &applied.out), (0, &dry.out));
        assert_eq!(database.cordboard(&["apply", &file], &ENV).out, "Nothing to change.\n");
        assert_eq!(database.switch().page().log_in("mei@example.com", PASSWORD).status, 200);
    }

    fn a_floor_that_was_written_applies_again(database) {
        let file = database.file("floor.toml", FLOOR);
        database.cordboard(&["apply", &file], &ENV);
        let written = database.cordboard(&["export"], &[]);
        assert_eq!(written.code, 0, "{}", written.err);
        assert!(!written.out.contains("argon2") && !written.out.contains(PASSWORD));
        let again = database.file("again.toml", &written.out);
        assert_eq!(database.cordboard(&["apply", &again], &[]).out, "Nothing to change.\n");
    }

    fn the_running_switch_hears_of_a_new_floor(database) {
        let switch = database.switch();
        let file = switch.database.file("floor.toml", FLOOR);
        assert_eq!(switch.database.cordboard(&["apply", &file, "--dry-run"], &ENV).code, 0);
        assert_eq!(switch.heard(), vec![]);
        // The password comes from the environment of the command, which is not the switch's.
        let applied = switch.database.cordboard(&["apply", &file], &ENV);
        assert_eq!(applied.code, 0, "{}", applied.err);
        assert_eq!(switch.heard(), vec![Event::FloorChanged]);
        assert_eq!(switch.page().log_in("mei@example.com", PASSWORD).status, 200);
        switch.heard();
        assert_eq!(switch.database.cordboard(&["apply", &file], &ENV).out, "Nothing to change.\n");
        assert_eq!(switch.heard(), vec![]);
        assert!(switch.database.cordboard(&["export"], &[]).out.contains("[groups.Orders]"));
    }

    fn an_admin_is_made_and_reset_by_the_command_line(database) {
        let create = ["admin", "create", "--email", "ada@example.com", "--number", "9001", "--name", "Ada Bell"];
        let made = database.cordboard(&create, &[]);
        assert_eq!(made.code, 0, "{}", made.err);
        assert_eq!(database.cordboard(&create, &[]).code, 2, "there is one already");
        let switch = database.switch();
        let password_of = |out: &str| out.trim().strip_prefix("One-time password: ").unwrap().to_owned();
        let mut page = switch.page();
        let me = page.log_in("ada@example.com", &password_of(&made.out)).json();
        assert_eq!((me["role"].as_str(), me["mustChangePassword"].as_bool()), (Some("admin"), Some(true)));
        switch.heard();
        let reset = switch.database.cordboard(&["admin", "reset-password", "--email", "ada@example.com"], &[]);
        assert_eq!(switch.heard(), vec![Event::LoggedOut { agent: switch.agent("ada@example.com"), end_call: false }]);
        assert_eq!(page.get("/api/v1/me").refusal(), (401, "not_logged_in".into()));
        assert_eq!(page.log_in("ada@example.com", &password_of(&reset.out)).status, 200);
        assert_eq!(switch.database.cordboard(&["admin", "reset-password", "--email", "x@example.com"], &[]).code, 2);
    }
}

#[test]
fn a_mistake_in_a_floor_file_is_told_with_its_line_and_key_and_nothing_is_done() {
    for running in [false, true] {
        let database = Database::sqlite();
        let file = database.file("floor.toml", &FLOOR.replace("[groups.Returns]", "[groups.Returns]\nring = \"soon\""));
        let url = database.url.clone();
        let kept = if running { Some(database.switch()) } else { None };
        let fresh = Database::sqlite();
        let on = kept.as_ref().map_or(&fresh, |switch| &switch.database);
        let ended = on.cordboard(&["apply", &file], &ENV);
        assert_eq!(ended.code, 2);
        assert!(ended.err.contains("floor.toml: line 4: groups.Returns.ring: "), "{}", ended.err);
        assert!(Db::open(&url).unwrap().groups().unwrap().is_empty());
    }
}

#[test]
fn a_first_password_that_is_missing_or_weak_is_told_with_its_line() {
    for running in [false, true] {
        let database = Database::sqlite();
        let file = database.file("floor.toml", FLOOR);
        let switch;
        let on = if running {
            switch = database.switch();
            &switch.database
        } else {
            &database
        };
        let missing = on.cordboard(&["apply", &file], &[]);
        assert_eq!(missing.code, 2);
        assert!(missing.err.contains("line ") && missing.err.contains("PASSWORD is not set"), "{}", missing.err);
        let weak = on.cordboard(&["apply", &file], &[("PASSWORD", "weak")]);
        assert_eq!(weak.code, 2);
        assert!(weak.err.contains("8 to 20 characters") && !weak.err.contains("\"weak\""), "{}", weak.err);
    }
}

#[test]
fn two_switches_do_not_share_a_data_folder() {
    let bind = |data: &std::path::Path| {
        let bound = actix_web::rt::System::new().block_on(async { cordboard::api::control::Control::bind(data).map(drop) });
        bound.map_err(|error| error.kind())
    };
    let switch = Database::sqlite().switch();
    assert_eq!(bind(switch.database.data.path()), Err(std::io::ErrorKind::AddrInUse));
    // What a killed switch leaves behind is in nobody's way.
    let killed = Database::sqlite();
    let path = killed.data.path().join("control.sock");
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    assert_eq!(bind(killed.data.path()), Ok(()));
    assert!(!path.exists(), "it goes with the switch");
}
