//! A group of threads.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use kiln::parallel::{Group, Incoming, Moment, Outgoing};

/// A message with the kind of its moment.
type Message = (i32, Vec<u8>);

/// One of the threads. A message of another length or moment than expected is an error.
pub struct Member {
    rank: usize,
    /// To and from each member.
    senders: Vec<Mutex<Sender<Message>>>,
    receivers: Vec<Mutex<Receiver<Message>>>,
}

/// The members of a group.
pub fn members(size: usize) -> Vec<Arc<dyn Group>> {
    let mut members: Vec<Member> = (0..size)
        .map(|rank| Member {
            rank,
            senders: Vec::new(),
            receivers: Vec::new(),
        })
        .collect();
    for from in 0..size {
        for to in 0..size {
            let (sender, receiver) = channel();
            members[from].senders.push(Mutex::new(sender));
            members[to].receivers.push(Mutex::new(receiver));
        }
    }
    let members = members.into_iter();
    members.map(|member| Arc::new(member) as _).collect()
}

/// What `work` returns on each of the members, each on a thread.
pub fn on_all<R: Send>(size: usize, work: impl Fn(Arc<dyn Group>) -> R + Sync) -> Vec<R> {
    std::thread::scope(|scope| {
        let work = &work;
        let threads: Vec<_> = members(size)
            .into_iter()
            .map(|member| scope.spawn(move || work(member)))
            .collect();
        let results = threads.into_iter();
        results.map(|thread| thread.join().unwrap()).collect()
    })
}

impl Group for Member {
    fn rank(&self) -> usize {
        self.rank
    }

    fn size(&self) -> usize {
        self.senders.len()
    }

    fn exchange(&self, moment: Moment, outgoing: &[Outgoing], incoming: &mut [Incoming]) {
        for Outgoing { to, bytes } in outgoing {
            let message = (moment.kind(), bytes.to_vec());
            self.senders[*to].lock().unwrap().send(message).unwrap();
        }
        for Incoming { from, bytes } in incoming {
            let (kind, message) = self.receivers[*from].lock().unwrap().recv().unwrap();
            assert_eq!(kind, moment.kind(), "{moment}");
            bytes.copy_from_slice(&message);
        }
    }
}
