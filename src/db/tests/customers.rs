//! What agents noted of customers (F3), and of themselves (A7).

use crate::tests::support::{MEI, TOM, TWO_AND_TWO};
use crate::{Avatar, Customer, ImageKind};

const NUMBER: &str = "+447700900114";

fn hannah() -> Customer {
    Customer { name: "Hannah Brook".into(), remark: "After four.".into() }
}

on_both! {
    fn a_customer_is_kept_by_number_until_nothing_is_noted(test) {
        assert_eq!(test.db.customer(NUMBER).unwrap(), None);
        test.db.set_customer(NUMBER, &hannah(), MEI, 1).unwrap();
        assert_eq!(test.db.customer(NUMBER).unwrap(), Some(hannah()));
        assert_eq!(test.db.customer("+44770090011").unwrap(), None);
        let renamed = Customer { name: "汉娜".into(), ..hannah() };
        test.db.set_customer(NUMBER, &renamed, TOM, 2).unwrap();
        assert_eq!(test.db.customer(NUMBER).unwrap(), Some(renamed));
        test.db.set_customer(NUMBER, &Customer { name: String::new(), remark: String::new() }, TOM, 3).unwrap();
        assert_eq!(test.db.customer(NUMBER).unwrap(), None);
    }

    fn a_picture_is_set_replaced_and_taken_away(test) {
        test.apply(TWO_AND_TWO);
        let set_at = || test.db.account(MEI).unwrap().unwrap().avatar_at;
        assert_eq!((test.db.avatar(MEI).unwrap(), set_at()), (None, None));
        for (at, kind) in [(1, ImageKind::Png), (2, ImageKind::Jpeg), (3, ImageKind::Webp)] {
            let avatar = Avatar { kind, image: vec![0, 255, 7] };
            test.db.set_avatar(MEI, Some(&avatar), at).unwrap();
            assert_eq!((test.db.avatar(MEI).unwrap(), set_at()), (Some(avatar), Some(at)));
        }
        assert_eq!(test.db.avatar(TOM).unwrap(), None);
        test.db.set_avatar(MEI, None, 4).unwrap();
        assert_eq!((test.db.avatar(MEI).unwrap(), set_at()), (None, None));
    }
}

#[test]
fn only_a_number_can_be_known_again() {
    for number in [NUMBER, "02079460018", "1"] {
        assert!(Customer::has(number), "{number}");
    }
    for nobody in ["", "+", "anonymous", "alice", "+44 7700"] {
        assert!(!Customer::has(nobody), "{nobody}");
    }
}
