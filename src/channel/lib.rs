//! Stands in for `async-channel` where the WebRTC library uses it: the same words, as far as that library says them.
//!
//! The original takes the room of a full channel when it is made: with three channels of 256 each browser took 98 KiB for nothing. This one takes room as
//! it fills, and gives it back.

use event_listener::Event;
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

/// An empty channel keeps room for so many.
const KEPT: usize = 8;

struct Channel<T> {
    capacity: usize,
    state: Mutex<State<T>>,
    /// Rings when something came.
    filled: Event,
    /// Rings when there is room again.
    freed: Event,
}

struct State<T> {
    queue: VecDeque<T>,
    senders: usize,
    receivers: usize,
}

pub struct Sender<T>(Arc<Channel<T>>);

pub struct Receiver<T>(Arc<Channel<T>>);

/// Nobody receives any more.
#[derive(Debug)]
pub struct SendError<T>(pub T);

#[derive(Debug)]
pub enum TrySendError<T> {
    Full(T),
    Closed(T),
}

/// Nothing is left, and nobody sends any more.
#[derive(Debug)]
pub struct RecvError;

#[derive(Debug, PartialEq, Eq)]
pub enum TryRecvError {
    Empty,
    Closed,
}

/// A channel with room for so many messages.
pub fn bounded<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    let state = Mutex::new(State { queue: VecDeque::new(), senders: 1, receivers: 1 });
    let channel = Arc::new(Channel { capacity, state, filled: Event::new(), freed: Event::new() });
    (Sender(Arc::clone(&channel)), Receiver(channel))
}

impl<T> Channel<T> {
    fn is_closed(&self) -> bool {
        let state = self.state.lock();
        state.senders == 0 || state.receivers == 0
    }

    fn put(&self, message: T) -> Result<(), TrySendError<T>> {
        let mut state = self.state.lock();
        if state.receivers == 0 {
            return Err(TrySendError::Closed(message));
        }
        if state.queue.len() >= self.capacity {
            return Err(TrySendError::Full(message));
        }
        state.queue.push_back(message);
        drop(state);
        self.filled.notify_additional(1);
        Ok(())
    }

    fn take(&self) -> Result<T, TryRecvError> {
        let mut state = self.state.lock();
        let Some(message) = state.queue.pop_front() else {
            return Err(if state.senders == 0 { TryRecvError::Closed } else { TryRecvError::Empty });
        };
        if state.queue.is_empty() && state.queue.capacity() > KEPT {
            state.queue.shrink_to(KEPT);
        }
        drop(state);
        self.freed.notify_additional(1);
        Ok(message)
    }
}

impl<T> Sender<T> {
    pub fn try_send(&self, message: T) -> Result<(), TrySendError<T>> {
        self.0.put(message)
    }

    /// Waits while there is no room.
    pub async fn send(&self, message: T) -> Result<(), SendError<T>> {
        let mut message = message;
        let mut room = None;
        loop {
            message = match self.0.put(message) {
                Ok(()) => return Ok(()),
                Err(TrySendError::Closed(message)) => return Err(SendError(message)),
                Err(TrySendError::Full(message)) => message,
            };
            // Who listens first and looks again misses nothing.
            match room.take() {
                None => room = Some(self.0.freed.listen()),
                Some(room) => room.await,
            }
        }
    }

    pub fn is_closed(&self) -> bool {
        self.0.is_closed()
    }
}

impl<T> Receiver<T> {
    pub fn try_recv(&self) -> Result<T, TryRecvError> {
        self.0.take()
    }

    /// Waits while there is nothing.
    pub async fn recv(&self) -> Result<T, RecvError> {
        let mut bell = None;
        loop {
            match self.0.take() {
                Ok(message) => return Ok(message),
                Err(TryRecvError::Closed) => return Err(RecvError),
                Err(TryRecvError::Empty) => {}
            }
            match bell.take() {
                None => bell = Some(self.0.filled.listen()),
                Some(bell) => bell.await,
            }
        }
    }

