//! Connections and transactions.

use crate::error::DbError;
use crate::pool::Db;
use crate::schema::settings;
use diesel::prelude::*;

on_both! {
    fn what_one_transaction_read_no_other_changes_before_it_writes(test) {
        let count = |db: &Db| {
            db.transaction(|c| {
                let value: String = settings::table.find("count").select(settings::value).first(c)?;
                let next = value.parse::<u32>().unwrap() + 1;
                diesel::update(settings::table.find("count")).set(settings::value.eq(next.to_string())).execute(c)?;
                Ok(())
            })
        };
        test.sql("INSERT INTO settings (key, value) VALUES ('count', '0')");
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..25).for_each(|_| count(&test.db).unwrap()));
            }
        });
        let value: String = test.db.run(|c| Ok(settings::table.find("count").select(settings::value).first(c)?)).unwrap();
        assert_eq!(value, "100");
    }

    fn a_transaction_that_fails_leaves_nothing(test) {
        let failed = test.db.transaction(|c| {
            diesel::insert_into(settings::table).values((settings::key.eq("a"), settings::value.eq("1"))).execute(c)?;
            Err::<(), _>(DbError::Url)
        });
        assert!(matches!(failed, Err(DbError::Url)));
        let count: i64 = test.db.run(|c| Ok(settings::table.count().get_result(c)?)).unwrap();
        assert_eq!(count, 0);
    }

    fn opening_a_database_again_keeps_what_is_in_it(test) {
        test.db.set_settings(&crate::Settings { mask_numbers: false, break_reasons: vec!["Tea".into()], crm: None }).unwrap();
        let again = Db::open(&test.url).unwrap();
        assert_eq!(again.settings().unwrap(), test.db.settings().unwrap());
        again.ping().unwrap();
    }
}

#[test]
fn a_url_that_names_no_database_is_refused() {
    assert!(matches!(Db::open("mysql://localhost/x"), Err(DbError::Url)));
    assert!(matches!(Db::open(""), Err(DbError::Url)));
    assert!(matches!(Db::open("sqlite:/nowhere/at/all.sqlite"), Err(DbError::Unreachable(_))));
    assert!(matches!(Db::open("postgres://nobody@/nothing?host=/nowhere"), Err(DbError::Unreachable(_))));
}

#[test]
fn a_path_alone_is_a_sqlite_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("plain.sqlite");
    Db::open(path.to_str().unwrap()).unwrap();
    assert!(path.exists());
}
