//! `BinaryOperatorAggregate`: every value received, reduced into one.

use std::sync::Arc;

use super::domain::{Domain, Write};
use crate::error::{Error, InvalidUpdate};

/// Holds what its reducer makes of its value and of each update in turn.
#[derive(Debug)]
pub struct BinaryOperatorAggregate<V, R> {
    value: Option<V>,
    reducer: Arc<R>,
}

impl<V, R> BinaryOperatorAggregate<V, R> {
    /// A channel that holds this value, if any. [`Domain::initial`] has that of a new one.
    #[must_use]
    pub fn new(reducer: Arc<R>, value: Option<V>) -> Self {
        Self { value, reducer }
    }

    /// Takes the updates of a step; whether there was one.
    ///
    /// The first update of an empty channel is its value as it is, an `Overwrite` too. After an
    /// `Overwrite`, further values of the same step count no more, and another is an error; what
    /// came before an error stays applied.
    #[inline]
    pub fn update<D: Domain<Value = V, Reducer = R>>(
        &mut self,
        domain: &D,
        mut values: impl ExactSizeIterator<Item = V>,
    ) -> Result<bool, D::Error> {
        if values.len() == 0 {
            return Ok(false);
        }
        if self.value.is_none() {
            self.value = values.next();
        }
        let Some(current) = &mut self.value else { return Ok(true) };
        let mut overwritten = false;
        for value in values {
            match domain.write(value)? {
                Write::Overwrite(_) if overwritten => {
                    return Err(Error::from(InvalidUpdate::ManyOverwrites).into());
                }
                Write::Overwrite(value) => {
                    *current = value;
                    overwritten = true;
                }
                Write::Reduce(_) if overwritten => {}
                Write::Reduce(value) => domain.reduce(&self.reducer, current, value)?,
            }
        }
        Ok(true)
    }

    /// The value.
    #[inline]
    pub fn get(&self) -> Result<&V, Error> {
        self.value.as_ref().ok_or(Error::EmptyChannel)
    }

    /// The value, which is also the channel's part of a checkpoint.
    #[inline]
    #[must_use]
    pub fn value(&self) -> Option<&V> {
        self.value.as_ref()
    }

    /// The reducer.
    #[must_use]
    pub fn reducer(&self) -> &Arc<R> {
        &self.reducer
    }

    /// A channel that holds the same.
    #[must_use]
    pub fn copy(&self, domain: &impl Domain<Value = V>) -> Self {
        let value = self.value.as_ref().map(|value| domain.share(value));
        Self { value, reducer: Arc::clone(&self.reducer) }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::BinaryOperatorAggregate;
    use crate::channel::domain::{Domain, Write};
    use crate::error::{Error, InvalidUpdate};

    /// Sums in which 7 cannot be added and `100 + n` overwrites with `n`.
    struct Sums;

    impl Domain for Sums {
        type Value = i32;
        type Reducer = ();
        type Error = Error;

        fn share(&self, value: &i32) -> i32 {
            *value
        }

        fn hash(&self, value: &i32) -> Result<u64, Error> {
            Ok(u64::from(value.unsigned_abs()))
        }

        fn same(&self, one: &i32, other: &i32) -> Result<bool, Error> {
            Ok(one == other)
        }

        fn spread(&self, update: i32, into: &mut Vec<i32>) -> Result<(), Error> {
            into.push(update);
            Ok(())
        }

        fn write(&self, update: i32) -> Result<Write<i32>, Error> {
            Ok(if update < 100 { Write::Reduce(update) } else { Write::Overwrite(update - 100) })
        }

        fn initial(&self, (): &()) -> Result<Option<i32>, Error> {
            Ok(Some(0))
        }

        fn reduce(&self, (): &(), left: &mut i32, right: i32) -> Result<(), Error> {
            if right == 7 {
                return Err(Error::Unwritable("seven"));
            }
            *left += right;
            Ok(())
        }
    }

    fn sums(value: Option<i32>) -> BinaryOperatorAggregate<i32, ()> {
        BinaryOperatorAggregate::new(Arc::new(()), value)
    }

    fn after(value: Option<i32>, values: &[i32]) -> (Result<bool, Error>, Option<i32>) {
        let mut channel = sums(value);
        let updated = channel.update(&Sums, values.iter().copied());
        (updated, channel.value().copied())
    }

    #[test]
    fn reduces_each_value_into_the_one_before() {
        assert_eq!(after(Some(1), &[2, 3]), (Ok(true), Some(6)));
        assert_eq!(after(Some(1), &[]), (Ok(false), Some(1)));
        assert_eq!(after(None, &[]), (Ok(false), None));
        assert_eq!(after(None, &[2, 3]), (Ok(true), Some(5)));
        assert_eq!(sums(None).get(), Err(Error::EmptyChannel));
        assert_eq!(sums(Some(4)).copy(&Sums).get(), Ok(&4));
    }

    #[test]
    fn an_overwrite_outweighs_the_values_around_it() {
        assert_eq!(after(Some(1), &[2, 150, 3]), (Ok(true), Some(50)));
        assert_eq!(after(None, &[2, 150]), (Ok(true), Some(50)));
    }

    #[test]
    fn an_overwrite_that_comes_first_to_an_empty_channel_is_a_value() {
        assert_eq!(after(None, &[150]), (Ok(true), Some(150)));
        assert_eq!(after(None, &[150, 160]), (Ok(true), Some(60)));
    }

    #[test]
    fn two_overwrites_are_refused_once_the_first_is_applied() {
        let refused = Err(InvalidUpdate::ManyOverwrites.into());
        assert_eq!(after(Some(1), &[150, 3, 160]), (refused, Some(50)));
    }

    #[test]
    fn what_came_before_a_failure_stays() {
        assert_eq!(after(Some(1), &[2, 7, 3]), (Err(Error::Unwritable("seven")), Some(3)));
    }
}
