//! Contexts that a thread lends to one call after another: making one costs more than a small chunk.

use std::cell::Cell;
use std::thread::LocalKey;

/// What each thread keeps at most one of between calls.
pub trait Context: Sized + 'static {
    /// Where a thread keeps it.
    fn place() -> &'static Place<Self>;
    /// Makes another, or none if there is no memory for it.
    fn create() -> Option<Self>;
    /// Whether it is as small as what a thread may keep.
    fn keepable(&mut self) -> bool;
}

/// A thread's place for a context.
pub type Place<T> = LocalKey<Cell<Option<T>>>;

/// The thread's context, taken when first asked for and given back in the end. Whoever asks
/// meanwhile makes another, so no caller ever waits for one or meets one in use.
pub struct Loan<T: Context>(Option<T>);

impl<T: Context> Loan<T> {
    /// The context, or none if there is no memory for it.
    pub fn get(&mut self) -> Option<&mut T> {
        if self.0.is_none() {
            // A thread that is ending has no place any more.
            let kept = T::place().try_with(Cell::take).ok().flatten();
            self.0 = kept.or_else(T::create);
        }
        self.0.as_mut()
    }
}

impl<T: Context> Default for Loan<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T: Context> Drop for Loan<T> {
    fn drop(&mut self) {
        if let Some(context) = self.0.take_if(T::keepable) {
            let _ = T::place().try_with(|place| place.set(Some(context)));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::{Context, Loan, Place};

    /// Counts what it was used for; kept up to three.
    #[derive(Default)]
    struct Counter(u32);

    thread_local! {
        static PLACE: Cell<Option<Counter>> = const { Cell::new(None) };
    }

    impl Context for Counter {
        fn place() -> &'static Place<Self> {
            &PLACE
        }

        fn create() -> Option<Self> {
            Some(Self::default())
        }

        fn keepable(&mut self) -> bool {
            self.0 <= 3
        }
    }

    fn used(loan: &mut Loan<Counter>) -> Option<u32> {
        let counter = loan.get()?;
        counter.0 += 1;
        Some(counter.0)
    }

    #[test]
    fn a_thread_gets_its_own_back_until_it_is_too_large() {
        let uses = (0..6).map(|_| used(&mut Loan::default()));
        assert_eq!(uses.collect::<Vec<_>>(), [1, 2, 3, 4, 1, 2].map(Some));
        let elsewhere = std::thread::spawn(|| used(&mut Loan::default()));
        assert_eq!(elsewhere.join().ok().flatten(), Some(1));
    }

    #[test]
    fn two_loans_at_once_are_of_two_contexts() {
        let (mut first, mut second) = (Loan::default(), Loan::default());
        assert_eq!([used(&mut first), used(&mut second), used(&mut first)], [1, 1, 2].map(Some));
    }
}
