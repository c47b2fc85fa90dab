//! Sets of small numbers: the places of channels in their set, or of names in a barrier.

/// A set of numbers below a bound that is given when it is made.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Slots(Box<[u64]>);

impl Slots {
    /// An empty set for numbers below `bound`.
    #[must_use]
    pub fn new(bound: usize) -> Self {
        Self(vec![0; bound.div_ceil(64)].into())
    }

    /// Adds a number; whether it is new. One that is out of bounds is not added.
    #[inline]
    pub fn insert(&mut self, slot: usize) -> bool {
        let Some(word) = self.0.get_mut(slot / 64) else { return false };
        let bit = 1 << (slot % 64);
        let new = *word & bit == 0;
        *word |= bit;
        new
    }

    /// Takes a number out.
    #[inline]
    pub fn remove(&mut self, slot: usize) {
        if let Some(word) = self.0.get_mut(slot / 64) {
            *word &= !(1 << (slot % 64));
        }
    }

    /// Whether the number is in the set.
    #[inline]
    #[must_use]
    pub fn contains(&self, slot: usize) -> bool {
        self.0.get(slot / 64).is_some_and(|word| word >> (slot % 64) & 1 == 1)
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|&word| word == 0)
    }

    /// Takes all out.
    #[inline]
    pub fn clear(&mut self) {
        self.0.fill(0);
    }

    /// The numbers, ascending.
    pub fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.0.iter().enumerate().flat_map(|(index, &word)| {
            std::iter::successors(Some(word), |&word| Some(word & word.wrapping_sub(1)))
                .take_while(|&word| word != 0)
                .map(move |word| 64 * index + word.trailing_zeros() as usize)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::Slots;

    proptest! {
        #[test]
        fn is_a_set(numbers in vec(0..200_usize, 0..100)) {
            let mut slots = Slots::new(200);
            let mut set = BTreeSet::new();
            for &number in &numbers {
                prop_assert_eq!(slots.insert(number), set.insert(number));
            }
            prop_assert_eq!(slots.len(), set.len());
            prop_assert_eq!(slots.is_empty(), set.is_empty());
            prop_assert!((0..300).all(|it| slots.contains(it) == set.contains(&it)));
            prop_assert_eq!(slots.iter().collect::<BTreeSet<_>>(), set.clone());
            for &number in numbers.iter().step_by(2) {
                slots.remove(number);
                set.remove(&number);
            }
            prop_assert_eq!(slots.iter().collect::<BTreeSet<_>>(), set);
            slots.clear();
            prop_assert_eq!(slots, Slots::new(200));
        }
    }

    #[test]
    fn numbers_out_of_bounds_are_not_added() {
        let mut slots = Slots::new(3);
        assert!(!slots.insert(64));
        assert!(slots.is_empty());
    }
}
