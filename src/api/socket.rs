//! The workstation's socket: one actor a page, between the wire's JSON and the agent's desk.

use super::auth::Session;
use super::error::Refusal;
use super::origin::OwnPage;
use crate::actors::agent::{AgentActor, Desk, ToPage};
use crate::actors::switch::Switch;
use crate::wire::{FromSwitch, Me, Request, ToWorkstation};
use actix::prelude::*;
use actix_web::{HttpRequest, HttpResponse, web};
use actix_web_actors::ws;
use serde::Deserialize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// A page shows that it lives at least this often; three times silent and it is gone (B3).
const HEARTBEAT: Duration = Duration::from_secs(3);
/// Longest message from a page: an SDP offer with all its candidates fits many times.
const LONGEST: usize = 64 * 1024;
/// Messages to a page that did not answer a ping since: a page that cannot keep up is dropped, and resumes by a snapshot.
const MOST_UNHEARD: u32 = 1_000;
/// The same where the browser does not read, and the socket takes nothing from its mailbox until it does.
const MOST_UNREAD: usize = 1_000;

static NEXT_PAGE: AtomicU64 = AtomicU64::new(1);

/// The number that a page made up for itself when it was loaded; all its sockets carry it.
#[derive(Deserialize)]
pub struct Tab {
    page: Option<u64>,
}

pub struct Socket {
    page: u64,
    tab: Option<u64>,
    agent: Addr<AgentActor>,
    epoch: i64,
    me: Me,
    seq: u32,
    heard: Instant,
    unheard: u32,
}

/// `GET /ws`: the login session's cookie says whose it is; the Origin was checked.
pub async fn open(
    request: HttpRequest,
    body: web::Payload,
    _: OwnPage,
    session: Session,
    tab: web::Query<Tab>,
    switch: web::Data<Arc<Switch>>,
) -> Result<HttpResponse, actix_web::Error> {
    let agent = switch.directory.read().agents.get(&session.agent).cloned().ok_or(Refusal::NotFound)?;
    let me = super::auth::me_of(&session.account);
    let page = NEXT_PAGE.fetch_add(1, Ordering::Relaxed);
    let socket = Socket { page, tab: tab.page, agent, epoch: session.epoch, me, seq: 0, heard: Instant::now(), unheard: 0 };
    ws::WsResponseBuilder::new(socket, &request, body).frame_size(LONGEST).start()
}

impl Actor for Socket {
    type Context = ws::WebsocketContext<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        let (page, tab, epoch, me) = (self.page, self.tab, self.epoch, self.me.clone());
        let attach = Desk::Attach { page, tab, to: ctx.address().recipient(), epoch, me };
        self.agent.do_send(attach);
        ctx.set_mailbox_capacity(MOST_UNREAD);
        ctx.run_interval(HEARTBEAT, |socket, ctx| {
            if socket.heard.elapsed() > HEARTBEAT * 3 {
                ctx.stop();
            } else {
                ctx.ping(b"");
            }
        });
    }

    fn stopped(&mut self, _: &mut Self::Context) {
        self.agent.do_send(Desk::Detach { page: self.page });
    }
}

impl Handler<ToPage> for Socket {
    type Result = ();

    fn handle(&mut self, ToPage(tell): ToPage, ctx: &mut Self::Context) {
        let over = matches!(*tell, ToWorkstation::TakenOver | ToWorkstation::LoggedOut);
        let message = FromSwitch { seq: self.seq, tell: &tell };
        self.seq = self.seq.wrapping_add(1);
        self.unheard += 1;
        match serde_json::to_string(&message) {
            Ok(text) => ctx.text(text),
            Err(why) => tracing::error!(%why, "a message could not be written"),
        }
        if over {
            ctx.close(Some(ws::CloseCode::Normal.into()));
            ctx.stop();
        } else if self.unheard >= MOST_UNHEARD {
            tracing::warn!(page = self.page, "a page does not keep up and is dropped");
            ctx.stop();
        }
    }
}

impl StreamHandler<Result<ws::Message, ws::ProtocolError>> for Socket {
    fn handle(&mut self, message: Result<ws::Message, ws::ProtocolError>, ctx: &mut Self::Context) {
        self.heard = Instant::now();
        self.unheard = 0;
        match message {
            Ok(ws::Message::Text(text)) => match serde_json::from_str::<Request>(&text) {
                Ok(request) => self.agent.do_send(Desk::Request { page: self.page, request }),
                Err(why) => {
                    tracing::debug!(%why, "a page sent what is no request");
                    ctx.close(Some(ws::CloseCode::Invalid.into()));
                    ctx.stop();
                }
            },
            Ok(ws::Message::Ping(bytes)) => ctx.pong(&bytes),
            Ok(ws::Message::Pong(_) | ws::Message::Nop) => {}
            Ok(ws::Message::Close(reason)) => {
                ctx.close(reason);
                ctx.stop();
            }
            // The page sends short texts whole; anything else is no page of ours.
            Ok(ws::Message::Binary(_) | ws::Message::Continuation(_)) => {
                ctx.close(Some(ws::CloseCode::Unsupported.into()));
                ctx.stop();
            }
            Err(_) => ctx.stop(),
        }
    }
}
