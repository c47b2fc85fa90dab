//! Paths of tasks, by which those of a step are ordered.

use std::fmt::Write;

/// A part of a task's path.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Part<'a> {
    /// A word or a node's name.
    Text(&'a str),
    /// A number; of a bool, 0 or 1.
    Int(i64),
    /// The path of another task.
    Path(&'a [Part<'a>]),
}

/// The key that orders tasks: LangGraph's `task_path_str`, compared by code points.
///
/// Numbers are ten digits long, so that those below 10¹⁰ are in their order.
#[must_use]
pub fn path_key(path: &[Part<'_>]) -> String {
    let mut key = String::new();
    append(&mut key, path);
    key
}

fn append(key: &mut String, path: &[Part<'_>]) {
    key.push('~');
    for (at, part) in path.iter().enumerate() {
        if at > 0 {
            key.push_str(", ");
        }
        match part {
            Part::Text(text) => key.push_str(text),
            // Writing to a String cannot fail.
            Part::Int(number) => drop(write!(key, "{number:010}")),
            Part::Path(path) => append(key, path),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Part::{Int, Path, Text};
    use super::path_key;

    #[test]
    fn keys_are_langgraphs() {
        assert_eq!(path_key(&[]), "~");
        assert_eq!(path_key(&[Text("__pregel_pull"), Text("a")]), "~__pregel_pull, a");
        let inner = [Text("__pregel_pull"), Text("b")];
        let path = [Text("__pregel_push"), Path(&inner), Int(12), Int(-5), Int(1)];
        let key = "~__pregel_push, ~__pregel_pull, b, 0000000012, -000000005, 0000000001";
        assert_eq!(path_key(&path), key);
    }

    #[test]
    fn numbers_are_in_their_order() {
        let key = |number| path_key(&[Text("__pregel_push"), Int(number)]);
        assert!(key(2) < key(10));
        assert!(key(99) < key(100));
    }
}
