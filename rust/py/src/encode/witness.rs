//! A list encoded beside the witness of an earlier one: what is proved unchanged keeps its bytes.
//!
//! An append-only reducer gives a new list of the same objects and a few more. Whether one of them
//! changed meanwhile is seen by a walk over all that its encoding was made from, which is several
//! times cheaper than to write it again. The bytes are those of encoding the whole list afresh.
use std::ops::Range;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList};

use super::Encoder;
use super::proof::{Proof, Prover, is_leaf};
use crate::failure::{Done, Fail, encode_error};
use crate::pause::Pause;
use crate::tree::Tree;
use crate::value::View;

/// After so many puts in a row in which nothing was proved, proofs are made only now and then.
const PATIENCE: u32 = 2;
/// How often then: state that is copied at every step would pay for them in vain.
const RETRY: u32 = 16;
/// Addresses compared in search of an element that has moved, for each element there was.
const SEARCH: usize = 4;

/// The longest encoding that gets a witness, and the most a witness takes, bytes: together well below
/// what `lgckpt.hints` has for all large channels, or the tree would not be remembered either.
const MAX_ENCODING: usize = 32 * 1024 * 1024;
const MAX_NBYTES: usize = 16 * 1024 * 1024;

/// A shorter beginning is copied as any other part.
const KEPT_MIN: usize = 4096;

/// A list, packed.
pub struct Listed<'py> {
    /// The header, and what comes after what is kept.
    pub written: Bound<'py, PyBytes>,
    /// Where the beginning ends that an earlier list's bytes have too, after a header as long; 0 if
    /// everything was written.
    pub kept: usize,
    pub witness: Witness,
}

/// The encoding of an earlier list.
#[derive(Clone, Copy)]
struct Bytes<'a> {
    view: View<'a>,
    len: usize,
}

/// What is known of the elements of a list that was encoded.
#[derive(Debug, Default)]
pub struct Witness {
    elements: Vec<Element>,
    /// Where the first element starts in the encoding.
    start: usize,
    /// How many elements were not encoded, since an earlier witness proved them unchanged.
    proved: usize,
    /// Puts since something was proved.
    misses: u32,
    nbytes: usize,
}

#[derive(Debug)]
struct Element {
    /// Where its encoding ends.
    end: usize,
    /// Where the object was: a hint which proof may hold for an object, never followed.
    address: usize,
    proof: Option<Proof>,
}

impl Witness {
    /// The memory it takes, and what is held by it alone once the list is gone, about, bytes.
    pub fn nbytes(&self) -> usize {
        self.nbytes
    }

    /// How many elements were proved unchanged, and not encoded.
    pub fn proved(&self) -> usize {
        self.proved
    }

    /// Where the first element starts.
    pub fn start(&self) -> usize {
        self.start
    }

    /// How many of the leaves of an earlier list are this one's too, given where they end and where
    /// the common beginning does, and how many elements come after them.
    pub fn goes_on_after(&self, ends: &[usize], kept: usize) -> (usize, usize) {
        let within = ends.partition_point(|&end| end <= kept);
        let whole = (1..=within).rev().find_map(|leaves| {
            let end = ends.get(leaves - 1)?;
            let last = self.elements.binary_search_by_key(end, |it| it.end).ok()?;
            Some((leaves, self.elements.len() - last - 1))
        });
        whole.unwrap_or((0, self.elements.len()))
    }

    fn span(&self, index: usize) -> Option<Range<usize>> {
        let before =
            index.checked_sub(1).map_or(Some(self.start), |it| Some(self.elements.get(it)?.end));
        Some(before?..self.elements.get(index)?.end)
    }

    /// The witness of a list of which nothing can be proved.
    fn missed(&self) -> Self {
        Self { misses: self.misses.saturating_add(1), ..Self::default() }
    }

    /// Whether proofs should be made this time.
    fn is_worth_it(&self) -> bool {
        self.misses < PATIENCE || self.misses.is_multiple_of(RETRY)
    }
}