    pub fn is_closed(&self) -> bool {
        self.0.is_closed()
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        self.0.state.lock().senders += 1;
        Self(Arc::clone(&self.0))
    }
}

impl<T> Clone for Receiver<T> {
    fn clone(&self) -> Self {
        self.0.state.lock().receivers += 1;
        Self(Arc::clone(&self.0))
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        let mut state = self.0.state.lock();
        state.senders -= 1;
        let last = state.senders == 0;
        drop(state);
        if last {
            self.0.filled.notify(usize::MAX);
        }
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        let mut state = self.0.state.lock();
        state.receivers -= 1;
        let left = (state.receivers == 0).then(|| std::mem::take(&mut state.queue));
        drop(state);
        if left.is_some() {
            self.0.freed.notify(usize::MAX);
        }
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sender")
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Receiver")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_keep_their_order_and_a_full_channel_takes_no_more() {
        let (sender, receiver) = bounded(3);
        for n in 0..3 {
            sender.try_send(n).unwrap();
        }
        assert!(matches!(sender.try_send(3), Err(TrySendError::Full(3))));
        assert_eq!((0..3).map(|_| receiver.try_recv().unwrap()).collect::<Vec<_>>(), [0, 1, 2]);
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
    }

    #[test]
    fn room_is_taken_as_it_fills_and_given_back() {
        let (sender, receiver) = bounded(256);
        let room = || sender.0.state.lock().queue.capacity();
        assert_eq!(room(), 0);
        (0..256).for_each(|n| sender.try_send(n).unwrap());
        (0..256).for_each(|n| assert_eq!(receiver.try_recv(), Ok(n)));
        assert!(room() <= KEPT);
    }

    #[tokio::test]
    async fn who_waits_for_room_sends_when_there_is_some() {
        let (sender, receiver) = bounded(1);
        sender.send(1).await.unwrap();
        let waits = tokio::spawn(async move {
            sender.send(2).await.unwrap();
            sender.send(3).await.unwrap();
        });
        tokio::task::yield_now().await;
        for n in 1..=3 {
            assert_eq!(receiver.recv().await.unwrap(), n);
        }
        waits.await.unwrap();
        assert!(receiver.recv().await.is_err() && receiver.is_closed());
    }

    #[tokio::test]
    async fn all_who_wait_get_something_and_hear_of_the_end() {
        let (sender, receiver) = bounded(8);
        let waiting: Vec<_> = (0..4).map(|_| receiver.clone()).map(|own| tokio::spawn(async move { own.recv().await.ok() })).collect();
        tokio::task::yield_now().await;
        (0..3).for_each(|n| sender.try_send(n).unwrap());
        drop(sender);
        let mut got = Vec::new();
        for task in waiting {
            got.push(task.await.unwrap());
        }
        got.sort();
        assert_eq!(got, [None, Some(0), Some(1), Some(2)]);
    }

    #[tokio::test]
    async fn a_receiver_that_gave_up_leaves_its_message_to_the_next() {
        let (sender, receiver) = bounded(8);
        let given_up = tokio::spawn({
            let own = receiver.clone();
            async move { own.recv().await.ok() }
        });
        let stays = tokio::spawn(async move { receiver.recv().await.ok() });
        tokio::task::yield_now().await;
        sender.try_send(1).unwrap();
        given_up.abort();
        assert_eq!(given_up.await.ok().flatten().or(stays.await.unwrap()), Some(1));
    }

    #[tokio::test]
    async fn nobody_sends_to_nobody() {
        let (sender, receiver) = bounded(1);
        sender.try_send(1).unwrap();
        let waits = tokio::spawn({
            let sender = sender.clone();
            async move { sender.send(2).await }
        });
        tokio::task::yield_now().await;
        drop(receiver);
        assert!(matches!(waits.await.unwrap(), Err(SendError(2))));
        assert!(matches!(sender.try_send(3), Err(TrySendError::Closed(3))) && sender.is_closed());
    }
}
