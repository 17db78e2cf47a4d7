//! What an agent asks to be called, checked against the floor (E1, E3, E4, E6).

use super::agent::Refusal;
use super::colleagues::Person;
use super::switch::Directory;
use crate::api::mask::mask;
use cordboard_core::agent::{Agent, Dial, NoDial};
use cordboard_core::call::Called;
use cordboard_core::ids::{AgentId, GroupId, TrunkId};
use cordboard_core::message::Number;
use cordboard_core::outbound::{self, BadNumber};
use cordboard_core::setup::{AgentSetup, GroupSetup, Line, Mobile, MobileSetup, NumberSetup, PhoneContact, PhoneSetup, Transport};
use cordboard_db::{MobileSwitches, Role};
use cordboard_sip::message::Uri;
use std::cmp::Reverse;
use std::net::{IpAddr, SocketAddr};

/// Where SIP is spoken when nothing else is said (RFC 3261 §19.1.2); over TLS one more.
pub const SIP_PORT: u16 = 5060;

const NO_CALLER_ID: Refusal = Refusal("no_caller_id", "There is no number of ours to show for this call.");

/// The numbers of the agent's own groups.
fn own<'a>(setup: &'a AgentSetup, directory: &'a Directory) -> impl Iterator<Item = &'a NumberSetup> {
    directory.numbers.iter().filter(|number| setup.groups.iter().any(|membership| membership.group == number.group))
}

/// What the agent may choose to show.
pub fn caller_ids(setup: &AgentSetup, directory: &Directory) -> Vec<String> {
    own(setup, directory).map(|number| number.did.clone()).collect()
}

/// The customer of an earlier call again (D8). They are shown `ours`, the number they know from it, where the agent may show it.
pub fn call_back(agent: &Agent, customer: &str, ours: &str, directory: &Directory) -> Result<Dial, Refusal> {
    outbound::clean(customer).map_err(|_| Refusal("no_number", "This caller has withheld the number."))?;
    let known = own(&agent.setup, directory).any(|number| number.did == ours);
    dial(agent, customer, known.then_some(ours), directory)
}

/// The call as the agent's machine takes it, or why it cannot be. What only the guards forbid is left to the call, which goes on record.
pub fn dial(agent: &Agent, to: &str, caller_id: Option<&str>, directory: &Directory) -> Result<Dial, Refusal> {
    if let Some(sip) = SipTarget::of(to, directory)? {
        return call_sip(agent, sip, directory);
    }
    let contact = clean(to)?;
    may_call(agent, directory)?;
    let setup = &agent.setup;
    let own_group = first_group(setup, directory)?;
    let (shown, trunk) = way_out(setup, own_group, caller_id, &contact, directory)?;
    // The call belongs to the shown number's group where the agent is in it: its after-call work, its recording.
    let group = directory.group_setups.get(&shown.group).filter(|group| setup.groups.iter().any(|own| own.group == group.id));
    Ok(Dial {
        to: Called::Number(trunk),
        caller: shown.did.clone(),
        terms: group.unwrap_or(own_group).terms(None),
        permitted: is_permitted(setup, &contact, directory),
        contact,
        a_day: directory.outbound.a_day,
    })
}

/// A call to a colleague (E3). Who cannot be rung now is the call's matter, which goes on record.
pub fn colleague(agent: &Agent, colleague: AgentId, directory: &Directory) -> Result<Dial, Refusal> {
    let setup = &agent.setup;
    if colleague == setup.id {
        return Err(Refusal("own_number", "This is you. Choose a colleague."));
    }
    let person = directory.colleagues.get(colleague).filter(|_| directory.agents.contains_key(&colleague));
    let person = person.ok_or(Refusal("no_such_target", "This agent is not there any more. Choose another."))?;
    may_call(agent, directory)?;
    Ok(Dial {
        to: Called::Agent(colleague),
        caller: setup.number.clone(),
        contact: person.number.clone(),
        terms: first_group(setup, directory)?.terms(None).internal(),
        permitted: true,
        a_day: None,
    })
}

/// The mobile of a colleague who is not online (E3). Its number goes to the carrier, to nobody else.
pub fn colleagues_mobile(agent: &Agent, called: AgentId, directory: &Directory) -> Result<Dial, Refusal> {
    let dial = colleague(agent, called, directory)?;
    let person = directory.colleagues.get(called);
    let mobile = person.and_then(Person::mobile_instead);
    let mobile = mobile.ok_or(Refusal("no_mobile_call", "This colleague is online, or has no mobile number here. Call them as usual."))?;
    let line = line_to(&agent.setup, mobile, directory).ok_or(NO_CALLER_ID)?;
    let number = Number { trunk: line.trunk, caller: line.caller, called: mobile.to_owned() };
    Ok(Dial { to: Called::Mobile(called, number), ..dial })
}

