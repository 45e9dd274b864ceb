//! Messages to and from the page, and how a task lets them in.

mod doorbell;
mod incoming;
mod outgoing;
mod task_yield;

#[cfg(test)]
pub(crate) use doorbell::Doorbell;
pub(crate) use doorbell::{message_arrived, yield_to_messages};
pub(crate) use incoming::{Incoming, parse};
#[cfg(test)]
pub(crate) use outgoing::encode;
pub(crate) use outgoing::{hold, post, post_file, post_ready};
pub(crate) use task_yield::yield_now;
#[cfg(test)]
pub(crate) use task_yield::{queued, scheduled};
