//! `smollm3`: every fourth layer does not rotate.

use super::decoder;
use super::header::{Header, Sizes};
use crate::error::Result;
use crate::model::spec::{Pairs, Spec};

/// The last of so many layers does not rotate; no key says so.
const STEP: usize = 4;

/// Reads a `smollm3` file.
pub(super) fn spec(header: &Header, sizes: &Sizes) -> Result<Spec> {
    let rope = header.rope(sizes, Pairs::Neighbours)?;
    Ok(decoder::spec(header, sizes, |index| {
        let rotates = !(index + 1).is_multiple_of(STEP);
        decoder::layer(header, sizes, index, rotates.then(|| rope.clone()))
    }))
}