/// What the agent's own mobile is used for; none: nothing is switched on, or no number is bound (C7, E2).
pub fn mobile(setup: &AgentSetup, number: Option<&str>, switches: MobileSwitches, directory: &Directory) -> Option<MobileSetup> {
    let MobileSwitches { answering, outbound } = switches;
    let number = number.filter(|_| answering || outbound)?;
    let line = line_to(setup, number, directory);
    let mobile = Mobile { number: number.to_owned(), line, press_one: directory.mobile_press_one };
    Some(MobileSetup { mobile, answering, outbound })
}

/// What a mobile of ours is shown, and the trunk: the automatic choice (E1).
fn line_to(setup: &AgentSetup, mobile: &str, directory: &Directory) -> Option<Line> {
    // Who is in no group has no number of their own.
    let group = first_group(setup, directory).map_or(GroupId(0), |group| group.id);
    let shown = outbound::caller_id(&directory.numbers, group, mobile)?;
    let trunk = outbound::trunk_for(shown, &directory.trunks_out)?;
    Some(Line { trunk, caller: shown.did.clone() })
}

/// A SIP address, or a phone of the floor (E4): one that is an agent's calls that agent.
fn call_sip(agent: &Agent, sip: SipTarget, directory: &Directory) -> Result<Dial, Refusal> {
    let phone = match sip {
        SipTarget::Phone(_, Some(owner)) => return colleague(agent, owner, directory),
        SipTarget::Phone(phone, None) => phone,
        SipTarget::Address(phone, host) => {
            if !directory.outbound.sip_hosts.contains(&host) {
                tracing::warn!(agent = %agent.setup.id, %host, "a SIP address is not permitted");
                return Err(Refusal(
                    "sip_host_not_permitted",
                    "SIP addresses of this host may not be called. An admin can allow the host.",
                ));
            }
            phone
        }
    };
    may_call(agent, directory)?;
    Ok(Dial {
        caller: agent.setup.number.clone(),
        contact: phone.name.clone(),
        to: Called::Sip(phone),
        terms: first_group(&agent.setup, directory)?.terms(None),
        permitted: true,
        a_day: directory.outbound.a_day,
    })
}

fn may_call(agent: &Agent, directory: &Directory) -> Result<(), Refusal> {
    agent.may_dial().map_err(|why| match why {
        NoDial::Offline => Refusal("dial_offline", "Go online to call."),
        NoDial::InLine => Refusal("dial_in_line", "You are in a call already."),
        NoDial::OutOfReach => Refusal("dial_no_voice", "This page has no voice path yet. Try again in a moment."),
    })?;
    if directory.draining {
        return Err(Refusal("draining", "The switch is about to stop and takes no new calls."));
    }
    Ok(())
}

/// What is called by SIP and not by a number.
enum SipTarget {
    /// A phone of the floor, and whose it is.
    Phone(PhoneSetup, Option<AgentId>),
    Address(PhoneSetup, IpAddr),
}

impl SipTarget {
    /// `sip:user@192.0.2.7:5080;transport=tcp`, `sip:user` for a phone of the floor, or its user alone where that is no number.
    /// None: it is something else.
    fn of(text: &str, directory: &Directory) -> Result<Option<Self>, Refusal> {
        let text = text.trim();
        let known = |user: &str| directory.phones.get(user).map(|(phone, owner)| Self::Phone(phone.clone(), *owner));
        let scheme = text.split_once(':').map(|(scheme, _)| scheme.to_ascii_lowercase());
        let rest = text.split_once(':').map_or(text, |(_, rest)| rest);
        match scheme.as_deref() {
            Some("sip" | "sips") if !rest.contains('@') => {
                known(rest).map(Some).ok_or(Refusal("no_such_phone", "There is no SIP phone of this name here."))
            }
            Some("sip" | "sips") => address(text).map(Some),
            Some(_) | None if outbound::clean(text).is_err() => Ok(known(text)),
            Some(_) | None => Ok(None),
        }
    }
}

fn address(text: &str) -> Result<SipTarget, Refusal> {
    const BAD: Refusal = Refusal("bad_sip_address", "This is no SIP address. One looks like sip:name@192.0.2.7.");
    let Ok(Uri::Sip(uri)) = text.parse::<Uri>() else { return Err(BAD) };
    let user = Uri::Sip(uri.clone()).user().filter(|user| !user.is_empty()).ok_or(BAD)?;
    let host = uri.host.ip().ok_or(Refusal("sip_host_no_ip", "Type the host of a SIP address as an IP address."))?;
    let transport = match (uri.secure, uri.params.get("transport").map(str::to_ascii_lowercase).as_deref()) {
        (true, _) | (false, Some("tls")) => Transport::Tls,
        (false, Some("tcp")) => Transport::Tcp,
        (false, None | Some("udp")) => Transport::Udp,
        (false, Some(_)) => return Err(BAD),
    };
    let port = uri.port.unwrap_or(if transport == Transport::Tls { SIP_PORT + 1 } else { SIP_PORT });
    let contact = PhoneContact::Fixed { addr: SocketAddr::new(host, port), transport };
    Ok(SipTarget::Address(PhoneSetup { name: format!("{user}@{host}"), user, contact }, host))
}

