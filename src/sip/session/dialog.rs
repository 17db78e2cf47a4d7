//! A dialog's own data (RFC 3261 §12) and the requests made from it.

use crate::endpoint::DialogId;
use crate::message::{Field, Headers, Method, NameAddr, Request, Response, Uri, text_of};
use serde::{Deserialize, Serialize};

/// One dialog, early or confirmed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Dialog {
    pub call_id: String,
    pub local_tag: String,
    /// `None` before the far side gave one, and with clients of RFC 2543.
    pub remote_tag: Option<String>,
    /// Our address without its tag.
    local: NameAddr,
    remote: NameAddr,
    pub local_cseq: u32,
    pub remote_cseq: Option<u32>,
    routes: Vec<NameAddr>,
    pub target: Uri,
    /// We sent the INVITE, so the Call-ID is ours (RFC 3261 §14.1).
    pub called_by_us: bool,
}

impl Dialog {
    /// The dialog that answering `invite` makes. `None` when its From or To cannot be read.
    pub fn of_invite(invite: &Request, local_tag: String) -> Option<Self> {
        let headers = &invite.headers;
        let (mut remote, mut local) = (headers.from().ok()?, headers.to().ok()?);
        let remote_tag = remote.tag().map(str::to_owned);
        remote.params.remove("tag");
        local.params.remove("tag");
        // A client of RFC 2543 may send no Contact.
        let target = headers.contact().map_or_else(|| remote.uri.clone(), |c| c.uri);
        Some(Self {
            call_id: headers.call_id()?.to_owned(),
            local_tag,
            remote_tag,
            local,
            remote,
            local_cseq: 0,
            remote_cseq: headers.cseq().ok().map(|c| c.seq),
            routes: headers.addresses(Field::RecordRoute).unwrap_or_default(),
            target,
            called_by_us: false,
        })
    }

    /// The dialog that our own INVITE may make.
    pub fn of_call(call_id: String, local: NameAddr, local_tag: String, target: Uri, routes: Vec<NameAddr>) -> Self {
        Self {
            call_id,
            local_tag,
            remote_tag: None,
            local,
            remote: NameAddr::new(target.clone()),
            local_cseq: 0,
            remote_cseq: None,
            routes,
            target,
            called_by_us: true,
        }
    }

    /// The dialog that `answer` to `invite`, of ours, makes. `None` when its headers cannot be read.
    pub fn of_answer(invite: &Request, answer: &Response) -> Option<Self> {
        let mut local = invite.headers.from().ok()?;
        let local_tag = local.tag()?.to_owned();
        local.params.remove("tag");
        let mut dialog = Self::of_call(invite.headers.call_id()?.to_owned(), local, local_tag, invite.uri.clone(), Vec::new());
        dialog.local_cseq = invite.headers.cseq().ok()?.seq;
        Some(dialog.answered(answer))
    }

    /// What a response to our INVITE makes of it: its tag, its target, its route set reversed (RFC 3261 §12.1.2).
    #[must_use]
    pub fn answered(mut self, response: &Response) -> Self {
        self.remote_tag = response.headers.to_tag().map(str::to_owned);
        if response.headers.get(Field::RecordRoute).is_some() || response.is_success() {
            self.routes = response.headers.addresses(Field::RecordRoute).unwrap_or_default();
            self.routes.reverse();
        }
        self.refresh_target(&response.headers);
        self
    }

    pub fn refresh_target(&mut self, headers: &Headers) {
        if let Some(contact) = headers.contact() {
            self.target = contact.uri;
        }
    }

    pub fn id(&self) -> DialogId {
        DialogId { call_id: self.call_id.clone(), local_tag: self.local_tag.clone() }
    }

    /// Where requests go next: the first Route, else the target.
    pub fn next_hop(&self) -> Uri {
        self.routes.first().map_or_else(|| self.target.clone(), |r| r.uri.clone())
    }

    /// A new request of ours with the next CSeq.
    pub fn request(&mut self, method: Method) -> Request {
        self.local_cseq += 1;
        self.numbered(method, self.local_cseq)
    }

    /// The ACK of the 2xx to the INVITE with this CSeq.
    pub fn ack(&self, cseq: u32) -> Request {
        self.numbered(Method::ACK, cseq)
    }

    fn numbered(&self, method: Method, cseq: u32) -> Request {
        let mut routes: Vec<NameAddr> = self.routes.clone();
        let mut uri = self.target.clone();
        // A strict router is the Request-URI itself, and the target goes last (RFC 3261 §12.2.1.1).
        if routes.first().is_some_and(|r| !r.uri.is_loose()) {
            let first = routes.remove(0);
            routes.push(NameAddr::new(std::mem::replace(&mut uri, first.uri)));
        }
        let mut request = Request::new(method, uri);
        for route in &routes {
            request.headers.push(Field::Route, text_of(route));
        }
        request.headers.push(Field::From, tagged(&self.local, Some(&self.local_tag)));
        request.headers.push(Field::To, tagged(&self.remote, self.remote_tag.as_deref()));
        request.headers.push(Field::CallId, self.call_id.clone());
        request.headers.push(Field::CSeq, format!("{cseq} {}", request.method));
        request
    }
}

/// An address that has no tag of its own, with one.
fn tagged(address: &NameAddr, tag: Option<&str>) -> String {
    let mut text = text_of(address);
    if let Some(tag) = tag {
        text.extend([";tag=", tag]);
    }
    text
}
