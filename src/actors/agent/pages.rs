//! Pages and their sockets: they come and go, are ended by a later login (A9), and one that died is followed by a new one of the same page (B3).

use super::{AgentRole, ToPage};
use crate::actors::shell::Shell;
use crate::wire::{self, ToWorkstation};
use actix::prelude::*;
use cordboard_core::agent::Event;
use std::cell::Cell;
use std::sync::Arc;

/// One open page.
pub(super) struct Page {
    pub(super) to: Recipient<ToPage>,
    /// The login session's epoch: a newer one takes over (A9).
    pub(super) epoch: i64,
    /// The page's own number, where it has one.
    tab: Option<u64>,
    /// Its socket has no room left: the browser does not read.
    stuck: Cell<bool>,
}

impl Page {
    pub(super) fn tell(&self, tell: Arc<ToWorkstation>) {
        if !self.stuck.get() && matches!(self.to.try_send(ToPage(tell)), Err(SendError::Full(_))) {
            self.stuck.set(true);
        }
    }
}

impl Shell<AgentRole> {
    pub(super) fn attach(&mut self, page: u64, tab: Option<u64>, to: Recipient<ToPage>, epoch: i64, me: wire::Me, ctx: &mut Context<Self>) {
        if self.role.pages.values().any(|other| other.epoch > epoch) {
            to.do_send(ToPage(Arc::new(ToWorkstation::TakenOver)));
            return;
        }
        self.end_pages(epoch, ctx);
        if let Some(before) = tab.and_then(|tab| self.role.socket_of(tab)) {
            self.close_echo(|echo| echo.page == before);
            self.role.succeed(before, page);
        }
        self.role.audio.get_or_insert(page);
        self.role.pages.insert(page, Page { to, epoch, tab, stuck: Cell::new(false) });
        self.switch.directory.write().watching.insert(self.role.machine.setup.id);
        let snapshot = self.role.snapshot(page, me, &self.switch);
        self.role.show_to(page, snapshot);
        self.event(Event::SocketUp, ctx);
    }

    /// Ends the pages of earlier logins; their voice path stays until the next page has one (A9).
    pub(super) fn end_pages(&mut self, epoch: i64, ctx: &mut Context<Self>) {
        let old: Vec<u64> = self.role.pages.iter().filter(|(_, page)| page.epoch < epoch).map(|(id, _)| *id).collect();
        if old.is_empty() {
            return;
        }
        self.event(Event::TakenOver, ctx);
        for id in old {
            self.role.show_to(id, ToWorkstation::TakenOver);
            self.role.pages.remove(&id);
            self.role.audio = self.role.audio.filter(|owner| *owner != id);
        }
        self.left_without_pages(ctx);
    }

    pub(super) fn detach(&mut self, page: u64, ctx: &mut Context<Self>) {
        if self.role.pages.remove(&page).is_none() {
            return;
        }
        self.close_echo(|echo| echo.page == page);
        if self.role.audio == Some(page) {
            let next = self.role.pages.keys().next_back().copied();
            self.role.give_audio(next);
        }
        self.left_without_pages(ctx);
    }

    /// A page that asks and does not read is gone; its socket ends when it reads on.
    pub(super) fn drop_stuck_pages(&mut self, ctx: &mut Context<Self>) {
        while let Some(page) = self.role.pages.iter().find_map(|(id, page)| page.stuck.get().then_some(*id)) {
            tracing::warn!(page, "a page does not read and is dropped");
            self.detach(page, ctx);
        }
    }

    fn left_without_pages(&mut self, ctx: &mut Context<Self>) {
        if self.role.pages.is_empty() {
            self.switch.directory.write().watching.remove(&self.role.machine.setup.id);
            self.event(Event::SocketDown, ctx);
        }
    }
}

impl AgentRole {
    /// The socket that this page has so far, of which nothing is known but that the page opens another.
    fn socket_of(&self, tab: u64) -> Option<u64> {
        self.pages.iter().find(|(_, page)| page.tab == Some(tab)).map(|(id, _)| *id)
    }

    /// The page has a new socket: the audio that it owned stays its own.
    fn succeed(&mut self, before: u64, page: u64) {
        self.pages.remove(&before);
        let follow = |owner| if owner == before { page } else { owner };
        self.audio = self.audio.map(follow);
        self.peer = self.peer.map(|(peer, owner)| (peer, follow(owner)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Unpolled;

    impl Actor for Unpolled {
        type Context = Context<Self>;
    }

    impl Handler<ToPage> for Unpolled {
        type Result = ();

        fn handle(&mut self, _: ToPage, _: &mut Self::Context) {}
    }

    /// B3.
    #[actix::test]
    async fn what_a_page_does_not_read_is_not_kept_without_end() {
        let page = Page { to: Unpolled.start().recipient(), epoch: 1, tab: None, stuck: Cell::new(false) };
        // Nothing is awaited: the socket's actor does not run.
        let sent = (0..1_000).take_while(|id| {
            page.tell(Arc::new(ToWorkstation::Done { id: *id }));
            !page.stuck.get()
        });
        assert!(sent.count() < 100);
    }
}
