use super::*;

/// The times at which a machine sends again, and when it gives up.
fn run(mut tick: impl FnMut(Millis) -> Step) -> (Vec<Millis>, Vec<Millis>) {
    let (mut sent, mut timed_out) = (Vec::new(), Vec::new());
    for now in (0..80_000).step_by(100) {
        let step = tick(now);
        if step.transmit {
            sent.push(now);
        }
        if step.timed_out {
            timed_out.push(now);
        }
    }
    (sent, timed_out)
}

#[test]
fn an_unanswered_invite_is_sent_again_at_doubling_intervals_until_timer_b() {
    let mut tx = InviteClient::new(b"INVITE".to_vec(), false, 0);
    let (sent, timed_out) = run(|now| tx.tick(now));
    assert_eq!(sent, vec![500, 1_500, 3_500, 7_500, 15_500, 31_500]);
    assert_eq!(timed_out, vec![32_000]);
    assert!(tx.is_terminated());
}

#[test]
fn over_a_reliable_transport_nothing_is_sent_again() {
    let mut tx = InviteClient::new(b"INVITE".to_vec(), true, 0);
    assert_eq!(tx.next_deadline(), Some(GIVE_UP));
    let (sent, timed_out) = run(|now| tx.tick(now));
    assert_eq!((sent, timed_out), (vec![], vec![32_000]));
    let mut tx = InviteServer::new(true);
    tx.respond(486, b"486", 0);
    assert_eq!(run(|now| tx.tick(now)).0, vec![]);
    assert!(tx.is_terminated());
}

#[test]
fn a_refused_invite_is_acknowledged_each_time_until_timer_d() {
    let mut tx = InviteClient::new(b"INVITE".to_vec(), false, 0);
    assert_eq!(tx.receive(180, 10, Vec::new), Step::DELIVER);
    assert_eq!(tx.receive(486, 20, || b"ACK".to_vec()), Step { transmit: true, deliver: true, timed_out: false });
    assert_eq!(tx.wire(), b"ACK");
    assert_eq!(tx.receive(486, 30, Vec::new), Step::TRANSMIT);
    assert_eq!(tx.next_deadline(), Some(20 + TIMER_D));
    tx.tick(20 + TIMER_D);
    assert!(tx.is_terminated());
}

#[test]
fn every_200_of_an_invite_is_delivered_until_timer_m() {
    let mut tx = InviteClient::new(Vec::new(), false, 0);
    assert_eq!(tx.receive(200, 5, Vec::new), Step::DELIVER);
    assert_eq!(tx.receive(200, 6, Vec::new), Step::DELIVER);
    assert_eq!(tx.receive(486, 7, Vec::new), Step::NOTHING);
    assert_eq!(tx.next_deadline(), Some(5 + GIVE_UP));
}

#[test]
fn a_cancelled_invite_without_a_final_response_ends_after_64_t1() {
    let mut tx = InviteClient::new(Vec::new(), false, 0);
    assert!(!tx.cancel(4), "no CANCEL before a provisional");
    tx.receive(100, 5, Vec::new);
    assert_eq!(tx.next_deadline(), None);
    assert!(tx.cancel(10) && !tx.cancel(11));
    assert_eq!(tx.next_deadline(), Some(10 + GIVE_UP));
    assert_eq!(tx.tick(10 + GIVE_UP), Step::TIMED_OUT);
    assert!(tx.is_terminated());
}

#[test]
fn another_request_is_sent_again_at_most_every_t2_until_timer_f() {
    let mut tx = OtherClient::new(Vec::new(), false, 0);
    let (sent, timed_out) = run(|now| tx.tick(now));
    assert_eq!(sent, vec![500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500]);
    assert_eq!(timed_out, vec![32_000]);
    let mut tx = OtherClient::new(Vec::new(), false, 0);
    assert_eq!(tx.receive(200, 5), Step::DELIVER);
    assert_eq!(tx.receive(200, 6), Step::NOTHING);
    assert_eq!(tx.next_deadline(), Some(5 + T4));
}

#[test]
fn a_refusal_is_sent_again_until_its_ack_and_then_absorbs_what_is_late() {
    let mut tx = InviteServer::new(false);
    assert_eq!(tx.receive_again(), Step::NOTHING);
    tx.respond(100, b"100", 0);
    assert_eq!(tx.receive_again(), Step::TRANSMIT);
    tx.respond(486, b"486", 0);
    assert_eq!(tx.respond(200, b"200", 0), Step::NOTHING);
    let mut unacknowledged = tx.clone();
    assert_eq!(run(|now| unacknowledged.tick(now)).0, vec![500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500]);
    assert!(unacknowledged.is_terminated());
    assert_eq!((tx.receive_ack(600), tx.receive_again()), (Step::NOTHING, Step::NOTHING));
    assert_eq!(tx.next_deadline(), Some(600 + T4));
}

#[test]
fn an_accepted_invite_passes_the_users_200_and_absorbs_the_invite_until_timer_l() {
    let mut tx = InviteServer::new(false);
    assert_eq!(tx.respond(200, b"a", 0), Step::TRANSMIT);
    assert_eq!(tx.respond(200, b"a", 500), Step::TRANSMIT);
    assert_eq!((tx.receive_again(), tx.receive_ack(1)), (Step::NOTHING, Step::DELIVER));
    assert_eq!(tx.next_deadline(), Some(GIVE_UP));
    tx.tick(GIVE_UP);
    assert!(tx.is_terminated());
}

/// Accepted transactions stay for half a minute, and on a busy switch they are most of its memory.
#[test]
fn no_message_is_kept_that_is_not_sent_again() {
    let mut client = InviteClient::new(b"INVITE".to_vec(), false, 0);
    assert_eq!(client.wire(), b"INVITE");
    client.receive(200, 5, Vec::new);
    let mut other = OtherClient::new(b"BYE".to_vec(), false, 0);
    assert_eq!(other.wire(), b"BYE");
    other.receive(200, 5);
    let mut server = InviteServer::new(false);
    server.respond(180, b"180", 0);
    assert_eq!(server.wire(), b"180");
    server.respond(200, b"200", 1);
    assert_eq!([client.wire(), other.wire(), server.wire()], [b""; 3]);
}