impl<'py> Encoder<'py> {
    /// Packs a list whose channel's last value had the tree `earlier`; None for one of which little
    /// could be spared: where elements take fewer bytes than `least`, to look costs as much.
    pub(super) fn witnessed(
        mut self,
        list: &Bound<'py, PyList>,
        earlier: &Bound<'_, Tree>,
        least: usize,
    ) -> PyResult<Option<Listed<'py>>> {
        let (earlier, none) = (earlier.get(), Witness::default());
        if earlier.len(self.py) < list.len().saturating_mul(least) {
            return Ok(None);
        }
        let _pause = Pause::within(self.py);
        // SAFETY: the list is alive and the GIL is held.
        let packed = unsafe {
            if !self.is_compound_list(list.as_ptr()) {
                return Ok(None);
            }
            let witness = earlier.witness().unwrap_or(&none);
            let bytes = Bytes { view: earlier.view(self.py), len: earlier.len(self.py) };
            self.list_after(list.as_ptr(), witness, bytes)
        };
        let (kept, witness) = packed.map_err(Fail::into_pyerr)?;
        Ok(Some(Listed { written: self.out.finish()?.cast_into()?, kept, witness }))
    }

    /// Whether a list may have elements that cost more to write than to look at.
    ///
    /// # Safety
    /// `list` is a list that is alive, and the GIL is held (so for every method here).
    unsafe fn is_compound_list(&self, list: *mut ffi::PyObject) -> bool {
        // SAFETY: the index is within the list.
        unsafe {
            let length = ffi::PyList_GET_SIZE(list);
            let compound = |index| !is_leaf(self.known, ffi::PyList_GET_ITEM(list, index));
            length > 0 && compound(0) && compound(length - 1)
        }
    }

    /// A list whose elements may be those of an earlier one, with that one's encoding and witness.
    ///
    /// The caller has paused the collector.
    unsafe fn list_after(
        &mut self,
        list: *mut ffi::PyObject,
        earlier: &Witness,
        bytes: Bytes<'_>,
    ) -> Done<(usize, Witness)> {
        // SAFETY: the size is read again before every item, since a callback may change the list.
        unsafe {
            let length = ffi::PyList_GET_SIZE(list);
            if earlier.elements.is_empty() {
                self.out.reserve_about(bytes.len)?;
                if !earlier.is_worth_it() {
                    self.list(list)?;
                    return Ok((0, earlier.missed()));
                }
            }
            self.open_array(length.cast_unsigned())?;
            let mut pass = Pass::new(self, earlier, bytes, length.cast_unsigned());
            for index in 0..length {
                if index >= ffi::PyList_GET_SIZE(list) {
                    return Err(encode_error("list changed size during encoding"));
                }
                pass.element(ffi::PyList_GET_ITEM(list, index))?;
            }
            pass.copy()?;
            let kept = pass.kept;
            let witness = pass.finish();
            self.close();
            Ok((kept, witness))
        }
    }
}

/// One list being written.
struct Pass<'a, 'py> {
    encoder: &'a mut Encoder<'py>,
    earlier: &'a Witness,
    /// The earlier list's encoding.
    bytes: Bytes<'a>,
    /// Where its beginning ends that is this one's too, and is not written again.
    kept: usize,
    /// The earlier element expected next.
    next: usize,
    /// The part of `bytes` that is to be copied before anything else is written.
    run: Range<usize>,
    /// Addresses that may still be compared.
    search: usize,
    made: Witness,
    /// Whether proofs are made this time.
    proofs: bool,
    prover: Prover<'py>,
}

impl<'a, 'py> Pass<'a, 'py> {
    fn new(
        encoder: &'a mut Encoder<'py>,
        earlier: &'a Witness,
        bytes: Bytes<'a>,
        length: usize,
    ) -> Self {
        let made = Witness {
            elements: Vec::with_capacity(length),
            start: encoder.out.len(),
            ..Witness::default()
        };
        let search = SEARCH * earlier.elements.len();
        let proofs = earlier.is_worth_it() && bytes.len <= MAX_ENCODING;
        let prover = Prover::new(encoder.known);
        Self { encoder, earlier, bytes, kept: 0, next: 0, run: 0..0, search, made, proofs, prover }
    }

    /// # Safety
    /// `object` is alive, and the GIL is held (so for every method here).
    unsafe fn element(&mut self, object: *mut ffi::PyObject) -> Done {
        // SAFETY: the caller's.
        unsafe {
            match self.found(object) {
                Some((span, proof)) => self.keep(object, span, proof),
                None => self.write(object),
            }
        }
    }

