//! The pairs of a packed map, one after another: what a row keeps of its channels' versions.

/// Pairs as they stand in a map, behind its header.
#[derive(Default)]
pub struct Entries {
    packed: Vec<u8>,
    /// Where each ends.
    ends: Vec<usize>,
}

impl Entries {
    pub fn with_room(count: usize) -> Self {
        Self { packed: Vec::with_capacity(count * 64), ends: Vec::with_capacity(count) }
    }

    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// The bytes of all.
    pub fn packed(&self) -> &[u8] {
        &self.packed
    }

    /// About how much memory this holds, in bytes.
    pub fn nbytes(&self) -> usize {
        self.packed.len() + self.ends.len() * size_of::<usize>()
    }

    /// Adds a pair.
    pub fn push(&mut self, entry: &[u8]) {
        self.packed.extend_from_slice(entry);
        self.ends.push(self.packed.len());
    }

    /// The same pairs, but for others in some places, in ascending order.
    pub fn patched(before: &Self, others: &[(usize, Vec<u8>)]) -> Self {
        let more: usize = others.iter().map(|(_, entry)| entry.len()).sum();
        let mut made = Self {
            packed: Vec::with_capacity(before.packed.len() + more),
            ends: Vec::with_capacity(before.len()),
        };
        for (place, entry) in others {
            made.take(before, *place);
            made.push(entry);
        }
        made.take(before, before.len());
        made
    }

    /// Takes over pairs up to a place, from where this ends on.
    fn take(&mut self, before: &Self, to: usize) {
        let place = |index: usize| index.checked_sub(1).map_or(0, |it| before.ends[it]);
        let from = self.len();
        let (first, last) = (place(from), place(to));
        let start = self.packed.len();
        self.packed.extend_from_slice(&before.packed[first..last]);
        self.ends.extend(before.ends[from..to].iter().map(|end| end - first + start));
    }
}
