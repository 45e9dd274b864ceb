//! A loaded model on the device, as data: weights, buffers, bind groups, and the queue of decoded tokens.

pub(super) mod buffers;
pub(super) mod gpu;
pub(super) mod queue;
pub(super) mod weights;