    /// The earlier encoding of an object, if it would be the same now.
    unsafe fn found(&mut self, object: *mut ffi::PyObject) -> Option<(Range<usize>, Proof)> {
        let elements = &self.earlier.elements;
        let mut index = self.next;
        let mut element = elements.get(index)?;
        // SAFETY: the caller's; nothing runs between the walk and the copy that could change the object.
        unsafe {
            if !element.is(self.encoder, object) {
                if element.address == object as usize {
                    self.next += 1;
                    return None;
                }
                let ahead = &elements[index..(index + self.search).min(elements.len())];
                let away = ahead.iter().position(|it| it.address == object as usize);
                self.search -= away.map_or(ahead.len(), |it| it + 1);
                index += away?;
                element = elements.get(index)?;
                self.next = index + 1;
                if !element.is(self.encoder, object) {
                    return None;
                }
            }
        }
        self.next = index + 1;
        Some((self.earlier.span(index)?, element.proof.clone()?))
    }

    /// Takes over the bytes of an earlier element.
    fn keep(&mut self, object: *mut ffi::PyObject, span: Range<usize>, proof: Proof) -> Done {
        if self.run.end == span.start {
            self.run.end = span.end;
        } else {
            self.copy()?;
            self.run = span.clone();
        }
        self.made.proved += 1;
        self.note(object, span.len(), Some(proof));
        Ok(())
    }

    /// Writes an element anew.
    unsafe fn write(&mut self, object: *mut ffi::PyObject) -> Done {
        self.copy()?;
        let (start, calls) = (self.encoder.out.len(), self.encoder.calls);
        // SAFETY: the object is held while code that could drop it may run. Where no Python code ran
        // the object is still what was written.
        unsafe {
            ffi::Py_INCREF(object);
            let done = self.encoder.item(object);
            let wanted = self.proofs && self.made.nbytes < MAX_NBYTES;
            let provable = wanted && done.is_ok() && self.encoder.calls == calls;
            let compound = provable && !is_leaf(self.encoder.known, object);
            let proof = if compound { self.prover.proof(object) } else { None };
            ffi::Py_DECREF(object);
            done?;
            self.note(object, self.encoder.out.len() - start, proof);
        }
        Ok(())
    }

    fn note(&mut self, object: *mut ffi::PyObject, length: usize, proof: Option<Proof>) {
        let end = self.made.elements.last().map_or(self.made.start, |it| it.end) + length;
        // The leaves take about as much as their encoding does.
        self.made.nbytes += proof.as_ref().map_or(0, |it| it.nbytes() + length);
        self.made.elements.push(Element { end, address: object as usize, proof });
    }

    /// Writes what was taken over and not written yet.
    fn copy(&mut self) -> Done {
        let run = std::mem::take(&mut self.run);
        if self.begins_with(&run) {
            self.kept = run.end;
            return Ok(());
        }
        let out = &mut self.encoder.out;
        self.bytes.view.with(|bytes| match bytes.get(run) {
            Some(bytes) => out.write(bytes),
            None => Err(encode_error("the bytes of another list")),
        })
    }

    /// Whether both lists begin with these bytes, at the same place, and they are worth sparing.
    fn begins_with(&self, run: &Range<usize>) -> bool {
        let start = self.made.start;
        run.len() >= KEPT_MIN
            && run.start == start
            && self.earlier.start == start
            && self.encoder.out.len() == start
            && run.end <= self.bytes.len
    }

    fn finish(self) -> Witness {
        let mut made = self.made;
        if made.nbytes == 0 {
            return self.earlier.missed();
        }
        let misses = self.earlier.misses;
        made.nbytes += size_of_val(&*made.elements);
        made.misses = match made.proved {
            0 if self.earlier.elements.is_empty() => misses,
            0 => misses.saturating_add(1),
            _ => 0,
        };
        made
    }
}

impl Element {
    /// Whether the object's encoding would be this element's.
    #[inline(always)]
    unsafe fn is(&self, encoder: &Encoder<'_>, object: *mut ffi::PyObject) -> bool {
        // SAFETY: the caller's.
        self.proof.as_ref().is_some_and(|it| unsafe { it.holds(encoder.known, object) })
    }
}
