//! A row that is told by its parent's state and what differs from it.

use lgckpt_core::frame;
use lgckpt_core::patch::{Patch, Piece};
use pyo3::prelude::*;

use super::Encoder;
use super::built::{Around, BuiltState, Stored};
use super::entries::Entries;
use super::plan::{Changed, Step};
use super::row::{Finished, Made};
use crate::failure::Done;

impl<'py> Encoder<'py> {
    /// The row, where its channels are the parent's.
    pub(super) fn told(
        &mut self,
        made: &Made<'_, 'py>,
        (before, tag): &(Stored, [u8; 8]),
        changed: &[Changed<'py>],
    ) -> Done<Option<Finished>> {
        let Some(patch) = self.patch(made, changed)? else { return Ok(None) };
        let Some(around) = self.around(made)? else { return Ok(None) };
        let Some(metadata) = self.metadata(made)? else { return Ok(None) };
        let built = BuiltState::new(before.clone_ref(self.py), patch, around, made.how.codec);
        let etag = built.tag(*tag, &metadata);
        let state = Stored::Built(Py::new(self.py, built)?);
        Ok(Some(Finished { state, metadata, etag, entries: Entries::default() }))
    }

    fn patch(&mut self, made: &Made<'_, 'py>, changed: &[Changed<'py>]) -> Done<Option<Patch>> {
        let mut versions = Vec::with_capacity(changed.len());
        for Changed { at, channel, version } in changed {
            // SAFETY: both are held.
            let entry = unsafe { self.entry(channel.as_ptr(), version.as_ptr())? };
            let Some(entry) = entry else { return Ok(None) };
            versions.push((*at, entry.to_vec()));
        }
        Ok(Some(Patch { versions, values: pieces(made) }))
    }

    fn around(&mut self, made: &Made<'_, 'py>) -> Done<Option<Around>> {
        let Some((place, bare)) = self.bare(made.given, &[])? else { return Ok(None) };
        let (opening, closing) = bare.split_at(place);
        let closing = frame::seal(closing, made.how.codec);
        Ok(Some(Around { opening: opening.to_vec(), closing }))
    }
}

/// The values: those of the plan that there are.
fn pieces(made: &Made<'_, '_>) -> Vec<Piece> {
    let mut pieces = Vec::with_capacity(made.plan.steps.len());
    let mut at = 0;
    for step in &made.plan.steps {
        match step {
            Step::Take(run) => {
                at += run.len();
                pieces.push(Piece::Taken(run.clone()));
            }
            Step::Rename(index, _) => {
                at += 1;
                pieces.push(Piece::Taken(*index..index + 1));
            }
            Step::Pack(channel) if made.elements.is_of(at, channel.as_ptr()) => {
                pieces.push(Piece::Own(made.elements.bytes_of(at).to_vec()));
                at += 1;
            }
            Step::Pack(_) => {}
        }
    }
    pieces
}