/// A number that an agent consults in a call (D5). The guards refuse it before the customer is put on hold. `today` as in the agent's machine.
pub fn consult(agent: &Agent, to: &str, caller_id: Option<&str>, today: i32, directory: &Directory) -> Result<Number, Refusal> {
    let setup = &agent.setup;
    let called = clean(to)?;
    if !agent.may_call_again(directory.outbound.a_day, today) {
        return Err(Refusal("calls_of_the_day", "You have made as many calls out today as you may."));
    }
    if !is_permitted(setup, &called, directory) {
        return Err(Refusal("not_permitted", "You may not call this number."));
    }
    let (shown, trunk) = way_out(setup, first_group(setup, directory)?, caller_id, &called, directory)?;
    Ok(Number { trunk, caller: shown.did.clone(), called })
}

fn clean(to: &str) -> Result<String, Refusal> {
    outbound::clean(to).map_err(|why| match why {
        BadNumber::Empty => Refusal("number_empty", "Type the number to call."),
        BadNumber::Character(_) => {
            Refusal("number_character", "This is not a telephone number: only digits, with a + in front where it is international.")
        }
        BadNumber::Length => Refusal("number_length", "A telephone number has 2 to 15 digits."),
    })
}

/// The group of the highest weight.
fn first_group<'a>(setup: &AgentSetup, directory: &'a Directory) -> Result<&'a GroupSetup, Refusal> {
    let first = setup.groups.iter().min_by_key(|membership| (Reverse(membership.weight), membership.group));
    let group = first.and_then(|membership| directory.group_setups.get(&membership.group));
    group.ok_or(Refusal("dial_no_group", "You are in no skill group. Ask an admin for one to call out."))
}

/// The number that is shown, and the trunk (E1).
fn way_out<'a>(
    setup: &'a AgentSetup,
    group: &GroupSetup,
    caller_id: Option<&str>,
    called: &str,
    directory: &'a Directory,
) -> Result<(&'a NumberSetup, TrunkId), Refusal> {
    let shown = match caller_id {
        Some(did) => own(setup, directory).find(|number| number.did == did),
        None => outbound::caller_id(&directory.numbers, group.id, called),
    };
    let shown = shown.ok_or(NO_CALLER_ID)?;
    let trunk = outbound::trunk_for(shown, &directory.trunks_out);
    Ok((shown, trunk.ok_or(Refusal("no_trunk", "No trunk is set up to call out."))?))
}

/// E6; an attempt beyond it is logged.
fn is_permitted(setup: &AgentSetup, called: &str, directory: &Directory) -> bool {
    let rules = &directory.outbound;
    let prefixes = match directory.colleagues.get(setup.id).map_or(Role::Agent, |person| person.role) {
        Role::Agent => &rules.agent,
        Role::Supervisor => &rules.supervisor,
        Role::Admin => &rules.admin,
    };
    let permitted = outbound::is_permitted(called, prefixes);
    if !permitted {
        tracing::warn!(agent = %setup.id, called = %mask(called), "a call out is not permitted to this role");
    }
    permitted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn called(text: &str) -> Result<(String, SocketAddr, Transport), &'static str> {
        match address(text) {
            Ok(SipTarget::Address(PhoneSetup { user, contact: PhoneContact::Fixed { addr, transport }, .. }, host)) => {
                assert_eq!(addr.ip(), host);
                Ok((user, addr, transport))
            }
            Ok(_) => Err("no address"),
            Err(Refusal(code, _)) => Err(code),
        }
    }

    /// E4.
    #[test]
    fn a_sip_address_says_user_host_port_and_transport() {
        let at = |user: &str, addr: &str, transport| Ok((user.to_owned(), addr.parse().unwrap(), transport));
        assert_eq!(called("sip:bob@192.0.2.7"), at("bob", "192.0.2.7:5060", Transport::Udp));
        assert_eq!(called("SIP:bob@[2001:db8::7]:5080;transport=TCP"), at("bob", "[2001:db8::7]:5080", Transport::Tcp));
        assert_eq!(called("sips:bob@192.0.2.7"), at("bob", "192.0.2.7:5061", Transport::Tls));
        assert_eq!(called("sip:bob@192.0.2.7;transport=tls"), at("bob", "192.0.2.7:5061", Transport::Tls));
        assert_eq!(called("sip:bob@example.com"), Err("sip_host_no_ip"));
        for bad in ["sip:@192.0.2.7", "sip:bob@", "sip:bob@192.0.2.7;transport=ws", "sip:b b@192.0.2.7"] {
            assert_eq!(called(bad), Err("bad_sip_address"), "{bad}");
        }
    }
}
